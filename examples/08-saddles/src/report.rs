//! The lines that are printed on the way, and the pictures.

use anyhow::{Context, Result};
use landscape::critical::{CriticalPoint, EscapeStep};
use pictures::{CurvesConfig, Series, curves_with};

/// What was found along one training.
pub(crate) struct Course {
    name: &'static str,
    steps: Vec<f64>,
    losses: Vec<f64>,
    indices: Vec<f64>,
}

impl Course {
    pub(crate) const fn new(name: &'static str) -> Self {
        Self {
            name,
            steps: Vec::new(),
            losses: Vec::new(),
            indices: Vec::new(),
        }
    }

    /// Notes a point, and returns its line.
    pub(crate) fn observe(&mut self, step: f64, point: &CriticalPoint) -> String {
        // All eigenvalues are known, so the bound is the index.
        let index = point.index.at_least;
        self.steps.push(step);
        self.losses.push(point.loss);
        self.indices.push(index as f64);
        format!(
            "{:6} step {step:4}  loss {:.6}  gradient {:.1e}  index {index:3}  {}",
            self.name, point.loss, point.gradient.norm, point.kind
        )
    }

    /// Returns the line of a step along an escape direction.
    pub(crate) fn escaped(&self, moved: &EscapeStep) -> String {
        format!(
            "{:6} escape: {:.3} along the most negative curvature, loss {:.6} to {:.6}",
            self.name,
            moved.length.abs(),
            moved.loss_before,
            moved.loss_after
        )
    }
}

/// A title, the name of the axis, and how the values are read off a course.
type Value = (&'static str, &'static str, fn(&Course) -> &[f64]);

/// Draws index and loss along the trainings, and returns the paths.
pub(crate) fn pictures(courses: &[Course]) -> Result<[&'static str; 2]> {
    const FOLDER: &str = "runs/example-saddles";
    const PATHS: [&str; 2] = [
        "runs/example-saddles/index.png",
        "runs/example-saddles/loss.png",
    ];
    std::fs::create_dir_all(FOLDER).with_context(|| format!("cannot create {FOLDER}"))?;
    let values: [Value; 2] = [
        (
            "Negative eigenvalues along the training",
            "index",
            |course| &course.indices,
        ),
        ("Loss along the training", "loss", |course| &course.losses),
    ];
    for (path, (title, label, read)) in PATHS.into_iter().zip(values) {
        // Powers of two are equally far apart.
        let places: Vec<Vec<f64>> = courses
            .iter()
            .map(|course| {
                course
                    .steps
                    .iter()
                    .map(|step| step.max(8.0).log2())
                    .collect()
            })
            .collect();
        let series: Vec<Series<'_>> = courses
            .iter()
            .zip(&places)
            .map(|(course, x)| Series {
                name: course.name,
                x,
                y: read(course),
            })
            .collect();
        let config = CurvesConfig {
            x_label: "log2 of the step (the start at 3)".into(),
            y_label: label.into(),
            ..CurvesConfig::new(title)
        };
        std::fs::write(path, curves_with(&series, &config)?.png()?)?;
    }
    Ok(PATHS)
}
