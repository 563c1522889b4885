//! The table and the picture.

use std::fmt::Write;

use anyhow::{Context, Result};
use pictures::{Series, loss_line};

use crate::outcome::Outcome;

/// A measure's name, and how it is read off an outcome.
type Measure = (&'static str, fn(&Outcome) -> f64);

const MEASURES: [Measure; 5] = [
    ("training loss", |outcome| outcome.loss),
    ("validation loss", |outcome| outcome.validation_loss),
    ("lambda_1", |outcome| outcome.lambda_1),
    ("SAM, rho 0.05", |outcome| outcome.sam),
    ("average, sigma 0.02", |outcome| outcome.average),
];

/// Returns a row for each measure, with means and standard deviations over the seeds. `outcomes`
/// has the seeds of the first kind of training, then those of the next.
pub(crate) fn table(names: &[&str], outcomes: &[Outcome]) -> String {
    let seeds = outcomes.len() / names.len();
    let mut text = format!("{:20}", "");
    for name in names {
        let _ = write!(text, "{name:>20}");
    }
    for (measure, read) in MEASURES {
        let _ = write!(text, "\n{measure:20}");
        for outcomes in outcomes.chunks(seeds) {
            let values: Vec<f64> = outcomes.iter().map(read).collect();
            let mean = values.iter().sum::<f64>() / seeds as f64;
            let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
            // One seed has no spread: NaN says so.
            let spread = (squares / (seeds as f64 - 1.0)).sqrt();
            let figure = format!("{mean:.4} ± {spread:.4}");
            let _ = write!(text, "{figure:>20}");
        }
    }
    text
}

/// Draws the loss around the minimum of the first seed of each kind, and returns the path.
pub(crate) fn picture(names: &[&str], outcomes: &[Outcome]) -> Result<&'static str> {
    const PATH: &str = "runs/example-batch-size/line.png";
    std::fs::create_dir_all("runs/example-batch-size")
        .context("cannot create the folder runs/example-batch-size")?;
    let firsts = outcomes.iter().step_by(outcomes.len() / names.len());
    let series: Vec<Series<'_>> = names
        .iter()
        .zip(firsts)
        .map(|(name, outcome)| Series {
            name,
            x: &outcome.line.a,
            y: &outcome.line.loss,
        })
        .collect();
    let title = "Loss along a filter-normalised random direction";
    std::fs::write(PATH, loss_line(&series, title)?.png()?)?;
    Ok(PATH)
}
