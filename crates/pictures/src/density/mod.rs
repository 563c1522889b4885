//! The density of a spectrum on a logarithmic scale.

mod densities;
mod log_density;

pub use densities::{NamedSpectrum, densities, densities_with};
pub use log_density::{LogSpectrum, log_density, log_density_with};

use crate::axis::Axis;
use crate::color::Color;
use crate::drawing::geometry::Point;
use crate::drawing::{Drawing, Ends, Path};
use crate::field::check_increasing;
use crate::layout::{Entry, Frame, Mark, Names, fill_band};
use crate::number::significant;
use crate::{Error, Picture, Theme};

/// A smoothed spectral density and the nodes it was smoothed from.
#[derive(Debug, Clone, Copy)]
pub struct Spectrum<'a> {
    /// `[n]` eigenvalues, finite and increasing.
    pub grid: &'a [f64],
    /// `[n]` densities at the grid, in one over the unit of the eigenvalues.
    pub density: &'a [f64],
    /// `[k]` Ritz values in any order; the extremes are annotated as the smallest and largest
    /// eigenvalue found. May be empty.
    pub nodes: &'a [f64],
    /// `[n]` standard errors of the densities, drawn as a band of one on either side of the curve;
    /// one that is infinite or NaN is not drawn. Empty for no band.
    pub standard_error: &'a [f64],
}

impl Spectrum<'_> {
    /// Checks lengths, coordinates, nodes, and that there is a density to draw. Messages end with
    /// `of`, such as ` of "sgd"`.
    fn check(&self, of: &str) -> Result<(), Error> {
        check_increasing(&format!("the grid of the density{of}"), self.grid)?;
        let (found, expected) = (self.density.len(), self.grid.len());
        if found != expected {
            let what = format!("the density{of}");
            return Err(Error::Length {
                what,
                found,
                expected,
            });
        }
        let errors = self.standard_error;
        if !errors.is_empty() && errors.len() != expected {
            return Err(Error::Length {
                what: format!("the standard error of the density{of}"),
                found: errors.len(),
                expected,
            });
        }
        let bad = self.nodes.iter().position(|v| !v.is_finite());
        if let Some(index) = bad {
            return Err(Error::NotIncreasing {
                what: format!("the nodes{of}"),
                index,
                value: self.nodes[index],
            });
        }
        if self.peak() <= 0.0 {
            return Err(Error::NotPositive {
                what: format!("the density{of}"),
                value: self.peak(),
            });
        }
        Ok(())
    }

    /// Returns the largest finite density, or 0.
    fn peak(&self) -> f64 {
        let finite = self.density.iter().copied().filter(|v| v.is_finite());
        finite.fold(0.0, f64::max)
    }

    /// Returns the smallest and the largest node.
    fn extremes(&self) -> Option<(f64, f64)> {
        let low = self.nodes.iter().copied().reduce(f64::min);
        low.zip(self.nodes.iter().copied().reduce(f64::max))
    }
}

/// Returns the lowest density drawn.
fn floor(peak: f64, config: &SpectrumConfig) -> Result<f64, Error> {
    let floor = config.floor;
    if floor > 0.0 && floor < 1.0 {
        Ok((peak * floor).max(f64::MIN_POSITIVE))
    } else {
        Err(Error::Floor { floor })
    }
}

/// Returns the logarithmic axis of densities. A third of a decade above the peak keeps the curve
/// off the border.
fn density_axis(peak: f64, floor: f64) -> Axis {
    Axis {
        low: floor,
        high: (2.0 * peak).min(f64::MAX).max(2.0 * floor),
        log: true,
    }
}

/// Returns the axis of eigenvalues, with some room at both ends.
fn eigenvalue_axis(values: impl Iterator<Item = f64>) -> Axis {
    Axis::linear(values).padded(0.02)
}

/// The settings of [`density_with`] and [`densities_with`].
#[derive(Debug, Clone, PartialEq)]
pub struct SpectrumConfig {
    /// The title.
    pub title: String,
    /// The name of the horizontal axis.
    pub x_label: String,
    /// The lowest density drawn, as a share of the peak. A smoothed density falls to nothing
    /// between the nodes, so a logarithmic axis needs a floor; the axis states it as a density.
    pub floor: f64,
    /// The ground and the lettering.
    pub theme: Theme,
    /// The width in pixels.
    pub width: u32,
    /// The height in pixels.
    pub height: u32,
}

impl SpectrumConfig {
    /// Returns the usual settings: the spectrum of a Hessian, a floor of a millionth of the peak,
    /// 640 x 480 pixels.
    #[must_use]
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            x_label: "eigenvalue of the Hessian".into(),
            floor: 1e-6,
            theme: Theme::Light,
            width: 640,
            height: 480,
        }
    }
}

/// Draws a spectral density, with the usual settings of [`density_with`].
///
/// # Errors
/// As [`density_with`].
///
/// # Examples
/// ```
/// use pictures::{Spectrum, density};
///
/// let spectrum = Spectrum {
///     grid: &[0.0, 1.0, 2.0],
///     density: &[1.0, 0.1, 0.01],
///     nodes: &[0.1, 1.9],
///     standard_error: &[],
/// };
/// assert!(
///     density(&spectrum, "Spectrum")?
///         .svg()
///         .contains("2 Ritz values")
/// );
/// # Ok::<(), pictures::Error>(())
/// ```
pub fn density(spectrum: &Spectrum<'_>, title: impl Into<String>) -> Result<Picture, Error> {
    density_with(spectrum, &SpectrumConfig::new(title))
}

