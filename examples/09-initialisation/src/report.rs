//! The table and the pictures.

use std::fmt::Write;

use anyhow::{Context, Result};
use landscape::critical::CriticalKind;
use pictures::{
    AxisScale, ContourConfig, ContoursConfig, CurvesConfig, NamedField, Picture, Series, Track,
    contour_with, contours_with, curves_with, sheet,
};

use crate::course::{Course, STEPS};
use crate::start::Start;

/// Returns a row for each start and seed. `found` has the starts of the first seed, then those of
/// the next.
pub(crate) fn table(found: &[Vec<Course>]) -> String {
    let half = format!(
        "{:>8} {:>8} {:>8} {:>8} {:>5}",
        "loss", "gradient", "lowest", "highest", "index"
    );
    let mut text = format!("{:16}{half} | {half} | {:>6} {:>7}\n", "", "plane", "gap");
    for (number, start) in Start::ALL.into_iter().enumerate() {
        for (seed, courses) in found.iter().enumerate() {
            let course = &courses[number];
            let _ = write!(text, "{:15}{seed}", start.name());
            for point in [&course.point, &course.end] {
                let _ = write!(
                    text,
                    "{:8.4} {:8.1e} {:8.3} {:8.3} {:5} | ",
                    point.loss,
                    point.gradient.norm,
                    point.min.value,
                    point.max.value,
                    // All eigenvalues are known, so the bound is the index.
                    point.index.at_least
                );
            }
            let explained: f64 = course.plane.explained.iter().sum();
            let _ = writeln!(text, "{explained:6.4} {:7.1e}", course.gap);
        }
    }
    let points = found.iter().flatten();
    let critical = points
        .flat_map(|course| [&course.point, &course.end])
        .filter(|point| point.kind != CriticalKind::NotCritical);
    let _ = write!(text, "critical points among them: {}", critical.count());
    text
}

/// Draws the surfaces around the starts and the ways over their planes, and returns the paths.
pub(crate) fn pictures(courses: &[Course]) -> Result<Vec<String>> {
    const FOLDER: &str = "runs/example-initialisation";
    std::fs::create_dir_all(FOLDER).with_context(|| format!("cannot create {FOLDER}"))?;
    let names = Start::ALL.map(Start::name);
    let panels: Vec<NamedField<'_>> = names
        .iter()
        .zip(courses)
        .map(|(name, course)| NamedField {
            name,
            field: (
                &course.around.a[..],
                &course.around.b[..],
                &course.around.loss[..],
            )
                .into(),
        })
        .collect();
    let config = ContoursConfig {
        a_label: "random direction 1, filters of He's norm".into(),
        b_label: "direction 2".into(),
        scale: AxisScale::Log,
        ..ContoursConfig::new("Loss around the starts")
    };
    let path = format!("{FOLDER}/starts.png");
    std::fs::write(&path, contours_with(&panels, &config)?.png()?)?;
    let mut paths = vec![path];

    let steps: Vec<f64> = (0..=STEPS).map(|step| step as f64).collect();
    let series: Vec<Series<'_>> = names
        .iter()
        .zip(courses)
        .map(|(name, course)| Series {
            name,
            x: &steps,
            y: &course.losses,
        })
        .collect();
    let config = CurvesConfig {
        x_label: "step".into(),
        y_label: "loss".into(),
        scale: AxisScale::Log,
        ..CurvesConfig::new("The first hundred steps")
    };
    let path = format!("{FOLDER}/loss.png");
    std::fs::write(&path, curves_with(&series, &config)?.png()?)?;
    paths.push(path);

    // Each way in its own plane, with its own scale.
    let ways: Vec<Picture> = names
        .iter()
        .zip(courses)
        .map(|(name, course)| way(name, course))
        .collect::<Result<_, _>>()?;
    let path = format!("{FOLDER}/ways.png");
    std::fs::write(&path, sheet(&ways, "The first hundred steps")?.png()?)?;
    paths.push(path);
    Ok(paths)
}

/// Draws a way over the plane of its principal components.
fn way(name: &str, course: &Course) -> Result<Picture, pictures::Error> {
    let surface = &course.surface;
    let share = |index: usize| 100.0 * course.plane.explained[index];
    let config = ContourConfig {
        a_label: format!("principal component 1, {:.1} %", share(0)),
        b_label: format!("principal component 2, {:.1} %", share(1)),
        tracks: vec![Track {
            name: "training".into(),
            points: course
                .plane
                .checkpoints
                .iter()
                .map(|checkpoint| checkpoint.coordinates)
                .collect(),
            steps: (0..=STEPS as u64).collect(),
        }],
        ..ContourConfig::new(format!("From {name}"))
    };
    contour_with((&surface.a[..], &surface.b[..], &surface.loss[..]), &config)
}
