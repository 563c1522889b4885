//! The histogram: weighted bins of a step.

use super::{Data, Kind};
use crate::proto::{DT_DOUBLE, Tensor};
use crate::{Error, EventWriter};

/// The number of bins that [`Histogram::of`] makes: the browser draws 30, whatever it gets.
const BINS: usize = 30;

/// One bin of a histogram.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bin {
    /// Left edge, finite.
    pub left: f64,
    /// Right edge, finite and not less than the left one.
    pub right: f64,
    /// The weight of the bin: a count, or any weight that is finite and not negative, as the mass
    /// of a density.
    pub weight: f64,
}

/// Bins from left to right, which do not overlap.
///
/// TensorBoard draws them as an area and re-bins them to 30 over the whole range, so one far
/// outlier flattens the picture: write outliers as scalars.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    bins: Vec<Bin>,
}

impl Histogram {
    /// Returns the histogram of values, in 30 bins of equal width from the least to the greatest.
    ///
    /// A bin holds its left edge but not its right one; the last bin holds both. Values that are
    /// all equal make one bin of width 1 (or of the width that their magnitude allows) around them;
    /// no values make no bins. Cost: one pass.
    ///
    /// # Errors
    /// [`Error::ValueNotFinite`] with the first value that is NaN or infinite.
    ///
    /// # Examples
    /// ```
    /// use tensorboard::Histogram;
    ///
    /// let values: Vec<f64> = (0..=60).map(f64::from).collect();
    /// let histogram = Histogram::of(&values)?;
    /// // Thirty bins of width 2: two integers each, and 60 closes the last one.
    /// assert_eq!(histogram.bins().len(), 30);
    /// assert_eq!(histogram.bins()[0].weight, 2.0);
    /// assert_eq!(histogram.bins()[29].weight, 3.0);
    /// # Ok::<(), tensorboard::Error>(())
    /// ```
    pub fn of(values: &[f64]) -> Result<Self, Error> {
        if let Some((index, &value)) = values
            .iter()
            .enumerate()
            .find(|(_, value)| !value.is_finite())
        {
            return Err(Error::ValueNotFinite { index, value });
        }
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if values.is_empty() {
            return Ok(Self { bins: Vec::new() });
        }
        if least == greatest {
            // Half a unit is lost in rounding beyond 2^52; there a few units in the last place are
            // taken.
            let half = (least.abs() * 4.0 * f64::EPSILON).max(0.5);
            let (left, right) = ((least - half).max(f64::MIN), (least + half).min(f64::MAX));
            return Ok(Self {
                bins: vec![Bin {
                    left,
                    right,
                    weight: values.len() as f64,
                }],
            });
        }
        let edges = equal_edges(least, greatest);
        let mut bins: Vec<Bin> = edges
            .windows(2)
            .map(|edge| Bin {
                left: edge[0],
                right: edge[1],
                weight: 0.0,
            })
            .collect();
        for &value in values {
            let bin = edges[1..BINS].partition_point(|&edge| edge <= value);
            bins[bin].weight += 1.0;
        }
        Ok(Self { bins })
    }

    /// Returns a histogram of given bins, from left to right; gaps and fractional weights are fine.
    ///
    /// # Errors
    /// [`Error::Bin`] with the first bin that has an edge or a weight that is not finite, a
    /// negative weight, edges in the wrong order, or a left edge before the right edge of its
    /// predecessor.
    ///
    /// # Examples
    /// ```
    /// use tensorboard::{Bin, Histogram};
    ///
    /// let density = [
    ///     Bin {
    ///         left: -1.0,
    ///         right: 0.0,
    ///         weight: 0.25,
    ///     },
    ///     Bin {
    ///         left: 0.0,
    ///         right: 4.0,
    ///         weight: 0.75,
    ///     },
    /// ];
    /// assert_eq!(Histogram::from_weighted_bins(&density)?.bins(), density);
    /// assert!(
    ///     Histogram::from_weighted_bins(&[Bin {
    ///         left: 0.0,
    ///         right: f64::NAN,
    ///         weight: 1.0
    ///     }])
    ///     .is_err()
    /// );
    /// # Ok::<(), tensorboard::Error>(())
    /// ```
    pub fn from_weighted_bins(bins: &[Bin]) -> Result<Self, Error> {
        let mut end = f64::NEG_INFINITY;
        for (
            bin,
            &Bin {
                left,
                right,
                weight,
            },
        ) in bins.iter().enumerate()
        {
            let rule = if !(left.is_finite() && right.is_finite()) {
                "edges must be finite"
            } else if !(weight.is_finite() && weight >= 0.0) {
                "weights must be finite and not negative"
            } else if left > right {
                "the left edge must not exceed the right one"
            } else if left < end {
                "bins must come from left to right without overlap"
            } else {
                end = right;
                continue;
            };
            return Err(Error::Bin {
                bin,
                left,
                right,
                weight,
                rule,
            });
        }
        Ok(Self {
            bins: bins.to_vec(),
        })
    }

