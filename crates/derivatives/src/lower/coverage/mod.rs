//! The classes of recorded operations, by their derivatives: one for each variant of Burn's enums.
//!
//! The matches have no wildcard, so that an operation that Burn adds is a compile error here until
//! it has a class. The table of the documentation, `COVERAGE.md`, is made from the same lists.

use std::fmt;

use burn_ir::{
    ActivationOperationIr, BaseOperationIr, BoolOperationIr, DistributedOperationIr,
    FloatOperationIr, IntOperationIr, ModuleOperationIr, NumericOperationIr, OperationIr,
};

use super::{name, unsupported};
use crate::Error;

#[cfg(test)]
mod table;

/// The class of an operation: what differentiation makes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// It has derivatives of every order; at a kink the first is the one that Burn takes.
    Differentiable,
    /// Its result is a constant of differentiation: integers, booleans, steps.
    Constant,
    /// It is refused with an error.
    Exception(Exception),
}

/// The reason why something is refused. There are to be few of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exception {
    Random,
    Quantised,
    OneOfYourOwn,
    Collective,
    CtcBackward,
    /// Not an operation but a type, which any of them may have.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "types are checked where tensors are read")
    )]
    HalfPrecision,
}

impl Exception {
    /// Returns the reason, in one sentence without its full stop.
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::Random => {
                "a derivative needs a fixed function, and random numbers make a new one"
            }
            Self::Quantised => {
                "a quantised tensor is a step function, and its type is none that programs compute in"
            }
            Self::OneOfYourOwn => "an operation of your own is recorded by name only",
            Self::Collective => "a sum over devices is not a function of one model",
            Self::CtcBackward => {
                "Burn's rule is not the derivative of its loss where probabilities do not sum to one"
            }
            Self::HalfPrecision => {
                "the products of a second derivative lose all digits in f16 and bf16"
            }
        }
    }

    /// Returns the error for an operation that falls under it.
    pub(super) fn refuses(self, operation: &OperationIr) -> Error {
        let name = leaf(operation);
        match self {
            Self::Random => Error::Random {
                operation: name,
                near: None,
            },
            _ => unsupported(name, self.reason()),
        }
    }
}

/// Returns the name of a recorded operation, without the kind of its tensors.
pub(super) fn leaf(operation: &OperationIr) -> String {
    match operation {
        OperationIr::BaseFloat(inner)
        | OperationIr::BaseInt(inner)
        | OperationIr::BaseBool(inner) => name(inner),
        OperationIr::NumericFloat(_, inner) | OperationIr::NumericInt(_, inner) => name(inner),
        OperationIr::Bool(inner) => name(inner),
        OperationIr::Int(inner) => name(inner),
        OperationIr::Float(_, inner) => name(inner),
        OperationIr::Module(inner) => name(inner),
        OperationIr::Activation(inner) => name(inner),
        OperationIr::Distributed(inner) => name(inner),
        OperationIr::Custom(inner) => format!("Custom({})", inner.id),
        OperationIr::Init(_) | OperationIr::Drop(_) => name(operation),
    }
}

/// Returns the error for an operation that has a class but no rule: never seen, as the class is
/// asked first.
pub(super) fn no_rule(operation: &impl fmt::Debug) -> Error {
    unsupported(name(operation), "it is listed as covered and has no rule")
}

/// Returns the class of a recorded operation.
pub(super) const fn class(operation: &OperationIr) -> Class {
    match operation {
        OperationIr::BaseFloat(operation) => base(operation),
        OperationIr::NumericFloat(_, operation) => numeric(operation),
        OperationIr::NumericInt(_, operation) => numeric_int(operation),
        OperationIr::Float(_, operation) => float(operation),
        OperationIr::Activation(operation) => activation(operation),
        OperationIr::Module(operation) => module(operation),
        OperationIr::Bool(operation) => bool(operation),
        OperationIr::Int(operation) => int(operation),
        OperationIr::Distributed(operation) => distributed(operation),
        OperationIr::Custom(_) => Class::Exception(Exception::OneOfYourOwn),
        // On integers and booleans; and the bookkeeping of a recording.
        OperationIr::BaseInt(_)
        | OperationIr::BaseBool(_)
        | OperationIr::Init(_)
        | OperationIr::Drop(_) => Constant,
    }
}

/// One exhaustive match, and the same list as a table.
macro_rules! classes {
    ($function:ident, $rows:ident, $operations:ident: $($class:expr => [$($variant:ident),+ $(,)?])+) => {
        const fn $function(operation: &$operations) -> Class {
            match operation {
                $($($operations::$variant { .. })|+ => $class,)+
            }
        }

        #[cfg(test)]
        const $rows: &[(Class, &[&str])] = &[$(($class, &[$(stringify!($variant)),+])),+];
    };
}

use Class::{Constant, Differentiable};

classes! { base, BASE, BaseOperationIr:
    Differentiable => [
        Reshape, SwapDims, Permute, Flip, Expand, Unfold, Slice, SliceAssign, Select, SelectAssign,
        MaskWhere, MaskFill, Gather, Scatter, ScatterNd, GatherNd, RepeatDim, Cat, Cast,
    ]
    Constant => [
        Empty, Ones, Zeros, Equal, EqualElem, NotEqual, NotEqualElem, All, Any, AllDim, AnyDim,
    ]
}

