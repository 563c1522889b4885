//! The densities of spectra over the logarithm of the magnitude, for both signs.

use super::{ONE_ERROR, Spectrum, SpectrumConfig, band, density_axis, floor, points};
use crate::axis::{Axis, Ticks};
use crate::curves::FEW;
use crate::drawing::geometry::Rect;
use crate::drawing::{Align, Drawing, Lettering, font};
use crate::field::check_increasing;
use crate::layout::{Entry, Frame, Legend, MARGIN, Mark, NAME, Names, SMALL, unit, write_head};
use crate::number::{power_of_ten, significant};
use crate::{Error, Picture};

/// The density of the eigenvalues over the decimal logarithm of their magnitude.
#[derive(Debug, Clone, Copy)]
pub struct LogSpectrum<'a> {
    /// The name in the legend, such as that of the run.
    pub name: &'a str,
    /// `[n]` values of `log₁₀ |λ|`, finite and increasing.
    pub grid: &'a [f64],
    /// `[n]` densities of the positive eigenvalues, per decade.
    pub positive: &'a [f64],
    /// `[n]` densities of the negative eigenvalues, per decade.
    pub negative: &'a [f64],
    /// `[n]` standard errors of `positive`, drawn as a band. Empty for no band.
    pub positive_error: &'a [f64],
    /// `[n]` standard errors of `negative`. Empty for no band.
    pub negative_error: &'a [f64],
    /// The magnitude up to which an eigenvalue is not told from zero, and the share of the
    /// eigenvalues up to there; both are written in the legend.
    pub unresolved: Option<(f64, f64)>,
}

/// One sign of a spectrum, with its grid from left to right.
struct Side {
    grid: Vec<f64>,
    density: Vec<f64>,
    error: Vec<f64>,
}

impl Side {
    fn spectrum(&self) -> Spectrum<'_> {
        Spectrum {
            grid: &self.grid,
            density: &self.density,
            nodes: &[],
            standard_error: &self.error,
        }
    }
}

impl LogSpectrum<'_> {
    fn check(&self) -> Result<(), Error> {
        let name = self.name;
        check_increasing(&format!("the grid of the density of {name:?}"), self.grid)?;
        let expected = self.grid.len();
        let sides = [("positive", self.positive), ("negative", self.negative)];
        let errors = [self.positive_error, self.negative_error];
        for ((sign, density), error) in sides.into_iter().zip(errors) {
            let bad = [(density, true), (error, !error.is_empty())];
            for (values, is_needed) in bad {
                if is_needed && values.len() != expected {
                    return Err(Error::Length {
                        what: format!("the {sign} density of {name:?} or its standard error"),
                        found: values.len(),
                        expected,
                    });
                }
            }
        }
        Ok(())
    }

    /// Returns the negative eigenvalues from the largest magnitude to the smallest, or the positive
    /// ones the other way.
    fn side(&self, is_negative: bool) -> Side {
        let copy = |values: &[f64]| values.to_vec();
        if is_negative {
            let turned = |values: &[f64]| values.iter().rev().copied().collect::<Vec<f64>>();
            Side {
                grid: self.grid.iter().rev().map(|x| -x).collect(),
                density: turned(self.negative),
                error: turned(self.negative_error),
            }
        } else {
            Side {
                grid: copy(self.grid),
                density: copy(self.positive),
                error: copy(self.positive_error),
            }
        }
    }
}

