//! The softmax of rows and its logarithm, for `flex`, whose own take one exponential at a time.

use burn::tensor::DType;
use burn_dispatch::DispatchTensor;
use burn_flex::FlexTensor;

use crate::elementary::Elementary;
use crate::real::{contiguous, float};
use crate::sum::sum_of;
use crate::vectorised;

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
    let values = vectorised(
        #[inline(always)]
        || rows(&x, logarithm, width),
    );
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
        values.resize(start + x.len(), 0.0);
        let values = &mut values[start..];
        for (values, row) in values.chunks_mut(width).zip(x.chunks(width)) {
            let most = largest(row);
            by_eight(values, row, |x| x - most);
        }
        let powers = &mut powers[..values.len()];
        Elementary::Exp.apply(values, powers);
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
                by_eight(values, powers, |power| power / sum);
            }
        }
    }
    Some(values)
}

/// Returns the largest entry that is a number.
#[inline(always)]
fn largest(row: &[f32]) -> f32 {
    let larger = |most: f32, x: f32| if x > most { x } else { most };
    let (eights, rest) = row.as_chunks::<8>();
    let mut most = [f32::NEG_INFINITY; 8];
    for eight in eights {
        for (most, &x) in most.iter_mut().zip(eight) {
            *most = larger(*most, x);
        }
    }
    let entries = most.iter().chain(rest).copied();
    entries.fold(f32::NEG_INFINITY, larger)
}

/// Writes a function of each entry of x, eight of them at a time: rows are often too short for what
/// the compiler would do with more.
#[inline(always)]
fn by_eight(out: &mut [f32], x: &[f32], function: impl Fn(f32) -> f32) {
    let (out_eights, out_rest) = out.as_chunks_mut::<8>();
    let (eights, rest) = x.as_chunks::<8>();
    for (out, x) in out_eights.iter_mut().zip(eights) {
        for (out, &x) in out.iter_mut().zip(x) {
            *out = function(x);
        }
    }
    for (out, &x) in out_rest.iter_mut().zip(rest) {
        *out = function(x);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
