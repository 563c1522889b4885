//! The densities of several spectra in one frame.

use super::canvas::Canvas;
use super::color::{Style, WHITE, series};
use super::curves::FEW;
use super::density::{DensityConfig, Spectrum, density_axis, eigenvalue_axis, floor, points};
use super::frame::{Frame, Names};
use super::legend::{Entry, Mark};
use super::number::significant;
use super::picture::Picture;
use crate::Error;

/// A smoothed spectral density with the name of what it was measured on.
#[derive(Clone, Copy, Debug)]
pub struct NamedSpectrum<'a> {
    /// The name in the legend, such as that of the run.
    pub name: &'a str,
    /// `[n]` eigenvalues, finite and increasing. Each spectrum has a grid of its own.
    pub grid: &'a [f64],
    /// `[n]` densities at the grid, in one over the unit of the eigenvalues.
    pub density: &'a [f64],
    /// `[k]` Ritz values in any order; the extremes are marked as the smallest and largest eigenvalue found. May be empty.
    pub nodes: &'a [f64],
}

impl<'a> NamedSpectrum<'a> {
    fn spectrum(&self) -> Spectrum<'a> {
        Spectrum {
            grid: self.grid,
            density: self.density,
            nodes: self.nodes,
        }
    }
}

/// Draws several spectral densities over each other: one axis of eigenvalues that holds them all, one logarithmic axis of densities with a stated
/// floor, a curve for each spectrum, and its extreme Ritz values as pins that stand on the floor and are written in the legend.
///
/// The floor is [`DensityConfig::floor`] times the highest of all peaks.
///
/// # Errors
///
/// When there is no spectrum, and as [`density`](super::density()) for each of them; the message names the spectrum.
///
/// # Examples
///
/// ```
/// use probes::render::{DensityConfig, NamedSpectrum, densities};
///
/// let sgd = NamedSpectrum { name: "sgd", grid: &[0.0, 2.0, 4.0], density: &[1.0, 0.1, 0.01], nodes: &[-0.1, 4.0] };
/// let sam = NamedSpectrum { name: "sam", grid: &[0.0, 1.0, 2.0], density: &[2.0, 0.2, 0.01], nodes: &[0.0, 1.9] };
/// let picture = densities(&[sgd, sam], &DensityConfig::new("Spectral density".into()))?;
/// assert!(picture.png()?.len() > 1000);
/// # Ok::<(), probes::Error>(())
/// ```
pub fn densities(curves: &[NamedSpectrum<'_>], config: &DensityConfig) -> Result<Picture, Error> {
    draw(curves, config).map(|(picture, _)| picture)
}

fn draw(curves: &[NamedSpectrum<'_>], config: &DensityConfig) -> Result<(Picture, Frame), Error> {
    if curves.is_empty() {
        return Err(Error::Empty {
            what: "the list of spectra".into(),
        });
    }
    for curve in curves {
        curve
            .spectrum()
            .validate(&format!(" of {:?}", curve.name))?;
    }
    let peaks = curves.iter().map(|curve| curve.spectrum().peak());
    let peak = peaks.fold(0.0, f64::max);
    let floor = floor(peak, config)?;
    let eigenvalues = curves.iter().flat_map(|c| c.grid.iter().chain(c.nodes));
    let (x, y) = (
        eigenvalue_axis(eigenvalues.copied()),
        density_axis(peak, floor),
    );

    let mut canvas = Canvas::new(config.width, config.height, WHITE)?;
    let mut legend: Vec<Entry> = curves
        .iter()
        .enumerate()
        .map(|(index, curve)| entry(curve, series(index), curves.len() <= FEW))
        .collect();
    legend.extend(Entry::not_finite(
        curves.iter().map(|c| c.spectrum().missing()).sum(),
        curves.iter().map(|c| c.density.len()).sum(),
    ));
    let y_label = format!("density (log scale, floor {})", significant(floor, 2));
    let names = Names {
        title: &config.title,
        x: &config.x_label,
        y: &y_label,
    };
    let frame = Frame::lay_out(&mut canvas, names, &legend, x, y, 0.0)?;

    frame.grid(&mut canvas);
    // From the last to the first: what is listed first lies on top.
    for (index, curve) in curves.iter().enumerate().rev() {
        let style = series(index);
        let points = points(&frame, &curve.spectrum(), floor);
        canvas.line(&points, style, 6.0 * frame.unit, frame.unit, frame.plot);
        if let [point] = points[..] {
            canvas.disc(point, 6.0 * frame.unit, style.color, frame.plot);
        }
    }
    for (index, curve) in curves.iter().enumerate().rev() {
        if let Some((low, high)) = curve.spectrum().extremes() {
            pin(&mut canvas, &frame, low, index);
            pin(&mut canvas, &frame, high, index);
        }
    }
    frame.border(&mut canvas);
    Ok((canvas.into_picture(), frame))
}

fn entry(curve: &NamedSpectrum<'_>, style: Style, with_range: bool) -> Entry {
    let extremes = curve.spectrum().extremes().filter(|_| with_range);
    let range = extremes
        .map(|(low, high)| format!(": λ {} to {}", significant(low, 3), significant(high, 3)));
    let text = format!("{}{}", curve.name, range.unwrap_or_default());
    Entry::new(Mark::Line(style), text)
}

/// How high the pin of spectrum number `index` is, as a share of the plot: pins at one place stay apart.
fn pin_height(index: usize) -> f64 {
    0.08 + 0.05 * (index % 6) as f64
}

/// Marks an eigenvalue by a stem from the floor with a head on top.
fn pin(canvas: &mut Canvas, frame: &Frame, eigenvalue: f64, index: usize) {
    let (unit, style) = (frame.unit, series(index));
    let (at, foot) = frame.place(frame.x.unit(eigenvalue), 0.0);
    let head = (at, foot - pin_height(index) * frame.plot.height());
    canvas.stroke(&[[(at, foot), head]], 4.0 * unit, style.color, frame.plot);
    frame.mark(canvas, Mark::Minimum(style.color), head);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::render::geometry::Point;

    fn config() -> DensityConfig {
        DensityConfig::new("spectra".into())
    }

    #[expect(clippy::cast_possible_truncation, reason = "a pixel of the picture")]
    fn color((picture, _): &(Picture, Frame), (x, y): Point) -> [u8; 3] {
        picture.pixel(x as u32, y as u32).unwrap()
    }

    /// Two boxes: one from 0 to 4 as high as 1, one from 0 to 2 as high as 0.01.
    fn two() -> [NamedSpectrum<'static>; 2] {
        [
            NamedSpectrum {
                name: "wide",
                grid: &[0.0, 4.0],
                density: &[1.0, 1.0],
                nodes: &[-1.0, 3.0],
            },
            NamedSpectrum {
                name: "narrow",
                grid: &[0.0, 2.0],
                density: &[0.01, 0.01],
                nodes: &[1.5],
            },
        ]
    }

    #[test]
    fn all_spectra_share_both_axes() {
        let picture = draw(&two(), &config().with_floor(1e-4)).unwrap();
        let frame = &picture.1;
        // The axes hold the smallest and the largest of all grids and nodes, and the highest of all peaks.
        assert!(frame.x.low < -1.0 && frame.x.high > 4.0 && frame.x.high < 4.2);
        assert_eq!((frame.y.low, frame.y.high), (1e-4, 2.0));
        assert_eq!(color(&picture, frame.point(3.5, 1.0)), series(0).color);
        // The second is dashed, lies at its own height, and ends at the end of its grid.
        let drawn = |from: i32, to: i32| {
            (from..to).any(|k| {
                let at = frame.point(f64::from(k) / 100.0, 0.01);
                color(&picture, at) == series(1).color
            })
        };
        assert!(drawn(20, 140) && !drawn(210, 290) && !drawn(310, 400));
    }

    #[test]
    fn the_extreme_ritz_values_of_each_are_pinned_in_its_colour() {
        let picture = draw(&two(), &config().with_floor(1e-4)).unwrap();
        let frame = &picture.1;
        for (eigenvalue, index) in [(-1.0, 0), (3.0, 0), (1.5, 1)] {
            let stem = frame.place(frame.x.unit(eigenvalue), pin_height(index) / 2.0);
            assert_eq!(color(&picture, stem), series(index).color);
        }
        let (x, y) = frame.place(frame.x.unit(0.7), pin_height(0) / 2.0);
        assert_eq!(color(&picture, (x, y)), WHITE);
        let text = |curve: &NamedSpectrum<'_>| entry(curve, series(0), true).text;
        assert_eq!(text(&two()[0]), "wide: λ −1 to 3");
        let bare = NamedSpectrum {
            nodes: &[],
            ..two()[0]
        };
        assert_eq!(text(&bare), "wide");
    }

    #[test]
    fn mistakes_are_errors_that_name_the_spectrum() {
        assert!(matches!(
            densities(&[], &config()),
            Err(Error::Empty { .. })
        ));
        let mut curves = two();
        curves[1].density = &[0.0, f64::NAN];
        let message = densities(&curves, &config()).unwrap_err().to_string();
        assert!(message.contains("narrow"), "{message}");
        curves[1].density = &[1.0];
        let message = densities(&curves, &config()).unwrap_err().to_string();
        assert!(
            message.contains("narrow") && message.contains("has 1 values but 2"),
            "{message}"
        );
        assert!(densities(&two(), &config().with_floor(1.0)).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn any_densities_give_a_picture_or_an_error(
            values in prop::collection::vec(prop_oneof![prop::num::f64::ANY, 1e-3..1e3_f64], 1..6),
            nodes in prop::collection::vec(prop::num::f64::NORMAL, 0..4),
            name in "\\PC{0,80}",
            count in 1_usize..16,
        ) {
            let grid: Vec<f64> = (0..values.len()).map(|i| i as f64).collect();
            let one = NamedSpectrum { name: &name, grid: &grid, density: &values, nodes: &nodes };
            let drawable = one.spectrum().validate("").is_ok();
            prop_assert_eq!(densities(&vec![one; count], &config()).is_ok(), drawable);
        }
    }
}