/// Draws a spectral density: a filled curve on a logarithmic axis with a stated floor, a band of
/// one standard error on either side where there are standard errors, the Ritz values as strokes at
/// the bottom, and the extreme ones marked.
///
/// # Errors
/// When a length does not match, the grid is not finite and increasing, no density is finite and
/// positive, a node is not finite, the floor does not lie between 0 and 1, or the picture's size is
/// out of range.
pub fn density_with(spectrum: &Spectrum<'_>, config: &SpectrumConfig) -> Result<Picture, Error> {
    draw(spectrum, config).map(|(picture, _)| picture)
}

fn draw(spectrum: &Spectrum<'_>, config: &SpectrumConfig) -> Result<(Picture, Frame), Error> {
    spectrum.check("")?;
    let floor = floor(spectrum.peak(), config)?;
    let y = density_axis(spectrum.peak(), floor);
    let x = eigenvalue_axis(spectrum.grid.iter().chain(spectrum.nodes).copied());

    let mut drawing = Drawing::new(config.width, config.height, config.theme)?;
    let theme = config.theme;
    let curve = theme.series(0);
    let [stroke, high_color, low_color] = [1, 2, 3].map(|k| theme.series(k).color);
    let mut legend = Vec::new();
    let extremes = spectrum.extremes();
    if let Some((low, high)) = extremes {
        legend.push(Entry::new(
            Mark::Stroke(stroke),
            format!("{} Ritz values", spectrum.nodes.len()),
        ));
        legend.push(Entry::new(
            Mark::Dashes(low_color),
            format!("λ min {}", significant(low, 3)),
        ));
        legend.push(Entry::new(
            Mark::Dashes(high_color),
            format!("λ max {}", significant(high, 3)),
        ));
    }
    if !spectrum.standard_error.is_empty() {
        legend.push(Entry::new(
            Mark::Area(theme.palette().band),
            ONE_ERROR.to_owned(),
        ));
    }
    legend.extend(Entry::not_finite(spectrum.density));
    let y_label = format!("density (log scale, floor {})", significant(floor, 2));
    let names = Names {
        title: &config.title,
        x: &config.x_label,
        y: &y_label,
    };
    let frame = Frame::lay_out(&mut drawing, names, &legend, x, y, 0.0);

    frame.grid(&mut drawing);
    let points = points(&frame, spectrum, floor);
    fill_under(&mut drawing, &frame, &points);
    band(&mut drawing, &frame, spectrum, theme.palette().band);
    if let Some((low, high)) = extremes {
        frame.upright(&mut drawing, low, low_color);
        frame.upright(&mut drawing, high, high_color);
    }
    drawing.line(&points, curve, 5.5 * frame.unit, frame.unit);
    if let [point] = points[..] {
        drawing.disc(point, 6.0 * frame.unit, curve.color);
    }
    let mut strokes = Path::new();
    for node in spectrum.nodes {
        let (x, y) = frame.point(*node, floor);
        strokes.line(&[(x, y - 4.0 * frame.unit), (x, y - 24.0 * frame.unit)]);
    }
    drawing.stroke(strokes, 3.5 * frame.unit, stroke, Ends::Round);
    frame.border(&mut drawing);
    Ok((Picture::of(drawing, &config.title), frame))
}

/// Returns the points of the curve, none below the floor; what is not finite has no place.
fn points(frame: &Frame, spectrum: &Spectrum<'_>, floor: f64) -> Vec<Point> {
    spectrum
        .grid
        .iter()
        .zip(spectrum.density)
        .map(|(x, y)| frame.point(*x, if y.is_finite() { y.max(floor) } else { *y }))
        .collect()
}

/// The legend's text for the band.
const ONE_ERROR: &str = "± 1 standard error";

/// Fills the band of one standard error on either side of the curve, where it is known.
fn band(drawing: &mut Drawing, frame: &Frame, spectrum: &Spectrum<'_>, color: Color) {
    // Without standard errors there are no sides.
    let errors = || spectrum.density.iter().zip(spectrum.standard_error);
    let low: Vec<f64> = errors().map(|(density, error)| density - error).collect();
    let high: Vec<f64> = errors().map(|(density, error)| density + error).collect();
    let x = &spectrum.grid[..low.len()];
    fill_band(drawing, frame, x, [&low, &high], color);
}

/// Fills the area between the curve and the bottom of the plot with a light tone.
fn fill_under(drawing: &mut Drawing, frame: &Frame, points: &[Point]) {
    let bottom = frame.plot.bottom;
    let mut path = Path::new();
    for run in points.split(|(x, y)| !(x.is_finite() && y.is_finite())) {
        if let [(left, _), .., (right, _)] = run {
            let ends = [(*right, bottom), (*left, bottom)];
            path.area(&[run, &ends].concat());
        }
    }
    drawing.area(path, drawing.theme().palette().under);
}

#[cfg(test)]
mod tests;
