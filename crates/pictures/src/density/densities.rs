//! The densities of several spectra in one frame.

use super::{
    ONE_ERROR, Spectrum, SpectrumConfig, band, density_axis, eigenvalue_axis, floor, points,
};
use crate::color::Style;
use crate::curves::FEW;
use crate::drawing::{Drawing, Ends, Path};
use crate::layout::{Entry, Frame, Mark, Names};
use crate::number::significant;
use crate::{Error, Picture};

/// A smoothed spectral density and the name of what it was measured on.
#[derive(Debug, Clone, Copy)]
pub struct NamedSpectrum<'a> {
    /// The name in the legend, such as that of the run.
    pub name: &'a str,
    /// `[n]` eigenvalues, finite and increasing. Each spectrum has a grid of its own.
    pub grid: &'a [f64],
    /// `[n]` densities at the grid, in one over the unit of the eigenvalues.
    pub density: &'a [f64],
    /// `[k]` Ritz values in any order; the extremes are marked as the smallest and largest
    /// eigenvalue found. May be empty.
    pub nodes: &'a [f64],
    /// `[n]` standard errors of the densities, as in [`Spectrum`]. Empty for no band.
    pub standard_error: &'a [f64],
}

impl<'a> NamedSpectrum<'a> {
    fn spectrum(&self) -> Spectrum<'a> {
        Spectrum {
            grid: self.grid,
            density: self.density,
            nodes: self.nodes,
            standard_error: self.standard_error,
        }
    }
}

