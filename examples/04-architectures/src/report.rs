//! The table and the pictures.

use std::fmt::Write;

use anyhow::{Context, Result};
use architectures::{Architecture, Comparison, Outcome};
use pictures::{ContoursConfig, NamedField, PerspectiveConfig, contours_with, perspectives_with};

/// Returns a row for each norm and width, with means and standard deviations over the seeds.
pub(crate) fn table(comparisons: &[Comparison]) -> String {
    let mut text = format!(
        "{:46} {:>19} {:>19} {:>15} {:>15} {:>15} {:>15} {:>15}",
        "plain, residual",
        "loss",
        "accuracy",
        "share: plain",
        "residual",
        "plain/residual",
        "bare: plain",
        "residual"
    );
    for comparison in comparisons {
        let [losses, accuracies] = [&comparison.losses, &comparison.accuracies].map(|pair| {
            let [plain, residual] = pair.each_ref().map(|values| moments(values)[0]);
            format!("{plain:.4}, {residual:.4}")
        });
        let _ = write!(
            text,
            "\n{:46} {losses:>19} {accuracies:>19}",
            comparison.name
        );
        for values in [
            &comparison.shares[0],
            &comparison.shares[1],
            &comparison.plain_over_residual,
            &comparison.bare_over_this[0],
            &comparison.bare_over_this[1],
        ] {
            let [mean, spread] = moments(values);
            let _ = write!(text, " {:>15}", format!("{mean:.3} ± {spread:.3}"));
        }
    }
    text
}

/// Returns mean and sample standard deviation; one seed has no spread, and NaN says so.
fn moments(values: &[f64]) -> [f64; 2] {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    [mean, (squares / (count - 1.0)).sqrt()]
}

/// Draws the surfaces of the first seed, as contours and in perspective, and returns the paths.
pub(crate) fn pictures(found: &[(Architecture, Vec<Outcome>)]) -> Result<Vec<String>> {
    const FOLDER: &str = "runs/example-architectures";
    std::fs::create_dir_all(FOLDER).with_context(|| format!("cannot create {FOLDER}"))?;
    let mut paths = Vec::new();
    for of_width in found.chunks_exact(4) {
        let channels = of_width[0].0.width;
        let names: Vec<String> = of_width
            .iter()
            .map(|(architecture, _)| architecture.name())
            .collect();
        let panels: Vec<NamedField<'_>> = of_width
            .iter()
            .zip(&names)
            .map(|((_, outcomes), name)| {
                let surface = &outcomes[0].kept;
                NamedField {
                    name,
                    field: (&surface.a[..], &surface.b[..], &surface.loss[..]).into(),
                }
            })
            .collect();
        let title = format!("20 layers of {channels} channels");
        let flat = contours_with(&panels, &ContoursConfig::new(&title))?;
        let steep = perspectives_with(&panels, &PerspectiveConfig::several(&title))?;
        for (name, picture) in [("contours", flat), ("perspective", steep)] {
            let path = format!("{FOLDER}/{name}-{channels}.png");
            std::fs::write(&path, picture.png()?)?;
            paths.push(path);
        }
    }
    Ok(paths)
}
