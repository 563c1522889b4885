//! What kernels for `flex` have in common, and picking entries along the last axis: contiguous tensors
//! of f32 or f64, rows spread over the threads of the current rayon pool.

use std::borrow::Cow;
use std::ops::{Add, AddAssign, Div, Mul, Sub};

use burn::tensor::{DType, TensorData};
use burn_dispatch::{BackendTensor, DispatchKindConversion, DispatchTensor};
use burn_flex::{Flex, FlexTensor};
use rayon::prelude::*;

/// A float type of `flex`.
pub(super) trait Real:
    burn_backend::Element
    + Copy
    + Default
    + PartialOrd
    + Into<f64>
    + AddAssign
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Sync
{
    const LOWEST: Self;
    fn of(value: f64) -> Self;
    fn is_nan(self) -> bool;
    /// The entries of a contiguous tensor of this type.
    fn entries(tensor: &FlexTensor) -> Option<&[Self]>;
    /// The storage of a tensor that nobody else has.
    fn storage(tensor: &mut FlexTensor) -> Option<&mut [Self]>;
}

impl Real for f32 {
    const LOWEST: Self = Self::NEG_INFINITY;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "rounded to the type of the tensor"
    )]
    fn of(value: f64) -> Self {
        value as Self
    }
    fn is_nan(self) -> bool {
        Self::is_nan(self)
    }
    fn entries(tensor: &FlexTensor) -> Option<&[Self]> {
        tensor.as_slice()
    }
    fn storage(tensor: &mut FlexTensor) -> Option<&mut [Self]> {
        tensor.try_storage_mut()
    }
}

impl Real for f64 {
    const LOWEST: Self = Self::NEG_INFINITY;
    fn of(value: f64) -> Self {
        value
    }
    fn is_nan(self) -> bool {
        Self::is_nan(self)
    }
    fn entries(tensor: &FlexTensor) -> Option<&[Self]> {
        tensor.as_slice()
    }
    fn storage(tensor: &mut FlexTensor) -> Option<&mut [Self]> {
        tensor.try_storage_mut()
    }
}

pub(super) fn contiguous(tensor: &DispatchTensor) -> Option<FlexTensor> {
    let tensor = <DispatchTensor as DispatchKindConversion<Flex>>::try_into_backend(tensor.clone());
    match tensor.ok()? {
        BackendTensor::Float(tensor) | BackendTensor::Int(tensor) => {
            Some(if tensor.is_contiguous() {
                tensor
            } else {
                tensor.to_contiguous()
            })
        }
        _ => None,
    }
}

pub(super) fn float<E: Real>(values: Vec<E>, shape: &[usize]) -> DispatchTensor {
    let tensor = FlexTensor::from_data(TensorData::new(values, shape.to_vec()));
    <DispatchTensor as DispatchKindConversion<Flex>>::from_backend(BackendTensor::Float(tensor))
}

pub(super) fn int(values: Vec<i64>, shape: &[usize]) -> DispatchTensor {
    let tensor = FlexTensor::from_data(TensorData::new(values, shape.to_vec()));
    <DispatchTensor as DispatchKindConversion<Flex>>::from_backend(BackendTensor::Int(tensor))
}

/// Runs a kernel for the float type of a tensor.
macro_rules! for_type {
    ($tensor:expr, $kernel:ident ( $($argument:expr),* )) => {
        match $tensor.dtype() {
            DType::F32 => $kernel::<f32>(&$tensor, $($argument),*),
            DType::F64 => $kernel::<f64>(&$tensor, $($argument),*),
            _ => None,
        }
    };
}

pub(super) use for_type;

/// Indices along the last axis as `i64`, copied only where they have another type.
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
    let index = usize::try_from(index).unwrap_or(usize::MAX);
    assert!(index < len, "index {index} of an axis of length {len}");
    index
}

/// `y[.., j] = x[.., k[.., j]]`
pub(crate) fn gather_last(
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

/// `y[.., k[.., j]] += x[.., j]`, from zeros.
pub(crate) fn scatter_last(
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

/// Zeros of `shape`, each row along the last axis then written by `write`, which is given the rows of
/// `x` and of the indices `k`.
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