/// Draws densities over the logarithm of the magnitude, with the usual settings of
/// [`log_density_with`].
///
/// # Errors
/// As [`log_density_with`].
///
/// # Examples
/// ```
/// use pictures::{LogSpectrum, log_density};
///
/// let spectrum = LogSpectrum {
///     name: "sgd",
///     grid: &[-2.0, -1.0, 0.0, 1.0],
///     positive: &[0.1, 0.3, 0.2, 0.01],
///     negative: &[0.2, 0.1, 0.0, 0.0],
///     positive_error: &[],
///     negative_error: &[],
///     unresolved: Some((1e-3, 0.09)),
/// };
/// let picture = log_density(&[spectrum], "Spectrum")?;
/// assert!(picture.svg().contains("9 % below 0.001"));
/// # Ok::<(), pictures::Error>(())
/// ```
pub fn log_density(
    spectra: &[LogSpectrum<'_>],
    title: impl Into<String>,
) -> Result<Picture, Error> {
    let config = SpectrumConfig {
        floor: 1e-4,
        ..SpectrumConfig::new(title)
    };
    log_density_with(spectra, &config)
}

/// Draws densities over the logarithm of the magnitude: the negative eigenvalues at the left with
/// the largest magnitude outside, the positive ones at the right, both on one logarithmic axis of
/// densities with a stated floor. What is not told from zero lies between the two, and the legend
/// says how much it is. A sign that no spectrum has is left out.
///
/// # Errors
/// When there is no spectrum, a length does not match, a grid is not finite and increasing, no
/// density is finite and positive, the floor does not lie between 0 and 1, or the picture's size is
/// out of range.
pub fn log_density_with(
    spectra: &[LogSpectrum<'_>],
    config: &SpectrumConfig,
) -> Result<Picture, Error> {
    if spectra.is_empty() {
        return Err(Error::Empty {
            what: "the list of spectra".into(),
        });
    }
    for spectrum in spectra {
        spectrum.check()?;
    }
    let peak_of = |is_negative: bool| {
        let sides = spectra
            .iter()
            .map(|s| s.side(is_negative).spectrum().peak());
        sides.fold(0.0, f64::max)
    };
    let peaks = [true, false].map(peak_of);
    let peak = peaks[0].max(peaks[1]);
    if peak <= 0.0 {
        return Err(Error::NotPositive {
            what: "every density".into(),
            value: peak,
        });
    }
    let floor = floor(peak, config)?;
    let y = density_axis(peak, floor);
    let shown: Vec<bool> = [true, false]
        .into_iter()
        .zip(peaks)
        // One sign is always there: the floor lies below the peak, unless that is subnormal.
        .filter_map(|(is_negative, of_sign)| {
            (of_sign > floor || of_sign == peak).then_some(is_negative)
        })
        .collect();

    let mut drawing = Drawing::new(config.width, config.height, config.theme)?;
    let bounds = drawing.bounds();
    let unit = unit(bounds);
    let legend = Legend::arrange(&legend(spectra, config), bounds.width() - 30.0 * unit, unit);
    let top = write_head(&mut drawing, &config.title, &legend, unit) + 14.0 * unit;
    let y_label = format!("density per decade (floor {})", significant(floor, 2));
    let frames = lay_out(&drawing, top, (spectra, &shown), y);
    for (index, (frame, is_negative)) in frames.iter().zip(&shown).enumerate() {
        frame.grid(&mut drawing);
        for (run, spectrum) in spectra.iter().enumerate().rev() {
            let color = config.theme.series(run).color;
            let tone = config.theme.tone(color, 0.3);
            let side = spectrum.side(*is_negative);
            band(&mut drawing, frame, &side.spectrum(), tone);
        }
        for (run, spectrum) in spectra.iter().enumerate().rev() {
            let side = spectrum.side(*is_negative);
            let points = points(frame, &side.spectrum(), floor);
            drawing.line(&points, config.theme.series(run), 5.5 * unit, unit);
            if let [point] = points[..] {
                drawing.disc(point, 6.0 * unit, config.theme.series(run).color);
            }
        }
        frame.border(&mut drawing);
        frame.write_x_labels(&mut drawing);
        if index == 0 {
            frame.write_y_labels(&mut drawing);
        }
        let sign = if *is_negative { "λ < 0" } else { "λ > 0" };
        let at = (frame.plot.left + 16.0 * unit, frame.plot.top + 16.0 * unit);
        let at = if *is_negative {
            at
        } else {
            (frame.plot.right - 16.0 * unit, at.1)
        };
        let along = if *is_negative {
            Align::Start
        } else {
            Align::End
        };
        let style = Lettering::new(SMALL * unit, along, Align::Start);
        drawing.text(sign, at, style);
    }
    let area = Rect {
        right: frames[frames.len() - 1].plot.right,
        ..frames[0].plot
    };
    let names = Names {
        title: "",
        x: &config.x_label,
        y: &y_label,
    };
    frames[0].write_names(&mut drawing, names, area);
    Ok(Picture::of(drawing, &config.title))
}

fn legend(spectra: &[LogSpectrum<'_>], config: &SpectrumConfig) -> Vec<Entry> {
    let mut legend = Vec::new();
    for (run, spectrum) in spectra.iter().enumerate() {
        let unresolved = spectrum.unresolved.filter(|_| spectra.len() <= FEW);
        let text = unresolved.map_or_else(String::new, |(resolution, share)| {
            let (share, resolution) = (significant(100.0 * share, 2), significant(resolution, 2));
            format!(": {share} % below {resolution}")
        });
        let mark = Mark::Line(config.theme.series(run));
        legend.push(Entry::new(mark, format!("{}{text}", spectrum.name)));
    }
    let has_band =
        |s: &LogSpectrum<'_>| !s.positive_error.is_empty() || !s.negative_error.is_empty();
    if spectra.iter().any(has_band) {
        let tone = config.theme.tone(config.theme.palette().muted, 0.3);
        legend.push(Entry::new(Mark::Area(tone), ONE_ERROR));
    }
    let sides = spectra.iter().flat_map(|s| [s.positive, s.negative]);
    legend.extend(Entry::not_finite(sides.flatten()));
    legend
}

/// Returns the frames of the signs from left to right.
fn lay_out(
    drawing: &Drawing,
    top: f64,
    (spectra, shown): (&[LogSpectrum<'_>], &[bool]),
    y: Axis,
) -> Vec<Frame> {
    let bounds = drawing.bounds();
    let unit = unit(bounds);
    let (margin, small) = (MARGIN * unit, SMALL * unit);
    let bottom = bounds.bottom - margin - NAME * unit - (font::CAPITAL * small + 24.0 * unit);
    let grid = spectra.iter().flat_map(|s| s.grid.iter().copied());
    let magnitudes = Axis::linear(grid).padded(0.02);
    let negative = Axis {
        low: -magnitudes.high,
        high: -magnitudes.low,
        ..magnitudes
    };
    let plot = Rect {
        left: 0.0,
        right: bounds.right - 3.0 * margin,
        top: top.round(),
        bottom: bottom.round(),
    };
    let widest = Frame::around(plot, magnitudes, y, unit).widest_labels()[1];
    let left = (margin + (NAME + 22.0) * unit + widest).round();
    let gap = 44.0 * unit;
    let width = (plot.right - left - gap * (shown.len() as f64 - 1.0)) / shown.len() as f64;
    shown
        .iter()
        .enumerate()
        .map(|(index, is_negative)| {
            let left = left + index as f64 * (width + gap);
            let plot = Rect {
                left: left.round(),
                right: (left + width).round(),
                ..plot
            };
            let axis = if *is_negative { negative } else { magnitudes };
            let ticks = decades(axis, *is_negative, width / small);
            Frame::around(plot, axis, y, unit).with_x_ticks(ticks)
        })
        .collect()
}

/// Returns ticks at whole decades of an axis as wide as `letters` heights of a letter: at most one
/// in every three, and none whose label would meet those of the other sign.
#[expect(
    clippy::cast_possible_truncation,
    reason = "clamped to the exponents of doubles"
)]
fn decades(axis: Axis, is_negative: bool, letters: f64) -> Ticks {
    let whole = |x: f64| x.clamp(-400.0, 400.0) as i32;
    let (first, last) = (whole(axis.low.ceil()), whole(axis.high.floor()));
    let most = (letters / 3.2).max(1.0);
    let stride = whole((f64::from(last - first + 1) / most).ceil()).max(1);
    // Half of a label is somewhat wider than the height of a letter.
    let beyond = (axis.high - axis.low) * 0.7 / letters.max(1.0);
    let fits = |k: &i32| {
        let at = f64::from(*k);
        if is_negative {
            at <= axis.high - beyond
        } else {
            at >= axis.low + beyond
        }
    };
    let at = (first..=last).filter(|k| k % stride == 0 && fits(k));
    let (at, labels) = at
        .map(|k| {
            let text = if is_negative {
                format!("−{}", power_of_ten(1, -k))
            } else {
                power_of_ten(1, k)
            };
            (f64::from(k), text)
        })
        .unzip();
    Ticks {
        at,
        labels,
        ..Ticks::default()
    }
}

#[cfg(test)]
mod tests;
