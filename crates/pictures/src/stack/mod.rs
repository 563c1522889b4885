//! Plots above each other with one common axis.

mod path_profiles;

pub use path_profiles::{PathProfile, path_profiles, path_profiles_with};

use crate::axis::{Axis, AxisScale};
use crate::curves::{FEW, Series, draw_curve, hatch};
use crate::drawing::geometry::Rect;
use crate::drawing::{Drawing, font};
use crate::field::check_increasing;
use crate::layout::{
    Entry, Frame, Legend, MARGIN, Mark, NAME, Names, SMALL, fill_band, unit, write_head,
};
use crate::number::significant;
use crate::{Error, Picture, Theme};

/// One of several plots above each other.
#[derive(Debug, Clone, Copy)]
pub struct Panel<'a> {
    /// The name of the vertical axis, with its unit; "(log scale)" is added when the scale is
    /// logarithmic.
    pub y_label: &'a str,
    /// The vertical scale.
    pub scale: AxisScale,
    /// The curves. Those of one name have one colour in all plots.
    pub curves: &'a [Series<'a>],
    /// Areas behind the curves; each has the colour of the curve of its name.
    pub bands: &'a [Band<'a>],
}

/// The area between two curves, such as a mean and its standard deviation to either side.
#[derive(Debug, Clone, Copy)]
pub struct Band<'a> {
    /// The name of the curve that the band belongs to.
    pub name: &'a str,
    /// `[n]` coordinates, finite and increasing.
    pub x: &'a [f64],
    /// `[n]` lower values. The band is interrupted where a value is not finite.
    pub low: &'a [f64],
    /// `[n]` upper values.
    pub high: &'a [f64],
}

/// The settings of [`stacked_with`] and [`path_profiles_with`].
#[derive(Debug, Clone, PartialEq)]
pub struct StackedConfig {
    /// The title.
    pub title: String,
    /// The name of the common horizontal axis, with its unit.
    pub x_label: String,
    /// The place of a dashed upright line that marks the centre, if there is one.
    pub center: Option<f64>,
    /// The name of the bands in the legend.
    pub band_label: String,
    /// The ground and the lettering.
    pub theme: Theme,
    /// The width in pixels.
    pub width: u32,
    /// The height in pixels.
    pub height: u32,
}

impl StackedConfig {
    /// Returns the usual settings: values over multiples of a direction, the centre at 0, bands of
    /// one standard deviation, 640 x 480 pixels.
    #[must_use]
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            x_label: "multiples of the direction".into(),
            center: Some(0.0),
            band_label: "± 1 standard deviation".into(),
            theme: Theme::Light,
            width: 640,
            height: 480,
        }
    }

    /// Returns the usual settings of paths between two models: values over t.
    #[must_use]
    pub fn path_profiles(title: impl Into<String>) -> Self {
        Self {
            x_label: "t along the path".into(),
            center: None,
            ..Self::new(title)
        }
    }
}

