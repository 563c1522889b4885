//! Picking entries along the last axis, rows spread over the threads of the current rayon pool.

use std::borrow::Cow;

use burn::tensor::DType;
use burn_dispatch::DispatchTensor;
use burn_flex::FlexTensor;
use rayon::prelude::*;

use crate::real::{Real, contiguous, float, for_type};

/// Returns indices along the last axis as `i64`, copied only where they have another type.
fn indices(tensor: &FlexTensor) -> Option<Cow<'_, [i64]>> {
    match tensor.dtype() {
        DType::I64 => tensor.as_slice::<i64>().map(Cow::Borrowed),
        DType::I32 => {
            let indices = tensor.as_slice::<i32>()?.iter();
            Some(indices.map(|&index| i64::from(index)).collect())
        }
        _ => None,
    }
}

fn position(index: i64, len: usize) -> usize {
    match usize::try_from(index) {
        Ok(index) if index < len => index,
        _ => panic!("index {index} of an axis of length {len}"),
    }
}

/// Returns y with `y[.., j] = x[.., k[.., j]]`.
///
/// # Panics
/// If an index is outside the axis.
#[must_use]
pub fn gather_last(
    x: &DispatchTensor,
    k: &DispatchTensor,
    shape: &[usize],
) -> Option<DispatchTensor> {
    let x = contiguous(x)?;
    for_type!(x, gather_of(k, shape))
}

fn gather_of<E: Real>(
    x: &FlexTensor,
    k: &DispatchTensor,
    shape: &[usize],
) -> Option<DispatchTensor> {
    by_rows::<E>(x, k, shape, |source, k, out| {
        for (value, &index) in out.iter_mut().zip(k) {
            *value = source[position(index, source.len())];
        }
    })
}

/// Returns y with `y[.., k[.., j]] += x[.., j]`, from zeros.
///
/// # Panics
/// If an index is outside the axis.
#[must_use]
pub fn scatter_last(
    x: &DispatchTensor,
    k: &DispatchTensor,
    shape: &[usize],
) -> Option<DispatchTensor> {
    let x = contiguous(x)?;
    for_type!(x, scatter_of(k, shape))
}

fn scatter_of<E: Real>(
    x: &FlexTensor,
    k: &DispatchTensor,
    shape: &[usize],
) -> Option<DispatchTensor> {
    by_rows::<E>(x, k, shape, |source, k, out| {
        let len = out.len();
        for (value, &index) in source.iter().zip(k) {
            out[position(index, len)] += *value;
        }
    })
}

/// Returns zeros of `shape`, each row along the last axis then written by `write`, which is given
/// the rows of `x` and of the indices `k`.
fn by_rows<E: Real>(
    x: &FlexTensor,
    k: &DispatchTensor,
    shape: &[usize],
    write: impl Fn(&[E], &[i64], &mut [E]) + Sync,
) -> Option<DispatchTensor> {
    let last = |tensor: &FlexTensor| tensor.layout().shape().to_vec().last().copied();
    let entries = E::entries(x)?;
    let k = contiguous(k)?;
    let (from, picked) = (last(x)?, last(&k)?);
    let k = indices(&k)?;
    let mut values = vec![E::default(); shape.iter().product()];
    values
        .par_chunks_mut((*shape.last()?).max(1))
        .with_min_len(64)
        .enumerate()
        .for_each(|(row, out)| {
            let source = &entries[row * from..][..from];
            write(source, &k[row * picked..][..picked], out);
        });
    Some(float(values, shape))
}