classes! { numeric, NUMERIC, NumericOperationIr:
    Differentiable => [
        Add, AddScalar, Sub, SubScalar, Div, DivScalar, Rem, RemScalar, Mul, MulScalar, Abs, Neg,
        MeanDim, Mean, Sum, SumDim, SumDims, Prod, ProdDim, TopK, TopKWithIndices, Max, Min, MaxDim,
        MinDim, MaxDimWithIndices, MinDimWithIndices, MaxAbs, MaxAbsDim, Clamp, ClampMin, ClampMax,
        Powi, PowiScalar, CumSum, CumProd, CumMin, CumMax, Sort, SortWithIndices, Pad,
    ]
    Constant => [
        Full, Sign, Greater, GreaterElem, GreaterEqual, GreaterEqualElem, Lower, LowerElem,
        LowerEqual, LowerEqualElem, ArgMax, ArgMin, ArgTopK, ArgSort,
    ]
    Class::Exception(Exception::Random) => [IntRandom]
}

classes! { numeric_int, NUMERIC_INT, NumericOperationIr:
    Constant => [
        Add, AddScalar, Sub, SubScalar, Div, DivScalar, Rem, RemScalar, Mul, MulScalar, Abs, Neg,
        Full, Sign, MeanDim, Mean, Sum, SumDim, SumDims, Prod, ProdDim, Greater, GreaterElem,
        GreaterEqual, GreaterEqualElem, Lower, LowerElem, LowerEqual, LowerEqualElem, ArgMax,
        ArgMin, ArgTopK, ArgSort, TopK, TopKWithIndices, Max, Min, MaxDim, MinDim,
        MaxDimWithIndices, MinDimWithIndices, MaxAbs, MaxAbsDim, Clamp, ClampMin, ClampMax, Powi,
        PowiScalar, CumSum, CumProd, CumMin, CumMax, Sort, SortWithIndices, Pad,
    ]
    Class::Exception(Exception::Random) => [IntRandom]
}

classes! { float, FLOAT, FloatOperationIr:
    Differentiable => [
        Exp, Log, Log1p, Erf, PowfScalar, Powf, Sqrt, Cos, Cosh, Sin, Sinh, Tan, Tanh, ArcCos,
        ArcCosh, ArcSin, ArcSinh, ArcTan, ArcTanh, ArcTan2, Hypot, Recip, Matmul, Cross,
        GridSample2d,
    ]
    Constant => [Round, Floor, Ceil, Trunc, IntoInt, IsNan, IsInf]
    Class::Exception(Exception::Random) => [Random]
    Class::Exception(Exception::Quantised) => [Quantize, Dequantize]
}

classes! { activation, ACTIVATION, ActivationOperationIr:
    Differentiable => [
        Relu, LeakyRelu, PRelu, Gelu, Sigmoid, HardSigmoid, LogSigmoid, Softmax, LogSoftmax,
        Softmin, ReluBackward, GeluBackward, SigmoidBackward, LogSigmoidBackward,
    ]
}

classes! { module, MODULE, ModuleOperationIr:
    Differentiable => [
        Linear, Embedding, Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d,
        ConvTranspose3d, DeformableConv2d, AvgPool1d, AvgPool2d, AdaptiveAvgPool1d,
        AdaptiveAvgPool2d, AdaptiveAvgPool3d, MaxPool1d, MaxPool1dWithIndices, MaxPool2d,
        MaxPool2dWithIndices, Interpolate, Unfold4d, BatchNorm, LayerNorm, Attention, CtcLoss,
        LinearXBackward, LinearWeightBackward, LinearBiasBackward, EmbeddingBackward,
        Conv1dXBackward, Conv1dWeightBackward, Conv1dBiasBackward, Conv2dXBackward,
        Conv2dWeightBackward, Conv2dBiasBackward, Conv3dXBackward, Conv3dWeightBackward,
        Conv3dBiasBackward, ConvTranspose1dWeightBackward, ConvTranspose1dBiasBackward,
        ConvTranspose2dWeightBackward, ConvTranspose2dBiasBackward, ConvTranspose3dWeightBackward,
        ConvTranspose3dBiasBackward, DeformableConv2dBackward, AvgPool1dBackward,
        AvgPool2dBackward, AdaptiveAvgPool1dBackward, AdaptiveAvgPool2dBackward,
        AdaptiveAvgPool3dBackward, MaxPool1dWithIndicesBackward, MaxPool2dWithIndicesBackward,
        InterpolateBackward,
    ]
    Class::Exception(Exception::CtcBackward) => [CtcLossBackward]
}

classes! { bool, BOOL, BoolOperationIr:
    Constant => [IntoFloat, IntoInt, Not, And, Or, Xor]
}

classes! { int, INT, IntOperationIr:
    Constant => [
        IntoFloat, BitwiseAnd, BitwiseAndScalar, BitwiseOr, BitwiseOrScalar, BitwiseXor,
        BitwiseXorScalar, BitwiseNot, BitwiseLeftShift, BitwiseLeftShiftScalar, BitwiseRightShift,
        BitwiseRightShiftScalar, Matmul,
    ]
}

classes! { distributed, DISTRIBUTED, DistributedOperationIr:
    Class::Exception(Exception::Collective) => [AllReduce, SyncCollective]
}
