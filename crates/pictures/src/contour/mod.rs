//! Surfaces as filled contours.

mod contours;
mod contours_config;
mod level_label;
mod named_field;
mod sheet;
mod surface;
mod track;

pub(crate) use contours::write_panel_head;
pub use contours::{contours, contours_with};
pub use contours_config::ContoursConfig;
pub use named_field::NamedField;
pub(crate) use sheet::columns;
pub use track::{MarkedPoint, Track};

use crate::axis::{Axis, AxisScale, Ticks};
use crate::drawing::Drawing;
use crate::field::{Field, coordinate_axis};
use crate::layout::{Bar, Entry, Frame, Mark, Names, unit};
use crate::number::significant;
use crate::{Error, Picture, Theme};
use surface::{MINIMUM, Over, draw_surface};
use track::{check_tracks, entries};

/// The settings of [`contour_with`].
///
/// ```
/// use pictures::{AxisScale, ContourConfig};
///
/// let config = ContourConfig {
///     scale: AxisScale::Linear,
///     levels: 6,
///     ..ContourConfig::new("A bowl")
/// };
/// assert_eq!(config.width, 640);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ContourConfig {
    /// The title.
    pub title: String,
    /// The name of the first direction, with its unit.
    pub a_label: String,
    /// The name of the second direction, with its unit.
    pub b_label: String,
    /// The name of the values, with their unit.
    pub value_label: String,
    /// The scale of the values; the label of the colour bar says which was used.
    pub scale: AxisScale,
    /// The values at both ends of the colours; none takes the smallest and the largest of the
    /// field. With the same limits several pictures have one scale. A value beyond them has the
    /// colour of the nearer end, and its own contour lines are left out.
    pub limits: Option<[f64; 2]>,
    /// The number of contour lines, about.
    pub levels: usize,
    /// Whether the lines carry their values, where there is room.
    pub labels: bool,
    /// Whether the point (0, 0) and the smallest value are marked.
    pub marks: bool,
    /// Paths over the surface, such as the training's.
    pub tracks: Vec<Track>,
    /// Points with names over the surface; those outside are left out.
    pub points: Vec<MarkedPoint>,
    /// The ground and the lettering.
    pub theme: Theme,
    /// The width in pixels.
    pub width: u32,
    /// The height in pixels.
    pub height: u32,
}

impl ContourConfig {
    /// Returns the usual settings: a loss along two directions, the scale that suits the values, 10
    /// contour lines with their values, 640 x 480 pixels.
    #[must_use]
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            a_label: "multiples of direction 1".into(),
            b_label: "multiples of direction 2".into(),
            value_label: "loss".into(),
            scale: AxisScale::Auto,
            limits: None,
            levels: 10,
            labels: true,
            marks: true,
            tracks: Vec::new(),
            points: Vec::new(),
            theme: Theme::Light,
            width: 640,
            height: 480,
        }
    }
}

/// Draws a surface, with the usual settings of [`contour_with`].
///
/// # Errors
/// As [`contour_with`].
///
/// # Examples
/// ```
/// use pictures::contour;
///
/// let (a, b) = ([-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0, 4.0]);
/// let values: Vec<f64> = a
///     .iter()
///     .flat_map(|x: &f64| b.iter().map(move |y: &f64| x * x + y * y))
///     .collect();
/// let picture = contour((&a[..], &b[..], &values[..]), "A bowl")?;
/// assert_eq!((picture.width(), picture.height()), (640, 480));
/// # Ok::<(), pictures::Error>(())
/// ```
pub fn contour<'a>(
    field: impl Into<Field<'a>>,
    title: impl Into<String>,
) -> Result<Picture, Error> {
    contour_with(field, &ContourConfig::new(title))
}

