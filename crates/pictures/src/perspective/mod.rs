//! Surfaces in perspective.

mod config;
mod mesh;
mod view;
mod walls;

pub use config::{Camera, PerspectiveConfig};

use crate::axis::{Axis, Ticks};
use crate::color::{BLACK, WHITE, viridis};
use crate::contour::{NamedField, columns, write_panel_head};
use crate::drawing::geometry::{Point, Rect};
use crate::drawing::{Drawing, Ends, Path};
use crate::field::level::isolines;
use crate::field::{Field, UnitField, coordinate_axis};
use crate::layout::{Bar, Entry, Legend, MARGIN, Mark, head_height, pixels, unit, write_head};
use crate::number::significant;
use crate::theme::mixed;
use crate::{Error, Picture, Theme};
use mesh::Mesh;
use view::View;
use walls::Walls;

/// Draws a surface in perspective, with the usual settings of [`perspective_with`].
///
/// # Errors
/// As [`perspective_with`].
///
/// # Examples
/// ```
/// use pictures::perspective;
///
/// let axis = [-1.0, 0.0, 1.0];
/// let values: Vec<f64> = axis
///     .iter()
///     .flat_map(|x: &f64| axis.map(|y| x * x + y * y))
///     .collect();
/// let picture = perspective((&axis[..], &axis[..], &values[..]), "A bowl")?;
/// assert_eq!((picture.width(), picture.height()), (640, 480));
/// # Ok::<(), pictures::Error>(())
/// ```
pub fn perspective<'a>(
    field: impl Into<Field<'a>>,
    title: impl Into<String>,
) -> Result<Picture, Error> {
    perspective_with(field, &PerspectiveConfig::new(title))
}

/// Draws a surface in perspective: in a box with ticks and grid on its far walls, coloured by its
/// values (viridis) and shaded by its slope, with thin lines along both directions and contour
/// lines on the floor.
///
/// Between the grid points values are interpolated, in the logarithm when the scale is
/// logarithmic. Of more than 101 points along a direction some are left out. The cells around a
/// value that is not finite are left open, the floor below them is hatched, and the legend counts
/// such values. What lies behind other parts of the surface is hidden.
///
/// # Errors
/// When a length does not match, coordinates are not finite and increasing, the scale is
/// [`AxisScale::Log`](crate::AxisScale::Log) and a finite value is not positive, the camera is out
/// of range, all values lie above [`clip`](PerspectiveConfig::clip), or the picture's size is out
/// of range.
pub fn perspective_with<'a>(
    field: impl Into<Field<'a>>,
    config: &PerspectiveConfig,
) -> Result<Picture, Error> {
    let field = field.into();
    field.check("")?;
    config.check()?;
    let values = value_axis(&[field], config)?;
    let mut drawing = Drawing::new(config.width, config.height, config.theme)?;
    let bounds = drawing.bounds();
    let unit = unit(bounds);
    let bar = values.map(|axis| Bar::new(0.7 * bounds.height(), unit, axis, config.levels));
    let legend = Legend::arrange(
        &legend(&[field], config),
        bounds.width() - 30.0 * unit,
        unit,
    );
    let top = write_head(&mut drawing, &config.title, &legend, unit) + 10.0 * unit;
    let margin = MARGIN * unit;
    let room = Rect {
        left: margin,
        top,
        right: bounds.right - bar.as_ref().map_or(margin, |bar| bar.room + 26.0 * unit),
        bottom: bounds.bottom - margin,
    };
    let scene = Scene {
        field,
        values,
        levels: bar.as_ref().map_or(&[][..], |bar| &bar.ticks.at),
        names: [&config.a_label, &config.b_label, &config.value_label],
    };
    scene.draw(&mut drawing, room, unit, config);
    if let Some(bar) = &bar {
        let beside = Rect {
            top: top + 24.0 * unit,
            bottom: bounds.bottom - 60.0 * unit,
            ..room
        };
        bar.draw(&mut drawing, beside, unit, &config.value_label);
    }
    Ok(Picture::of(drawing, &config.title))
}

