//! The pictures and numbers of paths.

use pictures::{CurvesConfig, Series, curves_with};
use probes::export::{Column, Samples};

use super::course::{Connected, Course};
use crate::command::slices::{capital, exported, file_name, picture_files, theme};
use crate::engine::measurement::NamedFile;
use crate::engine::slices::MeasuredPath;

/// Returns the files: of each pair the quantities along its paths, a picture for each, and the
/// numbers of all.
///
/// # Errors
/// When a picture cannot be drawn.
pub(super) fn files(
    found: &[Connected<'_>],
    course: &Course<'_>,
) -> anyhow::Result<Vec<NamedFile>> {
    let mut files = Vec::new();
    for connected in found.iter().filter(|connected| !connected.paths.is_empty()) {
        let end = match found.len() {
            1 => String::new(),
            _ => {
                let [first, second] = connected.ends.map(|named| file_name(&named.name));
                let [a, b] = connected.places.map(|place| place + 1);
                format!("-{a}-{first}-to-{b}-{second}")
            }
        };
        let first = &connected.paths[0];
        for (place, column) in first.columns.iter().enumerate() {
            let series: Vec<Series<'_>> = connected
                .paths
                .iter()
                .map(|path| Series {
                    name: &path.name,
                    x: &path.t,
                    y: &path.values[place],
                })
                .collect();
            let [a, b] = connected.ends.map(|named| &named.name);
            let config = CurvesConfig {
                x_label: format!("t, from {a} (0) to {b} (1)"),
                y_label: column.figure.name().to_owned(),
                minima: false,
                theme: theme(course.shown.theme),
                ..CurvesConfig::new(format!("{} along paths", capital(&column.name())))
            };
            let picture = curves_with(&series, &config)?;
            files.extend(picture_files(&format!("{}{end}", column.key()), &picture)?);
        }
        let numbers = samples(&connected.paths);
        files.extend(exported(&format!("profiles{end}"), &numbers, &course.shown.exports())?);
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
