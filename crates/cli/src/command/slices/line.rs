//! Lines: how they are made, and their pictures.

use pictures::{
    AxisScale, CurvesConfig, Panel, Picture, Series, StackedConfig, curves_with, stacked_with,
};

use super::course::Shape;
use super::files::{file_name, picture_files, theme};
use super::measured::{Course, Target};
use super::sampled::Sampled;
use crate::command::points::Named;
use crate::engine::measurement::NamedFile;
use crate::engine::slices::{Adaptive, Column, Figure, Place, SliceSettings};
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
    ) -> anyhow::Result<Box<dyn Adaptive<1> + 'm>> {
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
        // Of each model all splits in one frame.
        for (number, (target, sampled)) in (1..).zip(found) {
            let stem = match found.len() {
                1 => "line".to_owned(),
                _ => format!("line-{number}-{}", file_name(&target.name)),
            };
            let of = |figure| -> Vec<Series<'_>> {
                let places = sampled.of(figure).into_iter();
                let series = places.map(|place| Series {
                    name: sampled.columns[place].split.name(),
                    x: &sampled.axes[0],
                    y: &sampled.values[place],
                });
                series.collect()
            };
            let title = format!("Along a line through {}", target.name);
            let picture = draw(title, &of(Figure::Loss), &of(Figure::Accuracy), course)?;
            files.extend(picture_files(&stem, &picture)?);
        }
        if found.len() < 2 {
            return Ok(files);
        }
        // Of each split all models in one frame.
        for place in first.of(Figure::Loss) {
            let split = first.columns[place].split;
            let of = |figure| -> Vec<Series<'_>> {
                let drawn = found.iter().take(CURVES);
                let series = drawn.filter_map(|(target, sampled)| {
                    let place = sampled.place_of(Column { split, figure })?;
                    Some(Series {
                        name: &target.name,
                        x: &sampled.axes[0],
                        y: &sampled.values[place],
                    })
                });
                series.collect()
            };
            let title = format!("Along lines: {}", split.name());
            let picture = draw(title, &of(Figure::Loss), &of(Figure::Accuracy), course)?;
            files.extend(picture_files(&format!("line-{}", split.name()), &picture)?);
        }
        Ok(files)
    }
}

/// Draws losses, with the accuracies below where there are any.
fn draw(
    title: String,
    loss: &[Series<'_>],
    accuracy: &[Series<'_>],
    course: &Course<'_>,
) -> anyhow::Result<Picture> {
    if accuracy.is_empty() {
        return Ok(curves_with(loss, &config(title, course))?);
    }
    let panel = |y_label, scale, curves| Panel {
        y_label,
        scale,
        curves,
        bands: &[],
    };
    let panels = [
        panel("loss", AxisScale::Auto, loss),
        panel("accuracy", AxisScale::Linear, accuracy),
    ];
    let config = StackedConfig {
        x_label: x_label(course),
        center: Some(0.0),
        theme: theme(course.shown.theme),
        ..StackedConfig::new(title)
    };
    Ok(stacked_with(&panels, &config)?)
}

fn x_label(course: &Course<'_>) -> String {
    match &course.settings.place {
        Place::Along { .. } => "multiples of the direction".to_owned(),
        Place::Through { .. } => {
            let names: Vec<&str> = course.gathered.points.iter().map(|n| &*n.name).collect();
            format!("0: {}, 1: {}", names[0], names[names.len() - 1])
        }
    }
}

fn config(title: String, course: &Course<'_>) -> CurvesConfig {
    CurvesConfig {
        x_label: x_label(course),
        theme: theme(course.shown.theme),
        ..CurvesConfig::loss_line(title)
    }
}