/// Draws several spectral densities over each other, with the usual settings of [`densities_with`].
///
/// # Errors
/// As [`densities_with`].
///
/// # Examples
/// ```
/// use pictures::{NamedSpectrum, densities};
///
/// let sgd = NamedSpectrum {
///     name: "sgd",
///     grid: &[0.0, 2.0, 4.0],
///     density: &[1.0, 0.1, 0.01],
///     nodes: &[-0.1, 4.0],
///     standard_error: &[],
/// };
/// let sam = NamedSpectrum {
///     name: "sam",
///     grid: &[0.0, 1.0, 2.0],
///     density: &[2.0, 0.2, 0.01],
///     nodes: &[0.0, 1.9],
///     standard_error: &[],
/// };
/// let picture = densities(&[sgd, sam], "Spectral density")?;
/// assert!(picture.svg().contains("sam: λ 0 to 1.9"));
/// # Ok::<(), pictures::Error>(())
/// ```
pub fn densities(curves: &[NamedSpectrum<'_>], title: impl Into<String>) -> Result<Picture, Error> {
    densities_with(curves, &SpectrumConfig::new(title))
}

/// Draws several spectral densities over each other: one axis of eigenvalues that holds them all,
/// one logarithmic axis of densities with a stated floor, a curve for each spectrum, a band of one
/// standard error on either side where there are standard errors, and its extreme Ritz values as
/// pins that stand on the floor and are written in the legend.
///
/// The floor is [`SpectrumConfig::floor`] times the highest of all peaks.
///
/// # Errors
/// When there is no spectrum, and as [`density_with`](super::density_with) for each of them; the
/// message names the spectrum.
pub fn densities_with(
    curves: &[NamedSpectrum<'_>],
    config: &SpectrumConfig,
) -> Result<Picture, Error> {
    draw(curves, config).map(|(picture, _)| picture)
}

fn draw(curves: &[NamedSpectrum<'_>], config: &SpectrumConfig) -> Result<(Picture, Frame), Error> {
    if curves.is_empty() {
        return Err(Error::Empty {
            what: "the list of spectra".into(),
        });
    }
    for curve in curves {
        curve.spectrum().check(&format!(" of {:?}", curve.name))?;
    }
    let peaks = curves.iter().map(|curve| curve.spectrum().peak());
    let peak = peaks.fold(0.0, f64::max);
    let floor = floor(peak, config)?;
    let eigenvalues = curves.iter().flat_map(|c| c.grid.iter().chain(c.nodes));
    let (x, y) = (
        eigenvalue_axis(eigenvalues.copied()),
        density_axis(peak, floor),
    );

    let mut drawing = Drawing::new(config.width, config.height, config.theme)?;
    let theme = config.theme;
    let mut legend: Vec<Entry> = curves
        .iter()
        .enumerate()
        .map(|(index, curve)| entry(curve, theme.series(index), curves.len() <= FEW))
        .collect();
    if curves.iter().any(|curve| !curve.standard_error.is_empty()) {
        legend.push(Entry::new(
            Mark::Area(theme.tone(theme.palette().muted, THIRD)),
            ONE_ERROR,
        ));
    }
    legend.extend(Entry::not_finite(curves.iter().flat_map(|c| c.density)));
    let y_label = format!("density (log scale, floor {})", significant(floor, 2));
    let names = Names {
        title: &config.title,
        x: &config.x_label,
        y: &y_label,
    };
    let frame = Frame::lay_out(&mut drawing, names, &legend, x, y, 0.0);

    frame.grid(&mut drawing);
    for (index, curve) in curves.iter().enumerate().rev() {
        let tone = theme.tone(theme.series(index).color, THIRD);
        band(&mut drawing, &frame, &curve.spectrum(), tone);
    }
    // From the last to the first: what is listed first lies on top.
    for (index, curve) in curves.iter().enumerate().rev() {
        let style = theme.series(index);
        let points = points(&frame, &curve.spectrum(), floor);
        drawing.line(&points, style, 6.0 * frame.unit, frame.unit);
        if let [point] = points[..] {
            drawing.disc(point, 6.0 * frame.unit, style.color);
        }
    }
    for (index, curve) in curves.iter().enumerate().rev() {
        if let Some((low, high)) = curve.spectrum().extremes() {
            pin(&mut drawing, &frame, low, index);
            pin(&mut drawing, &frame, high, index);
        }
    }
    frame.border(&mut drawing);
    Ok((Picture::of(drawing, &config.title), frame))
}

fn entry(curve: &NamedSpectrum<'_>, style: Style, with_range: bool) -> Entry {
    let extremes = curve.spectrum().extremes().filter(|_| with_range);
    let range = extremes
        .map(|(low, high)| format!(": λ {} to {}", significant(low, 3), significant(high, 3)));
    let text = format!("{}{}", curve.name, range.unwrap_or_default());
    Entry::new(Mark::Line(style), text)
}

/// The share of a colour in the tone of its band.
const THIRD: f64 = 1.0 / 3.0;

/// Returns the height of the pin of spectrum number `index`, as a share of the plot: pins at one
/// place stay apart.
fn pin_height(index: usize) -> f64 {
    0.08 + 0.05 * (index % 6) as f64
}

/// Marks an eigenvalue by a stem from the floor with a head on top.
fn pin(drawing: &mut Drawing, frame: &Frame, eigenvalue: f64, index: usize) {
    let (unit, style) = (frame.unit, drawing.theme().series(index));
    let (at, foot) = frame.place(frame.x.unit(eigenvalue), 0.0);
    let head = (at, foot - pin_height(index) * frame.plot.height());
    let mut stem = Path::new();
    stem.line(&[(at, foot), head]);
    drawing.stroke(stem, 4.0 * unit, style.color, Ends::Cut);
    frame.mark(drawing, Mark::Minimum(style.color), head);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Theme;
    use crate::color::WHITE;
    use crate::drawing::geometry::Point;
    use crate::drawing::tests::Pixels;

    fn with_floor(floor: f64) -> SpectrumConfig {
        SpectrumConfig {
            floor,
            ..SpectrumConfig::new("spectra")
        }
    }

    fn drawn(curves: &[NamedSpectrum<'_>]) -> (Pixels, Frame) {
        let (picture, frame) = draw(curves, &with_floor(1e-4)).unwrap();
        (Pixels::of(picture.svg()), frame)
    }

    fn color((pixels, _): &(Pixels, Frame), at: Point) -> [u8; 3] {
        pixels.at(at)
    }

    /// Two boxes: one from 0 to 4 as high as 1, one from 0 to 2 as high as 0.01.
    fn two() -> [NamedSpectrum<'static>; 2] {
        [
            NamedSpectrum {
                name: "wide",
                grid: &[0.0, 4.0],
                density: &[1.0, 1.0],
                nodes: &[-1.0, 3.0],
                standard_error: &[],
            },
            NamedSpectrum {
                name: "narrow",
                grid: &[0.0, 2.0],
                density: &[0.01, 0.01],
                nodes: &[1.5],
                standard_error: &[],
            },
        ]
    }

    #[test]
    fn all_spectra_share_both_axes() {
        let picture = drawn(&two());
        let frame = &picture.1;
        // The axes hold the smallest and the largest of all grids and nodes, and the highest of all
        // peaks.
        assert!(frame.x.low < -1.0 && frame.x.high > 4.0 && frame.x.high < 4.2);
        assert_eq!((frame.y.low, frame.y.high), (1e-4, 2.0));
        assert_eq!(
            color(&picture, frame.point(3.5, 1.0)),
            Theme::Light.series(0).color
        );
        // The second is dashed, lies at its own height, and ends at the end of its grid.
        let is_drawn = |from: i32, to: i32| {
            (from..to).any(|k| {
                let at = frame.point(f64::from(k) / 100.0, 0.01);
                color(&picture, at) == Theme::Light.series(1).color
            })
        };
        assert!(is_drawn(20, 140) && !is_drawn(210, 290) && !is_drawn(310, 400));
    }

    #[test]
    fn the_extreme_ritz_values_of_each_are_pinned_in_its_colour() {
        let picture = drawn(&two());
        let frame = &picture.1;
        for (eigenvalue, index) in [(-1.0, 0), (3.0, 0), (1.5, 1)] {
            let stem = frame.place(frame.x.unit(eigenvalue), pin_height(index) / 2.0);
            assert_eq!(color(&picture, stem), Theme::Light.series(index).color);
        }
        let (x, y) = frame.place(frame.x.unit(0.7), pin_height(0) / 2.0);
        assert_eq!(color(&picture, (x, y)), WHITE);
        let text = |curve: &NamedSpectrum<'_>| entry(curve, Theme::Light.series(0), true).text;
        assert_eq!(text(&two()[0]), "wide: λ −1 to 3");
        let bare = NamedSpectrum {
            nodes: &[],
            ..two()[0]
        };
        assert_eq!(text(&bare), "wide");
    }

    #[test]
    fn bands_lie_beside_their_curves() {
        let mut curves = two();
        curves[0].standard_error = &[0.9, 0.9];
        let picture = drawn(&curves);
        let frame = &picture.1;
        let tone = Theme::Light.tone(Theme::Light.series(0).color, THIRD);
        assert_eq!(color(&picture, frame.point(2.7, 0.3)), tone);
        assert_eq!(color(&picture, frame.point(2.7, 0.05)), WHITE);
    }

    #[test]
    fn mistakes_are_errors_that_name_the_spectrum() {
        assert!(matches!(densities(&[], "none"), Err(Error::Empty { .. })));
        let mut curves = two();
        curves[1].density = &[0.0, f64::NAN];
        let message = densities(&curves, "spectra").unwrap_err().to_string();
        assert!(message.contains("narrow"), "{message}");
        curves[1].density = &[1.0];
        let message = densities(&curves, "spectra").unwrap_err().to_string();
        assert!(
            message.contains("narrow") && message.contains("has 1 values but 2"),
            "{message}"
        );
        assert!(densities_with(&two(), &with_floor(1.0)).is_err());
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
            let one = NamedSpectrum { name: &name, grid: &grid, density: &values, nodes: &nodes, standard_error: &values };
            let has_peak = values.iter().any(|v| v.is_finite() && *v > 0.0);
            let drawn = densities(&vec![one; count], "any");
            prop_assert_eq!(drawn.is_ok(), has_peak);
            if let Ok(picture) = drawn {
                let read = Picture::from_svg(picture.svg()).unwrap();
                prop_assert_eq!((read.width(), read.height()), (640, 480));
            }
        }
    }
}