    /// Returns the bins, from left to right.
    #[must_use]
    pub fn bins(&self) -> &[Bin] {
        &self.bins
    }
}

/// Returns the edges of bins of equal width, never decreasing.
fn equal_edges(least: f64, greatest: f64) -> Vec<f64> {
    let mut edges = Vec::with_capacity(BINS + 1);
    let mut last = least;
    for index in 0..=BINS {
        let t = index as f64 / BINS as f64;
        // A difference of the ends could overflow; this sum cannot. Its rounding could step back or
        // beyond the ends.
        last = (least * (1.0 - t) + greatest * t).clamp(last, greatest);
        edges.push(last);
    }
    edges
}

impl EventWriter {
    /// Writes a histogram.
    ///
    /// # Errors
    /// [`Error::EmptyTag`], [`Error::StepNotIncreasing`], [`Error::StepBeforeStart`],
    /// [`Error::TagKind`], [`Error::ValueTooLarge`]; nothing is written then. Failed output is not
    /// an error here, see [`EventWriter`].
    ///
    /// # Examples
    /// ```
    /// use tensorboard::{EventWriter, Histogram};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let mut writer = EventWriter::create(folder.path())?;
    /// writer.histogram("gradient/values", 0, &Histogram::of(&[-0.5, 0.0, 0.25])?)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn histogram(&mut self, tag: &str, step: i64, histogram: &Histogram) -> Result<(), Error> {
        self.write(
            Kind::Histogram,
            step,
            vec![(tag, Data::Tensor(encode(histogram)))],
        )
    }
}

/// Returns a `[k, 3]` tensor with the rows left, right, weight.
fn encode(histogram: &Histogram) -> Tensor {
    let rows = histogram
        .bins
        .iter()
        .flat_map(|bin| [bin.left, bin.right, bin.weight]);
    Tensor {
        tensor_content: rows.flat_map(f64::to_le_bytes).collect(),
        ..Tensor::of(DT_DOUBLE, &[histogram.bins.len(), 3])
    }
}

pub(super) fn decode(tensor: &Tensor) -> Option<Histogram> {
    let numbers = tensor.numbers()?;
    let (rows, []) = numbers.as_chunks::<3>() else {
        return None;
    };
    let bins: Vec<Bin> = rows
        .iter()
        .map(|&[left, right, weight]| Bin {
            left,
            right,
            weight,
        })
        .collect();
    Histogram::from_weighted_bins(&bins).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn equal_values_make_one_bin_of_positive_width() {
        for value in [0.0, -3.0, 1e15, 1e300, f64::MAX, f64::MIN, 5e-324] {
            let histogram = Histogram::of(&[value; 4]).unwrap();
            let [bin] = histogram.bins() else {
                panic!("{value}: {histogram:?}")
            };
            assert!(
                bin.left <= value && value <= bin.right && bin.left < bin.right,
                "{bin:?}"
            );
            assert!(bin.left.is_finite() && bin.right.is_finite());
            assert_eq!(bin.weight, 4.0);
        }
    }

    #[test]
    fn value_that_is_not_finite_is_named() {
        let error = Histogram::of(&[1.0, f64::NEG_INFINITY, f64::NAN]).unwrap_err();
        assert!(matches!(
            error,
            Error::ValueNotFinite {
                index: 1,
                value: f64::NEG_INFINITY
            }
        ));
    }

    #[test]
    fn unusable_bins_are_refused() {
        let good = Bin {
            left: 0.0,
            right: 1.0,
            weight: 1.0,
        };
        for bad in [
            Bin {
                left: f64::INFINITY,
                ..good
            },
            Bin {
                right: f64::NAN,
                ..good
            },
            Bin {
                weight: -1.0,
                ..good
            },
            Bin {
                weight: f64::NAN,
                ..good
            },
            Bin { left: 2.0, ..good },
            Bin {
                left: -1.0,
                right: 0.5,
                weight: 1.0,
            },
        ] {
            assert!(
                matches!(
                    Histogram::from_weighted_bins(&[good, bad]),
                    Err(Error::Bin { bin: 1, .. })
                ),
                "{bad:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn every_value_is_counted_in_its_bin(values in prop::collection::vec(prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO, 1..80)) {
            let histogram = Histogram::of(&values).unwrap();
            let bins = histogram.bins();
            let total: f64 = bins.iter().map(|bin| bin.weight).sum();
            prop_assert_eq!(total, values.len() as f64);
            for (index, bin) in bins.iter().enumerate() {
                let is_last = index + 1 == bins.len();
                let inside = values.iter().filter(|&&v| bin.left <= v && (v < bin.right || is_last)).count();
                prop_assert_eq!(bin.weight, inside as f64);
            }
            // What was made is valid input, and survives the tensor unchanged.
            prop_assert_eq!(&Histogram::from_weighted_bins(bins).unwrap(), &histogram);
            prop_assert_eq!(decode(&encode(&histogram)), Some(histogram));
        }
    }
}
