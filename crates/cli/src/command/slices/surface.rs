//! Planes: how they are made, and their pictures.

use pictures::{ContourConfig, ContoursConfig, NamedField, Picture, contour_with, contours_with};

use super::course::{Course, Shape, Target};
use super::files::{file_name, picture_files};
use super::sampled::Sampled;
use crate::command::points::Named;
use crate::engine::measurement::NamedFile;
use crate::engine::slices::{Figure, Place, SliceSettings, Sliced};
use crate::engine::watch::Watch;

/// The most surfaces in one picture.
const SURFACES: usize = 12;

/// Planes.
pub(crate) struct Surfaces;

impl Shape<2> for Surfaces {
    const WORK: &'static str = "surface";
    const TITLE: &'static str = "Surface";

    fn prepare<'m>(
        &self,
        models: &[&'m Named],
        settings: &SliceSettings,
        watch: &Watch,
    ) -> anyhow::Result<Box<dyn Sliced<2> + 'm>> {
        let others: Vec<_> = models[1..].iter().map(|named| &*named.point).collect();
        models[0].point.plane(&others, settings, watch)
    }

    fn pictures(
        &self,
        found: &[(&Target<'_>, &Sampled<2>)],
        course: &Course<'_>,
    ) -> anyhow::Result<Vec<NamedFile>> {
        let mut files = Vec::new();
        let Some((_, first)) = found.first() else {
            return Ok(files);
        };
        for (place, column) in first.columns.iter().enumerate() {
            let key = column.key();
            for (number, (target, sampled)) in (1..).zip(found) {
                let stem = match found.len() {
                    1 => key.clone(),
                    _ => format!("{key}-{number}-{}", file_name(&target.name)),
                };
                let title = match found.len() {
                    1 => title(&column.name(), &target.name),
                    _ => target.name.clone(),
                };
                let picture = contour(sampled, place, title, course)?;
                files.extend(picture_files(&stem, &picture)?);
            }
            if found.len() > 1 {
                let drawn = &found[..found.len().min(SURFACES)];
                let picture = contours(drawn, place, &column.name(), course)?;
                files.extend(picture_files(&key, &picture)?);
            }
        }
        Ok(files)
    }
}

fn title(quantity: &str, name: &str) -> String {
    let mut quantity = quantity.to_owned();
    if let Some(first) = quantity.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    format!("{quantity} around {name}")
}

fn contour(
    sampled: &Sampled<2>,
    place: usize,
    title: String,
    course: &Course<'_>,
) -> anyhow::Result<Picture> {
    let column = sampled.columns[place];
    let [a_label, b_label] = labels(course);
    let config = ContourConfig {
        a_label,
        b_label,
        value_label: value_label(column.figure),
        ..ContourConfig::new(title)
    };
    let [a, b] = &sampled.axes;
    Ok(contour_with(
        (&a[..], &b[..], &sampled.values[place][..]),
        &config,
    )?)
}

fn contours(
    found: &[(&Target<'_>, &Sampled<2>)],
    place: usize,
    name: &str,
    course: &Course<'_>,
) -> anyhow::Result<Picture> {
    let panels: Vec<NamedField<'_>> = found
        .iter()
        .map(|(target, sampled)| NamedField {
            name: &target.name,
            field: (
                &sampled.axes[0][..],
                &sampled.axes[1][..],
                &sampled.values[place][..],
            )
                .into(),
        })
        .collect();
    let [a_label, b_label] = labels(course);
    let mut title = format!("{name} on one scale");
    if let Some(first) = title.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    let config = ContoursConfig {
        a_label,
        b_label,
        value_label: value_label(found[0].1.columns[place].figure),
        ..ContoursConfig::new(title)
    };
    Ok(contours_with(&panels, &config)?)
}

fn value_label(figure: Figure) -> String {
    figure.name().to_owned()
}

/// Returns the names of the axes.
pub(super) fn labels(course: &Course<'_>) -> [String; 2] {
    match &course.settings.place {
        Place::Along { .. } => [1, 2].map(|number| format!("multiples of direction {number}")),
        Place::Through { .. } => {
            let names: Vec<&str> = course.gathered.points.iter().map(|n| &*n.name).collect();
            [1, 2].map(|number| format!("from {} (0) to {} (1)", names[0], names[number]))
        }
    }
}
