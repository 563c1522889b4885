//! The density of a spectrum on a logarithmic scale.

use burn::config::Config;

use super::axis::{Axis, Scale};
use super::canvas::Canvas;
use super::color::{WHITE, series};
use super::field::increasing;
use super::frame::{Frame, Names};
use super::geometry::{Point, Rect};
use super::legend::{Entry, Mark};
use super::number::significant;
use super::picture::Picture;
use crate::Error;

/// A smoothed spectral density with the nodes it was smoothed from.
#[derive(Clone, Copy, Debug)]
pub struct Spectrum<'a> {
    /// `[n]` eigenvalues, finite and increasing.
    pub grid: &'a [f64],
    /// `[n]` densities at the grid, in one over the unit of the eigenvalues.
    pub density: &'a [f64],
    /// `[k]` Ritz values in any order; the extremes are annotated as the smallest and largest eigenvalue found. May be empty.
    pub nodes: &'a [f64],
}

impl Spectrum<'_> {
    /// Checks lengths, coordinates, nodes, and that there is a density to draw. `of` is whose they are, for messages.
    pub(crate) fn validate(&self, of: &str) -> Result<(), Error> {
        increasing(&format!("the grid of the density{of}"), self.grid)?;
        let (found, expected) = (self.density.len(), self.grid.len());
        if found != expected {
            let what = format!("the density{of}");
            return Err(Error::Length {
                what,
                found,
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

    /// The largest finite density, or 0.
    pub(crate) fn peak(&self) -> f64 {
        let finite = self.density.iter().copied().filter(|v| v.is_finite());
        finite.fold(0.0, f64::max)
    }

    /// The smallest and the largest node.
    pub(crate) fn extremes(&self) -> Option<(f64, f64)> {
        let low = self.nodes.iter().copied().reduce(f64::min);
        low.zip(self.nodes.iter().copied().reduce(f64::max))
    }

    /// How many densities are not finite.
    pub(crate) fn missing(&self) -> usize {
        self.density.iter().filter(|v| !v.is_finite()).count()
    }
}

/// The lowest density drawn.
pub(crate) fn floor(peak: f64, config: &DensityConfig) -> Result<f64, Error> {
    if !(config.floor > 0.0 && config.floor < 1.0) {
        return Err(Error::NotPositive {
            what: "the floor, a share between 0 and 1,".into(),
            value: config.floor,
        });
    }
    Ok((peak * config.floor).max(f64::MIN_POSITIVE))
}

/// The logarithmic axis of densities. A third of a decade above the peak keeps the curve off the border.
pub(crate) fn density_axis(peak: f64, floor: f64) -> Axis {
    Axis {
        low: floor,
        high: (2.0 * peak).min(f64::MAX).max(2.0 * floor),
        log: true,
    }
}

/// The axis of eigenvalues, with some room at both ends.
pub(crate) fn eigenvalue_axis(values: impl Iterator<Item = f64>) -> Axis {
    let axis = Axis::of(values, Scale::Linear).ok().flatten();
    axis.expect("a linear axis takes any value, and a validated grid has a finite one")
        .padded(0.02)
}

/// How [`density`] draws.
#[derive(Config, Debug)]
pub struct DensityConfig {
    /// The title.
    pub title: String,
    /// The name of the horizontal axis.
    #[config(default = "String::from(\"eigenvalue of the Hessian\")")]
    pub x_label: String,
    /// The lowest density drawn, as a share of the peak. A smoothed density falls to nothing between the nodes, so a logarithmic axis needs a floor;
    /// the axis states it as a density.
    #[config(default = 1e-6)]
    pub floor: f64,
    /// Width in pixels.
    #[config(default = 640)]
    pub width: u32,
    /// Height in pixels.
    #[config(default = 480)]
    pub height: u32,
}

/// Draws a spectral density: a filled curve on a logarithmic axis with a stated floor, the Ritz values as strokes at the bottom, and the extreme ones marked.
///
/// # Errors
///
/// When a length does not match, the grid is not finite and increasing, no density is finite and positive, a node is not finite, the floor does not
/// lie between 0 and 1, or the picture's size is out of range.
pub fn density(spectrum: &Spectrum<'_>, config: &DensityConfig) -> Result<Picture, Error> {
    draw(spectrum, config).map(|(picture, _)| picture)
}

fn draw(spectrum: &Spectrum<'_>, config: &DensityConfig) -> Result<(Picture, Frame), Error> {
    spectrum.validate("")?;
    let floor = floor(spectrum.peak(), config)?;
    let y = density_axis(spectrum.peak(), floor);
    let x = eigenvalue_axis(spectrum.grid.iter().chain(spectrum.nodes).copied());

    let mut canvas = Canvas::new(config.width, config.height, WHITE)?;
    let (curve, stroke, low_color, high_color) =
        (series(0), series(1).color, series(3).color, series(2).color);
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
    legend.extend(Entry::not_finite(
        spectrum.missing(),
        spectrum.density.len(),
    ));
    let y_label = format!("density (log scale, floor {})", significant(floor, 2));
    let names = Names {
        title: &config.title,
        x: &config.x_label,
        y: &y_label,
    };
    let frame = Frame::lay_out(&mut canvas, names, &legend, x, y, 0.0)?;

    frame.grid(&mut canvas);
    let points = points(&frame, spectrum, floor);
    fill_under(&mut canvas, &frame, &points);
    if let Some((low, high)) = extremes {
        frame.upright(&mut canvas, low, low_color);
        frame.upright(&mut canvas, high, high_color);
    }
    canvas.line(&points, curve, 5.5 * frame.unit, frame.unit, frame.plot);
    if let [point] = points[..] {
        canvas.disc(point, 6.0 * frame.unit, curve.color, frame.plot);
    }
    let strokes: Vec<[Point; 2]> = spectrum
        .nodes
        .iter()
        .map(|node| frame.point(*node, floor))
        .map(|(x, y)| [(x, y - 4.0 * frame.unit), (x, y - 24.0 * frame.unit)])
        .collect();
    canvas.stroke(&strokes, 3.5 * frame.unit, stroke, frame.plot);
    frame.border(&mut canvas);
    Ok((canvas.into_picture(), frame))
}

/// The points of the curve, none below the floor; what is not finite has no place.
pub(super) fn points(frame: &Frame, spectrum: &Spectrum<'_>, floor: f64) -> Vec<Point> {
    spectrum
        .grid
        .iter()
        .zip(spectrum.density)
        .map(|(x, y)| frame.point(*x, if y.is_finite() { y.max(floor) } else { *y }))
        .collect()
}

/// Fills the area between the curve and the bottom of the plot with a light tone.
fn fill_under(canvas: &mut Canvas, frame: &Frame, points: &[Point]) {
    const TONE: [u8; 3] = [204, 226, 240];
    let plot = frame.plot;
    for pair in points.windows(2) {
        let [(x0, y0), (x1, y1)] = [pair[0], pair[1]];
        if !(y0.is_finite() && y1.is_finite() && x1 > x0) {
            continue;
        }
        // Column by column, so that the slope of the curve is followed.
        let mut x = (x0 - 0.5).ceil() + 0.5;
        while x < x1 {
            let top = (y0 + (x - x0) / (x1 - x0) * (y1 - y0)).max(plot.top);
            canvas.fill(
                Rect {
                    left: x - 0.5,
                    right: x + 0.5,
                    top,
                    bottom: plot.bottom,
                },
                TONE,
            );
            x += 1.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[expect(clippy::cast_possible_truncation, reason = "a pixel of the picture")]
    fn at((picture, frame): &(Picture, Frame), x: f64, y: f64) -> [u8; 3] {
        let (x, y) = frame.point(x, y);
        picture.pixel(x as u32, y as u32).unwrap()
    }

    #[test]
    fn density_is_filled_below_the_curve_and_white_above_it() {
        let spectrum = Spectrum {
            grid: &[0.0, 1.0, 2.0],
            density: &[1e-2, 1.0, 0.0],
            nodes: &[1.3],
        };
        let picture = draw(
            &spectrum,
            &DensityConfig::new("spectrum".into()).with_floor(1e-4),
        )
        .unwrap();
        assert_eq!(at(&picture, 1.0, 1.0), series(0).color);
        // Half-way between 1e-2 and 1 on a logarithmic axis lies 1e-1.
        assert_eq!(at(&picture, 0.5, 0.1), series(0).color);
        assert_eq!(at(&picture, 0.53, 0.04), [204, 226, 240]);
        assert_eq!(at(&picture, 0.53, 0.4), WHITE);
        assert_eq!(at(&picture, 1.3, 1.3e-4), series(1).color);
    }

    #[test]
    fn mistakes_are_errors() {
        let config = DensityConfig::new("spectrum".into());
        let draw = |density: &[f64], nodes: &[f64]| density_of(density, nodes, &config);
        assert!(matches!(
            draw(&[0.0, f64::NAN], &[]),
            Err(Error::NotPositive { .. })
        ));
        assert!(matches!(draw(&[1.0], &[]), Err(Error::Length { .. })));
        assert!(matches!(
            draw(&[1.0, 1.0], &[f64::NAN]),
            Err(Error::NotIncreasing { .. })
        ));
        assert!(density_of(&[1.0, 1.0], &[], &config.clone().with_floor(0.0)).is_err());
    }

    fn density_of(values: &[f64], nodes: &[f64], config: &DensityConfig) -> Result<Picture, Error> {
        density(
            &Spectrum {
                grid: &[0.0, 1.0],
                density: values,
                nodes,
            },
            config,
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn any_density_gives_a_picture_or_an_error(values in prop::collection::vec(prop::num::f64::ANY, 1..6), nodes in prop::collection::vec(prop::num::f64::NORMAL, 0..4)) {
            let grid: Vec<f64> = (0..values.len()).map(|i| i as f64).collect();
            let _ = density(&Spectrum { grid: &grid, density: &values, nodes: &nodes }, &DensityConfig::new("any".into()));
        }
    }
}
