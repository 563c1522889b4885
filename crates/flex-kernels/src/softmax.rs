//! The softmax of rows and its logarithm, for `flex`, whose own take one exponential at a time.

use burn::tensor::DType;
use burn_dispatch::DispatchTensor;
use burn_flex::FlexTensor;
use pulp::Arch;

use crate::real::{contiguous, float};
use crate::sum::sum_of;

/// Entries that are worked on at a time, where rows are shorter.
const BLOCK: usize = 512;

/// Returns the softmax of each row of `width` entries of a tensor of this shape, or with
/// `logarithm` its logarithm. In f32, for which the exponential is good to two units in the last
/// place; `None` for other types.
#[must_use]
pub fn softmax(
    x: &DispatchTensor,
    logarithm: bool,
    width: usize,
    shape: &[usize],
) -> Option<DispatchTensor> {
    let x = contiguous(x)?;
    if x.dtype() != DType::F32 || width == 0 {
        return None;
    }
    let values = Arch::new().dispatch(|| rows(&x, logarithm, width));
    Some(float(values?, shape))
}

#[inline(always)]
fn rows(x: &FlexTensor, logarithm: bool, width: usize) -> Option<Vec<f32>> {
    let x: &[f32] = x.as_slice()?;
    let block = (BLOCK / width).max(1) * width;
    let mut powers = vec![0.0; block.min(x.len())];
    let mut values = Vec::with_capacity(x.len());
    for x in x.chunks(block) {
        let start = values.len();
        for row in x.chunks(width) {
            let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            values.extend(row.iter().map(|x| x - most));
        }
        let values = &mut values[start..];
        let powers = &mut powers[..values.len()];
        for (power, &x) in powers.iter_mut().zip(&*values) {
            *power = exponential(x);
        }
        for (values, powers) in values.chunks_mut(width).zip(powers.chunks(width)) {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "back to the type of the terms"
            )]
            let sum = sum_of(powers) as f32;
            if logarithm {
                let sum = sum.ln();
                for value in values {
                    *value -= sum;
                }
            } else {
                for (value, power) in values.iter_mut().zip(powers) {
                    *value = power / sum;
                }
            }
        }
    }
    Some(values)
}

/// Returns `exp(x)` for x of at most zero: `2ⁿ exp(r)` with `|r| ≤ ln 2 / 2` and a polynomial for
/// the second factor (the coefficients of Moshier's Cephes library, 1984). What is no number stays
/// so.
#[inline(always)]
fn exponential(x: f32) -> f32 {
    /// A number to which adding rounds to whole numbers.
    const ROUND: f32 = 12_582_912.0;
    /// ln 2 in two parts, of which the first has few bits.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    const COEFFICIENTS: [f32; 6] = [
        1.987_569_1e-4,
        1.398_199_9e-3,
        8.333_452e-3,
        4.166_579_6e-2,
        1.666_666_5e-1,
        5e-1,
    ];
    // Below, the result is zero.
    let x = if x < -104.0 { -104.0 } else { x };
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * LN_2[0]) - n * LN_2[1];
    let polynomial = COEFFICIENTS.iter().fold(0.0, |sum, c| sum * r + c);
    let factor = polynomial * r * r + r + 1.0;
    // Twice half the power of two, so that the smallest results are not lost.
    let n = shifted
        .to_bits()
        .wrapping_sub(ROUND.to_bits())
        .cast_signed();
    let half = n >> 1;
    let power = |n: i32| f32::from_bits((n + 127).cast_unsigned() << 23);
    factor * power(half) * power(n - half)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_are_good_to_two_units_in_the_last_place() {
        let mut worst: f64 = 0.0;
        for step in 0..1_040_000 {
            #[expect(clippy::cast_precision_loss, reason = "a small whole number")]
            let x = -(step as f32) * 1e-4;
            let (found, exact) = (f64::from(exponential(x)), f64::from(x).exp());
            let unit = f64::from(f32::EPSILON) * exact;
            // The smallest numbers have a unit of their own.
            worst = worst.max((found - exact).abs() / unit.max(f64::from(f32::from_bits(1))));
        }
        assert!(worst < 2.0, "{worst}");
        assert_eq!(exponential(f32::NEG_INFINITY), 0.0);
        assert_eq!(exponential(0.0), 1.0);
        assert!(exponential(f32::NAN).is_nan());
    }

    #[test]
    fn rows_of_any_width_are_those_of_f64() {
        for width in [1, 3, 10, 511, 512, 700] {
            let x: Vec<f32> = (0..4 * width)
                .map(|i| ((i * 7919 % 1009) as f32 - 500.0) * 0.05)
                .collect();
            let tensor = float(x.clone(), &[4, width]);
            for logarithm in [false, true] {
                let found = softmax(&tensor, logarithm, width, &[4, width]).expect("a kernel");
                let found = contiguous(&found).expect("of flex");
                let found: &[f32] = found.as_slice().expect("floats");
                for (row, found) in x.chunks(width).zip(found.chunks(width)) {
                    let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                    let row = row.iter().map(|&x| f64::from(x) - f64::from(most));
                    let sum: f64 = row.clone().map(f64::exp).sum();
                    for (x, &found) in row.zip(found) {
                        let exact = if logarithm {
                            x - sum.ln()
                        } else {
                            x.exp() / sum
                        };
                        let gap = (f64::from(found) - exact).abs();
                        // The difference to the largest entry, up to 50, is rounded in f32.
                        let size = if logarithm {
                            exact.abs().max(1.0)
                        } else {
                            10.0 * exact
                        };
                        assert!(gap <= 4e-7 * size + 1e-44, "{width} {found} {exact}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_no_number_spreads_over_its_row() {
        let x = vec![f32::NAN, 1.0, 2.0, f32::INFINITY, 0.0, 1.0];
        let tensor = float(x, &[3, 2]);
        let found = softmax(&tensor, true, 2, &[3, 2]).expect("a kernel");
        let found = contiguous(&found).expect("of flex");
        let found: &[f32] = found.as_slice().expect("floats");
        assert!(found[..2].iter().all(|x| x.is_nan()), "{found:?}");
        assert!(
            found[3].is_nan() || found[3] == f32::NEG_INFINITY,
            "{found:?}"
        );
        assert!((found[4] + 1.313_261_7).abs() < 1e-6, "{found:?}");
    }
}