/// Draws a surface: filled contours (viridis) with lines at the ticks of the colour bar, the point
/// (0, 0) and the smallest value marked.
///
/// Between the grid points colours are interpolated, in the logarithm when the scale is
/// logarithmic. A value that is not finite is hatched in grey over the part of the picture that is
/// nearest to it, and the legend counts how many there are.
///
/// # Errors
/// When a length does not match, coordinates are not finite and increasing, the scale is
/// [`AxisScale::Log`] and a finite value is not positive, or the picture's size is out of range.
pub fn contour_with<'a>(
    field: impl Into<Field<'a>>,
    config: &ContourConfig,
) -> Result<Picture, Error> {
    draw(&field.into(), config).map(|(picture, _)| picture)
}

fn draw(field: &Field<'_>, config: &ContourConfig) -> Result<(Picture, Frame), Error> {
    field.check("")?;
    let values = colours(field, config).map_err(|value| Error::NotPositive {
        what: "the surface".into(),
        value,
    })?;
    let mut drawing = Drawing::new(config.width, config.height, config.theme)?;
    let bounds = drawing.bounds();
    let bar = values.map(|axis| Bar::new(0.7 * bounds.height(), unit(bounds), axis, config.levels));

    let (a, b) = (coordinate_axis(field.a), coordinate_axis(field.b));
    let names = Names {
        title: &config.title,
        x: &config.a_label,
        y: &config.b_label,
    };
    check_tracks(&config.tracks)?;
    let inside = |[x, y]: [f64; 2]| {
        let shares = [a.unit(x), b.unit(y)];
        shares
            .iter()
            .all(|share| (-1e-9..=1.0 + 1e-9).contains(share))
    };
    let mut legend = if config.marks {
        legend(field)
    } else {
        Vec::new()
    };
    legend.extend(entries(&config.tracks, inside));
    legend.extend(Entry::not_finite(field.values));
    let frame = Frame::lay_out(
        &mut drawing,
        names,
        &legend,
        a,
        b,
        bar.as_ref().map_or(0.0, |bar| bar.room),
    );

    let nothing = Ticks::default();
    let over = Over {
        ticks: bar.as_ref().map_or(&nothing, |bar| &bar.ticks),
        labels: config.labels,
        marks: config.marks,
        tracks: &config.tracks,
        points: &config.points,
    };
    draw_surface(&mut drawing, &frame, field, values, &over);
    if let Some(bar) = &bar {
        bar.draw(&mut drawing, frame.plot, frame.unit, &config.value_label);
    }
    Ok((Picture::of(drawing, &config.title), frame))
}

/// Returns the scale of the colours, or the value that has no place on it.
fn colours(field: &Field<'_>, config: &ContourConfig) -> Result<Option<Axis>, f64> {
    let values = || field.values.iter().copied();
    let Some(limits) = config.limits else {
        return Axis::of(values(), config.scale);
    };
    // A value that is not positive has no place on a logarithmic scale, whatever the limits.
    let least = values()
        .filter(|value| value.is_finite())
        .fold(f64::INFINITY, f64::min);
    let scale = match config.scale {
        AxisScale::Auto if least <= 0.0 => AxisScale::Linear,
        AxisScale::Log if least <= 0.0 => return Err(least),
        scale => scale,
    };
    Axis::of(limits.into_iter(), scale)
}

fn legend(field: &Field<'_>) -> Vec<Entry> {
    let mut legend = Vec::new();
    if field.holds_zero() {
        let value = field
            .center()
            .map_or_else(String::new, |value| format!(" {}", significant(value, 4)));
        legend.push(Entry::new(Mark::Center, format!("centre{value}")));
    }
    if let Some((a, b, value)) = field.minimum().filter(|_| field.varies()) {
        let text = format!(
            "minimum {} at ({}, {})",
            significant(value, 4),
            significant(a, 3),
            significant(b, 3)
        );
        legend.push(Entry::new(Mark::Minimum(MINIMUM), text));
    }
    legend
}

#[cfg(test)]
mod tests;
