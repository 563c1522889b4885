//! The sum of several vectors in one pass over memory, spread over the cores, for `flex`.

use burn::tensor::{DType, Tensor};
use burn_flex::FlexTensor;
use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;

use crate::real::{Real, contiguous, float};
use crate::vectorised;

/// Entries of a piece of the sum, which stays in the cache while the terms are added to it.
const PIECE: usize = 1 << 13;

/// Returns `factor · Σᵢ tᵢ` for vectors of one length, added one after the other: with Burn's
/// operations it is the same to the last bit.
#[must_use]
pub fn total(terms: &[Tensor<1>], factor: f64) -> Option<Tensor<1>> {
    let terms: Vec<FlexTensor> = terms
        .iter()
        .map(|term| contiguous(&term.clone().into_dispatch()))
        .collect::<Option<_>>()?;
    match terms.first()?.dtype() {
        DType::F32 => total_of::<f32>(&terms, factor),
        DType::F64 => total_of::<f64>(&terms, factor),
        _ => None,
    }
}

fn total_of<E: Real + Send>(terms: &[FlexTensor], factor: f64) -> Option<Tensor<1>> {
    let terms: Vec<&[E]> = terms.iter().map(E::entries).collect::<Option<_>>()?;
    let (first, others) = terms.split_first()?;
    if others.iter().any(|other| other.len() != first.len()) {
        return None;
    }
    let factor = E::of(factor);
    let mut sum = vec![E::default(); first.len()];
    let pieces = sum.par_chunks_mut(PIECE).enumerate();
    pieces.for_each(|(piece, sum)| {
        let range = piece * PIECE..piece * PIECE + sum.len();
        vectorised(
            #[inline(always)]
            || {
                sum.copy_from_slice(&first[range.clone()]);
                for other in others {
                    for (sum, &entry) in sum.iter_mut().zip(&other[range.clone()]) {
                        *sum += entry;
                    }
                }
                for sum in sum.iter_mut() {
                    *sum = *sum * factor;
                }
            },
        );
    });
    let shape = [sum.len()];
    Some(Tensor::from_dispatch(float(sum, &shape)))
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Distribution};

    use super::*;

    #[test]
    fn a_total_is_that_of_burns_operations_to_the_last_bit() {
        for dtype in [DType::F32, DType::F64] {
            for length in [1, PIECE - 1, 3 * PIECE + 17] {
                let random = || {
                    Tensor::<1>::random([length], Distribution::Default, (&Device::flex(), dtype))
                };
                let terms: Vec<Tensor<1>> = (0..5).map(|_| random()).collect();
                let found = total(&terms, 0.3).expect("a kernel");
                let sum = terms.into_iter().reduce(|a, b| a + b).expect("terms");
                assert_eq!(
                    found.into_data(),
                    (sum * 0.3).into_data(),
                    "{length} {dtype:?}"
                );
            }
        }
    }

    #[test]
    fn vectors_of_other_lengths_have_no_total() {
        let [a, b] = [2, 3].map(|length| Tensor::<1>::ones([length], &Device::flex()));
        assert!(total(&[a, b], 1.0).is_none());
        assert!(total(&[], 1.0).is_none());
    }
}