/// Draws several surfaces in perspective side by side, with the usual settings of
/// [`perspectives_with`].
///
/// # Errors
/// As [`perspectives_with`].
///
/// # Examples
/// ```
/// use pictures::{NamedField, perspectives};
///
/// let axis = [-1.0, 0.0, 1.0];
/// let bowl = |height: f64| {
///     axis.iter()
///         .flat_map(|x: &f64| axis.map(|y| height * (x * x + y * y)))
///         .collect::<Vec<f64>>()
/// };
/// let (sgd, sam) = (bowl(2.0), bowl(1.0));
/// let panels = [("sgd", &sgd), ("sam", &sam)];
/// let panels = panels.map(|(name, loss)| NamedField {
///     name,
///     field: (&axis[..], &axis[..], &loss[..]).into(),
/// });
/// let picture = perspectives(&panels, "Loss around the minima")?;
/// assert!(picture.width() > picture.height());
/// # Ok::<(), pictures::Error>(())
/// ```
pub fn perspectives(panels: &[NamedField<'_>], title: impl Into<String>) -> Result<Picture, Error> {
    perspectives_with(panels, &PerspectiveConfig::several(title))
}

/// Draws several surfaces in perspective side by side, in rows of at most four: one scale of
/// heights and of colours, one camera, one colour bar. Above each stand its name and its smallest
/// and largest finite value.
///
/// # Errors
/// When there is no surface, and as [`perspective_with`] for each of them; the message names the
/// surface.
pub fn perspectives_with(
    panels: &[NamedField<'_>],
    config: &PerspectiveConfig,
) -> Result<Picture, Error> {
    if panels.is_empty() {
        return Err(Error::Empty {
            what: "the list of surfaces".into(),
        });
    }
    for panel in panels {
        panel.field.check(&format!(" of {:?}", panel.name))?;
    }
    config.check()?;
    let fields: Vec<Field<'_>> = panels.iter().map(|panel| panel.field).collect();
    let values = value_axis(&fields, config)?;

    let columns = columns(panels.len());
    let rows = panels.len().div_ceil(columns);
    let (width, height) = (f64::from(config.width), f64::from(config.height));
    // Lettering grows with the picture, more slowly when there are many panels.
    let unit =
        1.3 * unit(Rect::of_size(width, height)) * [0.8, 1.0, 1.05, 1.1][columns.clamp(1, 4) - 1];
    let (head, gap) = (90.0 * unit, 20.0 * unit);
    let area_height = rows as f64 * (head + height);
    let bar = values.map(|axis| Bar::new(0.8 * area_height, unit, axis, config.levels));
    let margin = MARGIN * unit;
    let room = bar.as_ref().map_or(margin, |bar| bar.room);
    let all = margin + columns as f64 * (width + gap) + room;
    let legend = Legend::arrange(&legend(&fields, config), all - 30.0 * unit, unit);
    let top = head_height(&config.title, &legend, unit);
    let mut drawing = Drawing::new(
        pixels(all),
        pixels(top + area_height + margin),
        config.theme,
    )?;
    write_head(&mut drawing, &config.title, &legend, unit);

    let levels = bar.as_ref().map_or(&[][..], |bar| &bar.ticks.at);
    for (index, panel) in panels.iter().enumerate() {
        let left = (margin + (index % columns) as f64 * (width + gap)).round();
        let top = (top + head + (index / columns) as f64 * (head + height)).round();
        let plot = Rect {
            left,
            top,
            right: left + width,
            bottom: top + height,
        };
        let scene = Scene {
            field: panel.field,
            values,
            levels,
            names: [&config.a_label, &config.b_label, ""],
        };
        scene.draw(&mut drawing, plot, unit, config);
        write_panel_head(&mut drawing, panel, plot, unit);
    }
    if let Some(bar) = &bar {
        let beside = Rect {
            left: 0.0,
            top: top + head,
            right: all - room,
            bottom: top + area_height - 30.0 * unit,
        };
        bar.draw(&mut drawing, beside, unit, &config.value_label);
    }
    Ok(Picture::of(drawing, &config.title))
}

/// Returns the axis of heights and colours, up to where the surfaces are cut.
fn value_axis(fields: &[Field<'_>], config: &PerspectiveConfig) -> Result<Option<Axis>, Error> {
    let values = || fields.iter().flat_map(|field| field.values.iter().copied());
    let clip = config.clip.unwrap_or(f64::INFINITY);
    let axis = Axis::of(values().filter(|v| *v <= clip), config.scale).map_err(|value| {
        Error::NotPositive {
            what: "the surface".into(),
            value,
        }
    })?;
    let is_cut = values().any(|v| v > clip && v.is_finite());
    match axis {
        None if is_cut => Err(Error::Setting {
            name: "the largest value drawn",
            value: clip,
            allowed: "all values lie above it, choose a larger one",
        }),
        Some(axis) if is_cut => Ok(Some(Axis { high: clip, ..axis })),
        axis => Ok(axis),
    }
}

fn legend(fields: &[Field<'_>], config: &PerspectiveConfig) -> Vec<Entry> {
    let values = || fields.iter().flat_map(|field| field.values.iter().copied());
    let mut legend = Vec::new();
    if let Some(clip) = config.clip {
        let above = values().filter(|v| *v > clip && v.is_finite()).count();
        if above > 0 {
            let text = format!(
                "cut off above {}: {above} of {} points",
                significant(clip, 4),
                values().count()
            );
            legend.push(Entry::new(Mark::Cut, text));
        }
    }
    legend.extend(Entry::not_finite(
        fields.iter().flat_map(|field| field.values),
    ));
    legend
}

/// A surface in its box.
struct Scene<'a> {
    field: Field<'a>,
    values: Option<Axis>,
    levels: &'a [f64],
    names: [&'a str; 3],
}

/// The height in the box of the least value above the floor, where there are contour lines.
const LIFT: f64 = 0.28;

impl Scene<'_> {
    /// Draws everything into `room`.
    fn draw(&self, drawing: &mut Drawing, room: Rect, unit: f64, config: &PerspectiveConfig) {
        let values = self.values.unwrap_or(Axis::UNIT);
        let axes = [
            coordinate_axis(self.field.a),
            coordinate_axis(self.field.b),
            values,
        ];
        let low = if config.floor { LIFT } else { 0.0 };
        let walls = Walls {
            axes,
            ticks: [
                axes[0].ticks(4),
                axes[1].ticks(4),
                if self.values.is_some() {
                    values.ticks(4)
                } else {
                    Ticks::default()
                },
            ],
            names: self.names,
            low,
            unit,
        };
        let mut view = View::new(config.camera);
        walls.fit(&mut view, room);
        walls.draw(drawing, &view);
        let units = UnitField::new(&self.field, axes[0], axes[1], values);
        self.floor(drawing, &view, &units, values, (unit, config));
        let mesh = Mesh::new(&units, low, config.mesh);
        mesh.draw(drawing, &view, unit);
        walls.write(drawing, &view);
    }

    /// Draws what lies on the floor: hatching where there is no value, and contour lines.
    fn floor(
        &self,
        drawing: &mut Drawing,
        view: &View,
        units: &UnitField,
        values: Axis,
        (unit, config): (f64, &PerspectiveConfig),
    ) {
        let on_floor = |(u, v): Point| view.pixel([2.0 * u - 1.0, 2.0 * v - 1.0, 0.0]);
        for (i, j) in units.squares().filter(|square| !units.is_whole(*square)) {
            let corners = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)];
            let mut path = Path::coarse();
            path.area(&corners.map(|corner| on_floor(units.point(corner))));
            drawing.hatch_area(path);
        }
        if !config.floor {
            return;
        }
        for level in self.levels {
            let level = values.unit(*level);
            let mut path = Path::coarse();
            for line in isolines(units, level) {
                let line: Vec<Point> = line.into_iter().map(on_floor).collect();
                path.line(&line);
            }
            // The light end of the map would be lost on white, and the dark end on black.
            let color = match config.theme {
                Theme::Light => mixed(viridis(level), BLACK, 0.8),
                Theme::Dark => mixed(viridis(level), WHITE, 0.75),
            };
            drawing.stroke(path, 3.0 * unit, color, Ends::Round);
        }
    }
}

#[cfg(test)]
mod tests;