/// Draws losses along a direction above accuracies, each on several splits or of several runs,
/// with the usual settings of [`stacked_with`]. The scale of the losses suits the values.
///
/// # Errors
/// As [`stacked_with`].
///
/// # Examples
/// ```
/// use pictures::{Series, loss_and_accuracy};
///
/// let x = [-1.0, 0.0, 1.0];
/// let series = |name, y| Series { name, x: &x, y };
/// let loss = [
///     series("train", &[2.0, 0.1, 1.5]),
///     series("test", &[2.1, 0.3, 1.8]),
/// ];
/// let accuracy = [
///     series("train", &[0.4, 1.0, 0.5]),
///     series("test", &[0.4, 0.9, 0.4]),
/// ];
/// let picture = loss_and_accuracy(&loss, &accuracy, "Along the first eigenvector")?;
/// assert!(picture.svg().contains("accuracy"));
/// # Ok::<(), pictures::Error>(())
/// ```
pub fn loss_and_accuracy(
    loss: &[Series<'_>],
    accuracy: &[Series<'_>],
    title: impl Into<String>,
) -> Result<Picture, Error> {
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
    stacked(&panels, title)
}

/// Draws plots above each other, with the usual settings of [`stacked_with`].
///
/// # Errors
/// As [`stacked_with`].
pub fn stacked(panels: &[Panel<'_>], title: impl Into<String>) -> Result<Picture, Error> {
    stacked_with(panels, &StackedConfig::new(title))
}

/// Draws plots above each other with one common horizontal axis and one legend. The first is half
/// as high again as the others.
///
/// # Errors
/// When there is no plot or one has no curve, a length does not match, coordinates are not finite
/// and increasing, a band has the name of no curve, the scale is [`AxisScale::Log`] and a finite
/// value is not positive, or the picture's size is out of range.
pub fn stacked_with(panels: &[Panel<'_>], config: &StackedConfig) -> Result<Picture, Error> {
    let (mut drawing, frames) = draw(panels, &[], config)?;
    for frame in &frames {
        frame.border(&mut drawing);
    }
    Ok(Picture::of(drawing, &config.title))
}

/// Draws everything but the borders.
fn draw(
    panels: &[Panel<'_>],
    more: &[Entry],
    config: &StackedConfig,
) -> Result<(Drawing, Vec<Frame>), Error> {
    if panels.is_empty() {
        return Err(Error::Empty {
            what: "the list of plots".into(),
        });
    }
    let names = names(panels)?;
    let all_x = panels.iter().flat_map(|panel| {
        let curves = panel.curves.iter().flat_map(|curve| curve.x);
        curves.chain(panel.bands.iter().flat_map(|band| band.x))
    });
    let x = Axis::linear(all_x.copied()).padded(0.02);
    let axes = panels
        .iter()
        .map(y_axis)
        .collect::<Result<Vec<Axis>, Error>>()?;

    let mut drawing = Drawing::new(config.width, config.height, config.theme)?;
    let theme = config.theme;
    let style = |name: &str| theme.series(names.iter().position(|n| *n == name).unwrap_or(0));
    let bounds = drawing.bounds();
    let unit = unit(bounds);
    let center = config.center.filter(|c| (x.low..=x.high).contains(c));
    let mut entries: Vec<Entry> = names
        .iter()
        .map(|name| Entry::new(Mark::Line(style(name)), *name))
        .collect();
    let muted = theme.palette().muted;
    if panels.iter().any(|panel| !panel.bands.is_empty()) {
        let tone = theme.tone(muted, SHARE);
        entries.push(Entry::new(Mark::Area(tone), &*config.band_label));
    }
    entries.extend_from_slice(more);
    entries.extend(center.map(|_| Entry::new(Mark::Dashes(muted), "centre")));
    let curves = panels.iter().flat_map(|panel| panel.curves);
    entries.extend(Entry::not_finite(curves.flat_map(|curve| curve.y)));
    let legend = Legend::arrange(&entries, bounds.width() - 30.0 * unit, unit);
    let top = write_head(&mut drawing, &config.title, &legend, unit) + 14.0 * unit;
    let frames = lay_out(&drawing, top, x, &axes);

    for (index, (panel, frame)) in panels.iter().zip(&frames).enumerate() {
        frame.grid(&mut drawing);
        for band in panel.bands {
            let tone = theme.tone(style(band.name).color, SHARE);
            fill_band(&mut drawing, frame, band.x, [band.low, band.high], tone);
        }
        for curve in panel.curves {
            hatch(&mut drawing, frame, curve);
        }
        if let Some(center) = center {
            frame.upright(&mut drawing, center, muted);
        }
        for curve in panel.curves.iter().rev() {
            let few = panel.curves.len() <= FEW && curve.x.len() <= MOST_DOTS;
            draw_curve(&mut drawing, frame, curve, style(curve.name), few);
        }
        let y_label = frame.y.named(panel.y_label);
        let is_last = index + 1 == panels.len();
        frame.write_y_labels(&mut drawing);
        if is_last {
            frame.write_x_labels(&mut drawing);
        }
        let names = Names {
            title: "",
            x: if is_last { &config.x_label } else { "" },
            y: &y_label,
        };
        frame.write_names(&mut drawing, names, frame.plot);
    }
    Ok((drawing, frames))
}

/// Checks the plots, and returns the names of their curves in the order in which they first occur.
fn names<'a>(panels: &[Panel<'a>]) -> Result<Vec<&'a str>, Error> {
    let mut names: Vec<&str> = Vec::new();
    for panel in panels {
        if panel.curves.is_empty() {
            return Err(Error::Empty {
                what: format!("the list of curves of {:?}", panel.y_label),
            });
        }
        for curve in panel.curves {
            curve.check()?;
            if !names.contains(&curve.name) {
                names.push(curve.name);
            }
        }
    }
    for band in panels.iter().flat_map(|panel| panel.bands) {
        check_increasing(
            &format!("the coordinates of the band {:?}", band.name),
            band.x,
        )?;
        for side in [band.low, band.high] {
            if side.len() != band.x.len() {
                return Err(Error::Length {
                    what: format!("the band {:?}", band.name),
                    found: side.len(),
                    expected: band.x.len(),
                });
            }
        }
        if !names.contains(&band.name) {
            return Err(Error::Name {
                what: "a band",
                name: band.name.into(),
            });
        }
    }
    Ok(names)
}

/// Returns the vertical axis of a plot. A band's lower side that is not positive does not keep the
/// scale from being logarithmic: the band is cut at the bottom.
fn y_axis(panel: &Panel<'_>) -> Result<Axis, Error> {
    let values = panel
        .curves
        .iter()
        .flat_map(|curve| curve.y.iter().copied());
    let axis = Axis::of(values, panel.scale).map_err(|value| Error::NotPositive {
        what: format!("a curve of {:?}", panel.y_label),
        value,
    })?;
    let axis = axis.unwrap_or(Axis::UNIT);
    let sides = panel
        .bands
        .iter()
        .flat_map(|band| band.low.iter().chain(band.high));
    let drawn = sides.filter(|v| v.is_finite() && (!axis.log || **v > 0.0));
    let mut whole = axis;
    for value in drawn {
        // On a logarithmic scale a band that reaches almost to zero would fill the axis.
        let least = if axis.log {
            axis.low / 10.0
        } else {
            f64::NEG_INFINITY
        };
        whole.low = whole.low.min(value.max(least));
        whole.high = whole.high.max(*value);
    }
    Ok(whole.padded(0.05))
}

/// Returns the frames from `top` down, each with its vertical axis.
fn lay_out(drawing: &Drawing, top: f64, x: Axis, axes: &[Axis]) -> Vec<Frame> {
    let bounds = drawing.bounds();
    let unit = unit(bounds);
    let (margin, small, gap) = (MARGIN * unit, SMALL * unit, 22.0 * unit);
    let bottom = bounds.bottom - margin - NAME * unit - (font::CAPITAL * small + 24.0 * unit);
    let shares: f64 = axes.len() as f64 + 0.5;
    let height = (bottom - top - gap * (axes.len() - 1) as f64) / shares;
    let mut plots = Vec::new();
    let mut from = top;
    for index in 0..axes.len() {
        let high = if index == 0 { 1.5 * height } else { height };
        plots.push(Rect {
            left: 0.0,
            right: bounds.right - 3.0 * margin,
            top: from.round(),
            bottom: (from + high).round(),
        });
        from += high + gap;
    }
    let frame = |plot: Rect, y: &Axis| Frame::around(plot, x, *y, unit);
    let frames = plots.iter().zip(axes).map(|(plot, y)| frame(*plot, y));
    let widest = frames.map(|f| f.widest_labels()[1]).fold(0.0, f64::max);
    let left = margin + NAME * unit + 8.0 * unit + widest + 14.0 * unit;
    let moved = plots.iter().map(|plot| Rect { left, ..*plot });
    moved.zip(axes).map(|(plot, y)| frame(plot, y)).collect()
}

/// The largest number of points of a curve that are shown as dots: fewer than in a single plot,
/// because these are lower.
const MOST_DOTS: usize = 25;
/// The share of a colour in the tone of its band.
const SHARE: f64 = 0.3;

/// Returns a number for the legend.
fn short(value: f64) -> String {
    significant(value, 3)
}

#[cfg(test)]
mod tests;
