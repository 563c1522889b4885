//! The table and the pictures.

use std::fmt::Write;

use anyhow::{Context, Result};
use pictures::{CurvesConfig, Series, curves_with};

use crate::course::Course;
use crate::method::Method;

/// The number of steps after the first crossing over which the ratio is averaged.
const WINDOW: f64 = 500.0;

/// Returns a row for each method, with means over the seeds. `courses` has the seeds of the first
/// method, then those of the next.
pub(crate) fn table(methods: &[Method], courses: &[Course]) -> String {
    let seeds = courses.len() / methods.len();
    let mut text = format!(
        "{:24} {:>9} {:>8} {:>21} {:>9}\n",
        "method, learning rate", "threshold", "crossing", "mean ratio (500 steps)", "end loss"
    );
    for (method, courses) in methods.iter().zip(courses.chunks(seeds)) {
        let threshold = mean(
            courses
                .iter()
                .filter_map(|course| course.thresholds.last().copied()),
        );
        let loss = mean(
            courses
                .iter()
                .filter_map(|course| course.losses.last().copied()),
        );
        let crossed: Vec<(f64, f64)> = courses.iter().filter_map(after_crossing).collect();
        let (crossing, ratio) = if crossed.len() < seeds {
            (format!("{}/{seeds}", crossed.len()), "-".to_owned())
        } else {
            let means: Vec<f64> = crossed.iter().map(|(_, ratio)| *ratio).collect();
            let [low, high] = [f64::min, f64::max].map(|pick: fn(f64, f64) -> f64| {
                means.iter().copied().reduce(pick).unwrap_or(f64::NAN)
            });
            let step = mean(crossed.iter().map(|(step, _)| *step));
            let ratio = mean(means.iter().copied());
            (
                format!("{step:.0}"),
                format!("{ratio:.3} ({low:.3}-{high:.3})"),
            )
        };
        let _ = writeln!(
            text,
            "{:24} {threshold:9.1} {crossing:>8} {ratio:>21} {loss:9.4}",
            method.name
        );
    }
    text + "threshold at the end; the ratio is lambda_1 / threshold, its mean from the first\n\
            crossing on, (smallest to largest mean of a seed)"
}

/// Returns the step of the first crossing, and the mean ratio of the 500 steps from there on, or
/// of those that there are.
fn after_crossing(course: &Course) -> Option<(f64, f64)> {
    let first = course.ratios.iter().position(|ratio| *ratio >= 1.0)?;
    let end = course.steps[first] + WINDOW;
    let window = course.steps.iter().zip(&course.ratios).skip(first);
    let ratios = window
        .take_while(|(step, _)| **step < end)
        .map(|(_, ratio)| *ratio);
    Some((course.steps[first], mean(ratios)))
}

/// Draws the sharpness of gradient descent beside its thresholds, and the ratios of all methods,
/// of the first seed, and returns the paths.
pub(crate) fn pictures(methods: &[Method], courses: &[Course]) -> Result<[&'static str; 2]> {
    const FOLDER: &str = "runs/example-edge-of-stability";
    const SHARPNESS: &str = "runs/example-edge-of-stability/sharpness.png";
    const RATIOS: &str = "runs/example-edge-of-stability/ratios.png";
    std::fs::create_dir_all(FOLDER).with_context(|| format!("cannot create {FOLDER}"))?;
    let seeds = courses.len() / methods.len();
    let firsts = || methods.iter().zip(courses.iter().step_by(seeds));

    let mut series = Vec::new();
    let names: Vec<String> = methods
        .iter()
        .flat_map(|method| {
            [
                method.name.to_owned(),
                format!("2 / {}", method.learning_rate),
            ]
        })
        .collect();
    for ((_, course), names) in firsts().zip(names.chunks(2)).take(3) {
        for (name, y) in names.iter().zip([&course.sharpness, &course.thresholds]) {
            series.push(Series {
                name,
                x: &course.steps,
                y,
            });
        }
    }
    let config = CurvesConfig {
        y_label: "largest eigenvalue of the Hessian".into(),
        scale: pictures::AxisScale::Linear,
        ..CurvesConfig::new("Full-batch gradient descent on digits")
    };
    std::fs::write(SHARPNESS, curves_with(&series, &config)?.png()?)?;

    let series: Vec<Series<'_>> = firsts()
        .map(|(method, course)| Series {
            name: method.name,
            x: &course.steps,
            y: &course.ratios,
        })
        .collect();
    let config = CurvesConfig {
        y_label: "largest eigenvalue / threshold".into(),
        scale: pictures::AxisScale::Linear,
        ..CurvesConfig::new("The largest eigenvalue over its threshold")
    };
    std::fs::write(RATIOS, curves_with(&series, &config)?.png()?)?;
    Ok([SHARPNESS, RATIOS])
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let values: Vec<f64> = values.collect();
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_is_that_of_500_steps_from_the_first_crossing() {
        let steps: Vec<f64> = (0..8).map(|k| 100.0 * f64::from(k)).collect();
        let course = Course {
            ratios: vec![0.5, 1.0, 0.8, 1.2, 0.9, 1.1, 7.0, 7.0],
            steps,
            ..Course::default()
        };
        // Steps 100 to 500.
        assert_eq!(after_crossing(&course), Some((100.0, 1.0)));
        let below = Course {
            ratios: vec![0.5; 2],
            steps: vec![0.0, 100.0],
            ..Course::default()
        };
        assert_eq!(after_crossing(&below), None);
    }
}
