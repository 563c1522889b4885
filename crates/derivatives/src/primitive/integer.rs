//! Operations on integers.

use burn_backend::ops::IntTensorOps;
use burn_dispatch::{Dispatch, DispatchTensor};

/// An operation on two integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum IntBinary {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    And,
    Or,
    Xor,
    ShiftLeft,
    ShiftRight,
}

/// An operation on one integer tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum IntUnary {
    Abs,
    Sign,
    Not,
    CumSum(usize),
    CumProd(usize),
    CumMax(usize),
    CumMin(usize),
    MaxAlong(usize),
    MinAlong(usize),
    ProdAlong(usize),
    AtLeast(i64),
    AtMost(i64),
    Power(i64),
    Sort { axis: usize, descending: bool },
}

impl IntUnary {
    /// Returns the same with one more axis in front.
    pub(super) const fn shifted(self) -> Self {
        match self {
            Self::CumSum(axis) => Self::CumSum(axis + 1),
            Self::CumProd(axis) => Self::CumProd(axis + 1),
            Self::CumMax(axis) => Self::CumMax(axis + 1),
            Self::CumMin(axis) => Self::CumMin(axis + 1),
            Self::MaxAlong(axis) => Self::MaxAlong(axis + 1),
            Self::MinAlong(axis) => Self::MinAlong(axis + 1),
            Self::ProdAlong(axis) => Self::ProdAlong(axis + 1),
            Self::Sort { axis, descending } => Self::Sort {
                axis: axis + 1,
                descending,
            },
            Self::Abs
            | Self::Sign
            | Self::Not
            | Self::AtLeast(_)
            | Self::AtMost(_)
            | Self::Power(_) => self,
        }
    }
}

pub(super) fn binary(operation: IntBinary, a: DispatchTensor, b: DispatchTensor) -> DispatchTensor {
    match operation {
        IntBinary::Add => Dispatch::int_add(a, b),
        IntBinary::Sub => Dispatch::int_sub(a, b),
        IntBinary::Mul => Dispatch::int_mul(a, b),
        IntBinary::Div => Dispatch::int_div(a, b),
        IntBinary::Rem => Dispatch::int_remainder(a, b),
        IntBinary::And => Dispatch::bitwise_and(a, b),
        IntBinary::Or => Dispatch::bitwise_or(a, b),
        IntBinary::Xor => Dispatch::bitwise_xor(a, b),
        IntBinary::ShiftLeft => Dispatch::bitwise_left_shift(a, b),
        IntBinary::ShiftRight => Dispatch::bitwise_right_shift(a, b),
    }
}

pub(super) fn scalar(operation: IntBinary, a: DispatchTensor, b: i64) -> DispatchTensor {
    let b = b.into();
    match operation {
        IntBinary::Add => Dispatch::int_add_scalar(a, b),
        IntBinary::Sub => Dispatch::int_sub_scalar(a, b),
        IntBinary::Mul => Dispatch::int_mul_scalar(a, b),
        IntBinary::Div => Dispatch::int_div_scalar(a, b),
        IntBinary::Rem => Dispatch::int_remainder_scalar(a, b),
        IntBinary::And => Dispatch::bitwise_and_scalar(a, b),
        IntBinary::Or => Dispatch::bitwise_or_scalar(a, b),
        IntBinary::Xor => Dispatch::bitwise_xor_scalar(a, b),
        IntBinary::ShiftLeft => Dispatch::bitwise_left_shift_scalar(a, b),
        IntBinary::ShiftRight => Dispatch::bitwise_right_shift_scalar(a, b),
    }
}

pub(super) fn unary(operation: IntUnary, a: DispatchTensor) -> DispatchTensor {
    match operation {
        IntUnary::Abs => Dispatch::int_abs(a),
        IntUnary::Sign => Dispatch::int_sign(a),
        IntUnary::Not => Dispatch::bitwise_not(a),
        IntUnary::CumSum(axis) => Dispatch::int_cumsum(a, axis),
        IntUnary::CumProd(axis) => Dispatch::int_cumprod(a, axis),
        IntUnary::CumMax(axis) => Dispatch::int_cummax(a, axis),
        IntUnary::CumMin(axis) => Dispatch::int_cummin(a, axis),
        IntUnary::MaxAlong(axis) => Dispatch::int_max_dim(a, axis),
        IntUnary::MinAlong(axis) => Dispatch::int_min_dim(a, axis),
        IntUnary::ProdAlong(axis) => Dispatch::int_prod_dim(a, axis),
        IntUnary::AtLeast(bound) => Dispatch::int_clamp_min(a, bound.into()),
        IntUnary::AtMost(bound) => Dispatch::int_clamp_max(a, bound.into()),
        IntUnary::Power(exponent) => Dispatch::int_powi_scalar(a, exponent.into()),
        IntUnary::Sort { axis, descending } => Dispatch::int_sort(a, axis, descending),
    }
}
