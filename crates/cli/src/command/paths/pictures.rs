//! The pictures and numbers of paths.

use pictures::{
    ContourConfig, MarkedPoint, MatrixConfig, PathProfile, StackedConfig, Track, contour_with,
    matrix_with, path_profiles_with,
};
use probes::export::{Column, Samples};

use super::barriers::{matrix, names};
use super::connected::{Connected, Course, Plane};
use crate::command::slices::{capital, exported, file_name, picture_files, theme};
use crate::engine::measurement::NamedFile;
use crate::engine::slices::{Figure, MeasuredPath};

/// Returns the files: of each pair the loss and the accuracy along its paths, and their numbers; of
/// several pairs the matrix of the barriers; the plane of a curve.
///
/// # Errors
/// When a picture cannot be drawn.
pub(super) fn files(
    found: &[Connected<'_>],
    course: &Course<'_>,
) -> anyhow::Result<Vec<NamedFile>> {
    let mut files = Vec::new();
    let exports = course.shown.exports();
    for connected in found.iter().filter(|connected| !connected.paths.is_empty()) {
        let end = match found.len() {
            1 => String::new(),
            _ => {
                let [first, second] = connected.ends.map(|named| file_name(&named.name));
                let [a, b] = connected.places.map(|place| place + 1);
                format!("-{a}-{first}-to-{b}-{second}")
            }
        };
        files.extend(profiles(connected, &end, course)?);
        let numbers = samples(&connected.paths);
        files.extend(exported(&format!("profiles{end}"), &numbers, &exports)?);
        if let Some(plane) = &connected.plane {
            files.extend(plane_files(plane, connected, course)?);
            files.extend(exported("plane", &plane.sampled.samples(), &exports)?);
        }
    }
    if found.len() > 1 {
        files.extend(matrices(found, course)?);
    }
    Ok(files)
}

fn profiles(
    connected: &Connected<'_>,
    end: &str,
    course: &Course<'_>,
) -> anyhow::Result<Vec<NamedFile>> {
    let mut files = Vec::new();
    let first = &connected.paths[0];
    for (place, column) in first.columns.iter().enumerate() {
        if column.figure == Figure::Accuracy {
            continue;
        }
        let accuracy = first
            .columns
            .iter()
            .position(|other| other.split == column.split && other.figure == Figure::Accuracy);
        let drawn = connected.paths.iter().map(|path| PathProfile {
            name: &path.name,
            t: &path.t,
            loss: &path.values[place],
            accuracy: accuracy.map_or(&[], |accuracy| &path.values[accuracy]),
        });
        let [a, b] = connected.ends.map(|named| &named.name);
        let config = StackedConfig {
            x_label: format!("t, from {a} (0) to {b} (1)"),
            theme: theme(course.shown.theme),
            ..StackedConfig::path_profiles(format!("Along paths: {}", column.split.name()))
        };
        let picture = path_profiles_with(&drawn.collect::<Vec<_>>(), &config)?;
        files.extend(picture_files(&format!("{}{end}", column.key()), &picture)?);
    }
    Ok(files)
}

fn plane_files(
    plane: &Plane,
    connected: &Connected<'_>,
    course: &Course<'_>,
) -> anyhow::Result<Vec<NamedFile>> {
    let [a, b] = connected.ends.map(|named| named.name.clone());
    let sampled = &plane.sampled;
    let config = ContourConfig {
        a_label: format!("distance from {a}, towards {b}"),
        b_label: "distance across".to_owned(),
        value_label: "loss".to_owned(),
        theme: theme(course.shown.theme),
        tracks: vec![Track {
            name: "Bezier curve".to_owned(),
            points: plane.curve.clone(),
            steps: Vec::new(),
        }],
        points: [a, b, "bend".to_owned()]
            .into_iter()
            .zip(plane.models)
            .map(|(name, at)| MarkedPoint { name, at })
            .collect(),
        ..ContourConfig::new(format!(
            "{} on the plane of the curve",
            capital(&sampled.columns[0].name())
        ))
    };
    let picture = contour_with(sampled.field(0), &config)?;
    picture_files("plane", &picture)
}

/// Draws the matrix of the barriers of each path.
fn matrices(found: &[Connected<'_>], course: &Course<'_>) -> anyhow::Result<Vec<NamedFile>> {
    let points = &course.gathered.points;
    let models: Vec<&str> = points.iter().map(|named| &*named.name).collect();
    let mut files = Vec::new();
    for path in names(found) {
        let rows = matrix(found, path, points.len());
        let values: Vec<f64> = rows
            .iter()
            .flatten()
            .map(|cell| cell.unwrap_or(f64::NAN))
            .collect();
        let config = MatrixConfig {
            value_label: "barrier of the training loss".to_owned(),
            theme: theme(course.shown.theme),
            ..MatrixConfig::new(format!("Barriers of the {path}"))
        };
        let picture = matrix_with(&values, &models, &models, &config)?;
        files.extend(picture_files(
            &format!("barriers-{}", file_name(path)),
            &picture,
        )?);
    }
    Ok(files)
}

/// Returns all quantities along all paths, which have the same points.
fn samples(paths: &[MeasuredPath]) -> Samples {
    let axes = [Column::new("t", paths[0].t.clone())];
    let quantities = paths.iter().flat_map(|path| {
        let columns = path.columns.iter().zip(&path.values);
        columns.map(|(column, values)| (format!("{} {}", path.name, column.name()), values.clone()))
    });
    Samples::on_grid(axes, quantities)
}
