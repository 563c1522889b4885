//! The float types of `flex`, and tensors of it taken out of Burn's and put back.

use std::ops::{Add, AddAssign, Div, Mul, Sub};

use burn::tensor::{Element, TensorData};
use burn_dispatch::{BackendTensor, DispatchKindConversion, DispatchTensor};
use burn_flex::{Flex, FlexTensor};

use crate::elementary::Elementary;

/// A float type of `flex`.
pub(crate) trait Real:
    Element
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
    fn is_finite(self) -> bool;
    fn abs(self) -> Self;
    /// Writes the value of a function for each entry of x to `out`.
    fn elementary(function: Elementary, x: &[Self], out: &mut [Self]);
    /// Returns the entries of a contiguous tensor of this type.
    fn entries(tensor: &FlexTensor) -> Option<&[Self]>;
    /// Returns the storage of a tensor that nobody else has.
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
    fn is_finite(self) -> bool {
        Self::is_finite(self)
    }
    fn abs(self) -> Self {
        Self::abs(self)
    }
    fn elementary(function: Elementary, x: &[Self], out: &mut [Self]) {
        function.apply(x, out);
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
    fn is_finite(self) -> bool {
        Self::is_finite(self)
    }
    fn abs(self) -> Self {
        Self::abs(self)
    }
    /// One at a time, as Burn does it.
    fn elementary(function: Elementary, x: &[Self], out: &mut [Self]) {
        let sigmoid = |x: Self| {
            if x >= 0.0 {
                1.0 / (1.0 + (-x).exp())
            } else {
                let power = x.exp();
                power / (1.0 + power)
            }
        };
        for (out, &x) in out.iter_mut().zip(x) {
            *out = match function {
                Elementary::Exp => x.exp(),
                Elementary::Tanh => x.tanh(),
                Elementary::Sigmoid => sigmoid(x),
                Elementary::Erf => libm::erf(x),
            };
        }
    }
    fn entries(tensor: &FlexTensor) -> Option<&[Self]> {
        tensor.as_slice()
    }
    fn storage(tensor: &mut FlexTensor) -> Option<&mut [Self]> {
        tensor.try_storage_mut()
    }
}

/// Returns a tensor of `flex` as it is; `None` for other kinds and backends.
pub(crate) fn on_flex(tensor: DispatchTensor) -> Option<FlexTensor> {
    match <DispatchTensor as DispatchKindConversion<Flex>>::try_into_backend(tensor).ok()? {
        BackendTensor::Float(tensor) | BackendTensor::Int(tensor) => Some(tensor),
        _ => None,
    }
}

/// Returns a tensor of `flex` with its entries in a row, a copy where they were not.
pub(crate) fn contiguous(tensor: &DispatchTensor) -> Option<FlexTensor> {
    on_flex(tensor.clone()).map(in_a_row)
}

/// Returns the tensor with its entries in a row.
pub(crate) fn in_a_row(tensor: FlexTensor) -> FlexTensor {
    if tensor.is_contiguous() {
        tensor
    } else {
        tensor.to_contiguous()
    }
}

/// Returns a tensor of floats as one of Burn's.
pub(crate) fn of_flex(tensor: FlexTensor) -> DispatchTensor {
    <DispatchTensor as DispatchKindConversion<Flex>>::from_backend(BackendTensor::Float(tensor))
}

/// Returns these floats as a tensor.
pub(crate) fn float<E: Real>(values: Vec<E>, shape: &[usize]) -> DispatchTensor {
    of_flex(FlexTensor::from_data(TensorData::new(
        values,
        shape.to_vec(),
    )))
}

/// Returns these integers as a tensor.
pub(crate) fn int(values: Vec<i64>, shape: &[usize]) -> DispatchTensor {
    let tensor = FlexTensor::from_data(TensorData::new(values, shape.to_vec()));
    <DispatchTensor as DispatchKindConversion<Flex>>::from_backend(BackendTensor::Int(tensor))
}

/// Runs a kernel for the float type of a tensor.
macro_rules! for_type {
    ($tensor:expr, $kernel:ident ( $($argument:expr),* )) => {
        match $tensor.dtype() {
            burn::tensor::DType::F32 => $kernel::<f32>(&$tensor, $($argument),*),
            burn::tensor::DType::F64 => $kernel::<f64>(&$tensor, $($argument),*),
            _ => None,
        }
    };
}

pub(crate) use for_type;
