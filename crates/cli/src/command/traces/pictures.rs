//! The pictures and numbers of a trajectory.

use pictures::{ContourConfig, Track, contour_with};
use probes::export::{Column, Samples};

use super::traced::{Course, Traced};
use crate::command::slices::{capital, exported, picture_files, theme};
use crate::engine::measurement::NamedFile;

/// Returns the files: the loss on the plane with the trajectory over it, and the numbers of both.
///
/// # Errors
/// When a picture cannot be drawn.
pub(super) fn files(traced: &Traced<'_>, course: &Course<'_>) -> anyhow::Result<Vec<NamedFile>> {
    let found = &traced.trajectory;
    let forms = course.shown.exports();
    let mut files = exported("checkpoints", &checkpoints(traced, course), &forms)?;
    let Some(sampled) = &traced.sampled else {
        return Ok(files);
    };
    files.extend(exported("values", &sampled.samples(), &forms)?);
    let label = |number: usize| {
        let share = 100.0 * found.explained[number - 1];
        format!("principal direction {number} ({share:.1} %)")
    };
    for (place, column) in sampled.columns.iter().enumerate() {
        let config = ContourConfig {
            a_label: label(1),
            b_label: label(2),
            value_label: column.figure.name().to_owned(),
            theme: theme(course.shown.theme),
            tracks: vec![track(traced, course)],
            ..ContourConfig::new(format!("{} over the trajectory", capital(&column.name())))
        };
        let picture = contour_with(sampled.field(place), &config)?;
        files.extend(picture_files(&column.key(), &picture)?);
    }
    Ok(files)
}

/// Returns the trajectory on the plane, with the steps.
fn track(traced: &Traced<'_>, course: &Course<'_>) -> Track {
    let at = traced.trajectory.checkpoints.iter();
    Track {
        name: "checkpoints, projected".to_owned(),
        points: at.map(|at| at.coordinates).collect(),
        steps: course.run.steps.iter().map(|step| *step as u64).collect(),
    }
}

/// Returns the checkpoints as joined points.
fn checkpoints(traced: &Traced<'_>, course: &Course<'_>) -> Samples {
    let found = &traced.trajectory;
    let along = |axis: usize| -> Vec<f64> {
        let at = found.checkpoints.iter();
        at.map(|at| at.coordinates[axis]).collect()
    };
    let steps = course.run.steps.iter().map(|step| *step as f64).collect();
    let mut quantities: Vec<(String, Vec<f64>)> = vec![
        ("step".to_owned(), steps),
        (
            "out_of_plane".to_owned(),
            found.checkpoints.iter().map(|at| at.out_of_plane).collect(),
        ),
        (
            "distance".to_owned(),
            found.checkpoints.iter().map(|at| at.distance).collect(),
        ),
    ];
    for (place, column) in found.columns.iter().enumerate() {
        let values = || found.values.iter();
        let name = column.name();
        quantities.push((
            name.clone(),
            values().map(|v| v.at_checkpoint[place]).collect(),
        ));
        let in_plane = values().map(|v| v.at_projection[place]).collect();
        quantities.push((format!("{name} in the plane"), in_plane));
    }
    Samples::joined(
        [Column::new("a", along(0)), Column::new("b", along(1))],
        quantities,
    )
}
