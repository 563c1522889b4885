//! Lines: how they are made, and their pictures.

use pictures::{CurvesConfig, Series, curves_with};

use super::course::{Course, Shape, Target};
use super::files::{capital, file_name, picture_files, theme};
use super::sampled::Sampled;
use crate::command::points::Named;
use crate::engine::measurement::NamedFile;
use crate::engine::slices::{Figure, Place, SliceSettings, Sliced};
use crate::engine::watch::Watch;

/// The most curves in one frame; more would not be told apart.
const CURVES: usize = 12;

/// Lines.
pub(crate) struct Lines;

impl Shape<1> for Lines {
    const WORK: &'static str = "line";
    const TITLE: &'static str = "Line";

    fn prepare<'m>(
        &self,
        models: &[&'m Named],
        settings: &SliceSettings,
        watch: &Watch,
    ) -> anyhow::Result<Box<dyn Sliced<1> + 'm>> {
        let others: Vec<_> = models[1..].iter().map(|named| &*named.point).collect();
        models[0].point.line(&others, settings, watch)
    }

    fn pictures(
        &self,
        found: &[(&Target<'_>, &Sampled<1>)],
        course: &Course<'_>,
    ) -> anyhow::Result<Vec<NamedFile>> {
        let mut files = Vec::new();
        let Some((_, first)) = found.first() else {
            return Ok(files);
        };
        for figure in [Figure::Loss, Figure::Accuracy] {
            let places = first.of(figure);
            if places.is_empty() {
                continue;
            }
            // Of each model all splits in one frame, and of each split all models.
            for (number, (target, sampled)) in (1..).zip(found) {
                let stem = match found.len() {
                    1 => figure.name().to_owned(),
                    _ => format!("{}-{number}-{}", figure.name(), file_name(&target.name)),
                };
                let names: Vec<&str> = places
                    .iter()
                    .map(|place| sampled.columns[*place].split.name())
                    .collect();
                let series = places.iter().zip(&names).map(|(place, name)| Series {
                    name,
                    x: &sampled.axes[0],
                    y: &sampled.values[*place],
                });
                let title = format!("{} along a line: {}", capital(figure.name()), target.name);
                let series: Vec<Series<'_>> = series.collect();
                let picture = curves_with(&series, &config(title, figure, course))?;
                files.extend(picture_files(&stem, &picture)?);
            }
            if found.len() < 2 {
                continue;
            }
            for place in places {
                let column = first.columns[place];
                let drawn = found.iter().take(CURVES);
                let series: Vec<Series<'_>> = drawn
                    .map(|(target, sampled)| Series {
                        name: &target.name,
                        x: &sampled.axes[0],
                        y: &sampled.values[place],
                    })
                    .collect();
                let title = format!("{} along a line", capital(&column.name()));
                let picture = curves_with(&series, &config(title, figure, course))?;
                files.extend(picture_files(&column.key(), &picture)?);
            }
        }
        Ok(files)
    }
}

fn config(title: String, figure: Figure, course: &Course<'_>) -> CurvesConfig {
    let x_label = match &course.settings.place {
        Place::Along { .. } => "multiples of the direction".to_owned(),
        Place::Through { .. } => {
            let names: Vec<&str> = course.gathered.points.iter().map(|n| &*n.name).collect();
            format!("0: {}, 1: {}", names[0], names[names.len() - 1])
        }
    };
    CurvesConfig {
        x_label,
        y_label: figure.name().to_owned(),
        minima: figure == Figure::Loss,
        theme: theme(course.shown.theme),
        ..CurvesConfig::loss_line(title)
    }
}
