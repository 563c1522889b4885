//! Planes: how they are made, and their pictures.

use pictures::{
    ContourConfig, ContoursConfig, MarkedPoint, NamedField, PerspectiveConfig, Picture,
    contour_with, contours_with, perspective_with, perspectives_with,
};

use super::course::Shape;
use super::files::{capital, file_name, picture_files, theme};
use super::measured::{Course, Target};
use super::sampled::Sampled;
use crate::command::points::Named;
use crate::engine::measurement::NamedFile;
use crate::engine::slices::{Adaptive, Figure, Place, SliceSettings};
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
    ) -> anyhow::Result<Box<dyn Adaptive<2> + 'm>> {
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
            let (key, name) = (column.key(), column.name());
            let drawn = Drawn {
                place,
                figure: column.figure,
                course,
            };
            for (number, (target, sampled)) in (1..).zip(found) {
                let (stem, title) = match found.len() {
                    1 => (
                        key.clone(),
                        format!("{} around {}", capital(&name), target.name),
                    ),
                    _ => (
                        format!("{key}-{number}-{}", file_name(&target.name)),
                        format!("{}: {}", capital(&name), target.name),
                    ),
                };
                files.extend(picture_files(&stem, &drawn.contour(sampled, &title)?)?);
                if column.figure == Figure::Loss {
                    let picture = drawn.perspective(sampled, &title)?;
                    files.extend(picture_files(&format!("{stem}-perspective"), &picture)?);
                }
            }
            if found.len() > 1 {
                let panels: Vec<NamedField<'_>> = found
                    .iter()
                    .take(SURFACES)
                    .map(|(target, sampled)| NamedField {
                        name: &target.name,
                        field: sampled.field(place),
                    })
                    .collect();
                let title = format!("{} on one scale", capital(&name));
                files.extend(picture_files(&key, &drawn.contours(&panels, &title)?)?);
                if column.figure == Figure::Loss {
                    let picture = drawn.perspectives(&panels, &title)?;
                    files.extend(picture_files(&format!("{key}-perspective"), &picture)?);
                }
            }
        }
        Ok(files)
    }
}

/// A quantity to be drawn.
struct Drawn<'a> {
    place: usize,
    figure: Figure,
    course: &'a Course<'a>,
}

impl Drawn<'_> {
    fn contour(&self, sampled: &Sampled<2>, title: &str) -> anyhow::Result<Picture> {
        let [a_label, b_label] = labels(self.course);
        let config = ContourConfig {
            a_label,
            b_label,
            value_label: self.figure.name().to_owned(),
            theme: theme(self.course.shown.theme),
            points: marked(self.course),
            ..ContourConfig::new(title)
        };
        Ok(contour_with(sampled.field(self.place), &config)?)
    }

    fn contours(&self, panels: &[NamedField<'_>], title: &str) -> anyhow::Result<Picture> {
        let [a_label, b_label] = labels(self.course);
        let config = ContoursConfig {
            a_label,
            b_label,
            value_label: self.figure.name().to_owned(),
            theme: theme(self.course.shown.theme),
            ..ContoursConfig::new(title)
        };
        Ok(contours_with(panels, &config)?)
    }

    fn perspective(&self, sampled: &Sampled<2>, title: &str) -> anyhow::Result<Picture> {
        let config = self.in_perspective(PerspectiveConfig::new(title));
        Ok(perspective_with(sampled.field(self.place), &config)?)
    }

    fn perspectives(&self, panels: &[NamedField<'_>], title: &str) -> anyhow::Result<Picture> {
        let config = self.in_perspective(PerspectiveConfig::several(title));
        Ok(perspectives_with(panels, &config)?)
    }

    fn in_perspective(&self, config: PerspectiveConfig) -> PerspectiveConfig {
        let [a_label, b_label] = labels(self.course);
        PerspectiveConfig {
            a_label,
            b_label,
            value_label: self.figure.name().to_owned(),
            theme: theme(self.course.shown.theme),
            ..config
        }
    }
}

/// Returns the models that span a plane, at their places.
fn marked(course: &Course<'_>) -> Vec<MarkedPoint> {
    let Place::Through { .. } = course.settings.place else {
        return Vec::new();
    };
    let places = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]];
    let models = course.gathered.points.iter().zip(places);
    let marked = models.map(|(named, at)| MarkedPoint {
        name: named.name.clone(),
        at,
    });
    marked.collect()
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
