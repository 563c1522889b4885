//! Operations with integers or booleans on one of their sides: piecewise constant, no derivative.

use burn::tensor::{BoolDType, DType, IntDType};
use burn_backend::TensorMetadata;
use burn_backend::ops::{BoolTensorOps, FloatTensorOps, IntTensorOps};
use burn_dispatch::{Dispatch, DispatchTensor};

use super::{IntBinary, IntUnary, Kind, Rules, Site, Stack, inputs, integer};
use crate::graph::{Graph, NodeId, Real, broadcast};

/// An order relation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Greater,
    GreaterEqual,
    Lower,
    LowerEqual,
}

/// See the [module](self).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Discrete {
    /// Two tensors compared.
    Compare(Comparison),
    /// A float tensor compared with a number.
    CompareFloat(Comparison, Real),
    /// An integer tensor compared with a number.
    CompareInt(Comparison, i64),
    IsNan,
    IsInf,
    Not,
    And,
    Or,
    Xor,
    AnyAlong(usize),
    AllAlong(usize),
    /// To floats.
    ToFloat,
    /// To integers; floats are truncated.
    ToInt,
    Int(IntBinary),
    IntScalar(IntBinary, i64),
    IntUnary(IntUnary),
    ArgMax(usize),
    ArgMin(usize),
    ArgSort {
        axis: usize,
        descending: bool,
    },
    /// `Where`: the third input where the mask (second) is true, otherwise the first.
    Where,
    /// The largest entry along an axis, as a constant: what a shift of an exponential needs.
    MaxAlong(usize),
    /// The cumulative maximum (or minimum) of floats, as a constant.
    CumMax(usize),
    CumMin(usize),
}

impl Graph {
    /// Applies an operation whose result has the broadcast shape of its inputs.
    pub(crate) fn discrete(
        &mut self,
        operation: Discrete,
        inputs: Vec<NodeId>,
        dtype: DType,
    ) -> NodeId {
        let shape = inputs
            .iter()
            .map(|&input| self.shape(input).to_vec())
            .reduce(|a, b| broadcast(&a, &b))
            .expect("an operation has inputs");
        self.insert(operation, inputs, shape, dtype)
    }

    /// Applies an operation that leaves length `len` of an axis.
    pub(crate) fn along(
        &mut self,
        operation: Discrete,
        x: NodeId,
        axis: usize,
        len: usize,
        dtype: DType,
    ) -> NodeId {
        let mut shape = self.shape(x).to_vec();
        shape[axis] = len;
        self.insert(operation, vec![x], shape, dtype)
    }

    /// Returns a mask as zeros and ones.
    pub(crate) fn as_float(&mut self, mask: NodeId, dtype: DType) -> NodeId {
        self.discrete(Discrete::ToFloat, vec![mask], dtype)
    }

    /// Returns `value` where `mask` holds, otherwise `x`; the parts that vary are weighted by the
    /// mask.
    pub(crate) fn replace_where(&mut self, x: NodeId, mask: NodeId, value: NodeId) -> NodeId {
        let dtype = self.dtype(x);
        self.discrete(Discrete::Where, vec![x, mask, value], dtype)
    }
}

/// The type of a boolean node; the tensors have that of the device.
pub(crate) const BOOL: DType = DType::Bool(burn::tensor::BoolStore::Native);

impl Site<'_> {
    /// Returns the integer type that the device gives when none is asked for.
    pub(crate) fn int_dtype(&self) -> IntDType {
        burn_backend::get_or_init_device_settings::<Dispatch>(self.device).int_dtype
    }

    pub(crate) fn bool_dtype(&self) -> BoolDType {
        burn_backend::get_or_init_device_settings::<Dispatch>(self.device).bool_dtype
    }
}

fn compare(
    comparison: Comparison,
    a: DispatchTensor,
    b: DispatchTensor,
    to: BoolDType,
) -> DispatchTensor {
    use Comparison::{Equal, Greater, GreaterEqual, Lower, LowerEqual, NotEqual};
    match (Kind::of(a.dtype()), comparison) {
        (Kind::Float, Equal) => Dispatch::float_equal(a, b, to),
        (Kind::Float, NotEqual) => Dispatch::float_not_equal(a, b, to),
        (Kind::Float, Greater) => Dispatch::float_greater(a, b, to),
        (Kind::Float, GreaterEqual) => Dispatch::float_greater_equal(a, b, to),
        (Kind::Float, Lower) => Dispatch::float_lower(a, b, to),
        (Kind::Float, LowerEqual) => Dispatch::float_lower_equal(a, b, to),
        (Kind::Int, Equal) => Dispatch::int_equal(a, b, to),
        (Kind::Int, NotEqual) => Dispatch::int_not_equal(a, b, to),
        (Kind::Int, Greater) => Dispatch::int_greater(a, b, to),
        (Kind::Int, GreaterEqual) => Dispatch::int_greater_equal(a, b, to),
        (Kind::Int, Lower) => Dispatch::int_lower(a, b, to),
        (Kind::Int, LowerEqual) => Dispatch::int_lower_equal(a, b, to),
        (Kind::Bool, Equal) => Dispatch::bool_equal(a, b),
        (Kind::Bool, _) => Dispatch::bool_not_equal(a, b),
    }
}

fn compare_float(
    comparison: Comparison,
    a: DispatchTensor,
    b: f64,
    to: BoolDType,
) -> DispatchTensor {
    let b = b.into();
    match comparison {
        Comparison::Equal => Dispatch::float_equal_elem(a, b, to),
        Comparison::NotEqual => Dispatch::float_not_equal_elem(a, b, to),
        Comparison::Greater => Dispatch::float_greater_elem(a, b, to),
        Comparison::GreaterEqual => Dispatch::float_greater_equal_elem(a, b, to),
        Comparison::Lower => Dispatch::float_lower_elem(a, b, to),
        Comparison::LowerEqual => Dispatch::float_lower_equal_elem(a, b, to),
    }
}

fn compare_int(comparison: Comparison, a: DispatchTensor, b: i64, to: BoolDType) -> DispatchTensor {
    let b = b.into();
    match comparison {
        Comparison::Equal => Dispatch::int_equal_elem(a, b, to),
        Comparison::NotEqual => Dispatch::int_not_equal_elem(a, b, to),
        Comparison::Greater => Dispatch::int_greater_elem(a, b, to),
        Comparison::GreaterEqual => Dispatch::int_greater_equal_elem(a, b, to),
        Comparison::Lower => Dispatch::int_lower_elem(a, b, to),
        Comparison::LowerEqual => Dispatch::int_lower_equal_elem(a, b, to),
    }
}

impl Rules for Discrete {
    fn evaluate(&self, tensors: Vec<DispatchTensor>, at: &Site<'_>) -> DispatchTensor {
        let result = self.value(tensors, at);
        // Devices differ in the integer type they give indices.
        if Kind::of(at.dtype) == Kind::Int && result.dtype() != at.dtype {
            return Dispatch::int_cast(result, at.dtype.into());
        }
        result
    }

    fn jvp(
        &self,
        graph: &mut Graph,
        inputs: &[NodeId],
        out: NodeId,
        tangents: &[Option<NodeId>],
    ) -> Option<NodeId> {
        if *self != Self::Where {
            return None;
        }
        // Written with the mask as a number, so that the derivative is a plain product.
        let (dtype, shape) = (graph.dtype(out), graph.shape(out).to_vec());
        let second = graph.as_float(inputs[1], dtype);
        let from_b = tangents[2].map(|tangent| graph.mul(tangent, second));
        let from_a = tangents[0].map(|tangent| {
            let minus = graph.neg(second);
            let first = graph.offset(minus, 1.0);
            graph.mul(tangent, first)
        });
        match (from_a, from_b) {
            (Some(a), Some(b)) => {
                let sum = graph.add(a, b);
                Some(graph.expand(sum, shape))
            }
            (Some(one), None) | (None, Some(one)) => Some(graph.expand(one, shape)),
            (None, None) => None,
        }
    }

    /// Repeats an input without the axis along it; an operation along an axis is along
    /// the next.
    fn batch(&self, graph: &mut Graph, stack: &Stack<'_>) -> NodeId {
        let inputs = (0..stack.inputs.len())
            .map(|position| stack.broadcast(graph, position))
            .collect();
        let (shape, dtype) = (stack.shape(graph), graph.dtype(stack.out));
        graph.insert(self.shifted(), inputs, shape, dtype)
    }
}

impl Discrete {
    /// Returns the same with one more axis in front.
    const fn shifted(&self) -> Self {
        match *self {
            Self::AnyAlong(axis) => Self::AnyAlong(axis + 1),
            Self::AllAlong(axis) => Self::AllAlong(axis + 1),
            Self::ArgMax(axis) => Self::ArgMax(axis + 1),
            Self::ArgMin(axis) => Self::ArgMin(axis + 1),
            Self::ArgSort { axis, descending } => Self::ArgSort {
                axis: axis + 1,
                descending,
            },
            Self::MaxAlong(axis) => Self::MaxAlong(axis + 1),
            Self::CumMax(axis) => Self::CumMax(axis + 1),
            Self::CumMin(axis) => Self::CumMin(axis + 1),
            Self::IntUnary(operation) => Self::IntUnary(operation.shifted()),
            Self::Compare(comparison) => Self::Compare(comparison),
            Self::CompareFloat(comparison, value) => Self::CompareFloat(comparison, value),
            Self::CompareInt(comparison, value) => Self::CompareInt(comparison, value),
            Self::Int(operation) => Self::Int(operation),
            Self::IntScalar(operation, value) => Self::IntScalar(operation, value),
            Self::IsNan => Self::IsNan,
            Self::IsInf => Self::IsInf,
            Self::Not => Self::Not,
            Self::And => Self::And,
            Self::Or => Self::Or,
            Self::Xor => Self::Xor,
            Self::ToFloat => Self::ToFloat,
            Self::ToInt => Self::ToInt,
            Self::Where => Self::Where,
        }
    }

    fn value(&self, tensors: Vec<DispatchTensor>, at: &Site<'_>) -> DispatchTensor {
        match *self {
            Self::Compare(comparison) => {
                let [a, b] = inputs(tensors);
                return compare(comparison, a, b, at.bool_dtype());
            }
            Self::Int(operation) => {
                let [a, b] = inputs(tensors);
                return integer::binary(operation, a, b);
            }
            Self::And | Self::Or | Self::Xor => {
                let [a, b] = inputs(tensors);
                return match self {
                    Self::And => Dispatch::bool_and(a, b),
                    Self::Or => Dispatch::bool_or(a, b),
                    _ => Dispatch::bool_xor(a, b),
                };
            }
            Self::Where => {
                let [a, mask, b] = inputs(tensors);
                // Burn's kernels want the full shape of all three.
                let shape = || at.shape.to_vec().into();
                let mask = Dispatch::bool_expand(mask, shape());
                return match Kind::of(at.dtype) {
                    Kind::Float => Dispatch::float_mask_where(
                        Dispatch::float_expand(a, shape()),
                        mask,
                        Dispatch::float_expand(b, shape()),
                    ),
                    Kind::Int => Dispatch::int_mask_where(
                        Dispatch::int_expand(a, shape()),
                        mask,
                        Dispatch::int_expand(b, shape()),
                    ),
                    Kind::Bool => Dispatch::bool_mask_where(
                        Dispatch::bool_expand(a, shape()),
                        mask,
                        Dispatch::bool_expand(b, shape()),
                    ),
                };
            }
            _ => {}
        }
        let [x] = inputs(tensors);
        match *self {
            Self::CompareFloat(comparison, value) => {
                compare_float(comparison, x, value.get(), at.bool_dtype())
            }
            Self::CompareInt(comparison, value) => {
                compare_int(comparison, x, value, at.bool_dtype())
            }
            Self::IsNan => Dispatch::float_is_nan(x, at.bool_dtype()),
            Self::IsInf => Dispatch::float_is_inf(x, at.bool_dtype()),
            Self::Not => Dispatch::bool_not(x),
            Self::AnyAlong(axis) => Dispatch::bool_any_dim(x, axis),
            Self::AllAlong(axis) => Dispatch::bool_all_dim(x, axis),
            Self::ToFloat => match Kind::of(x.dtype()) {
                Kind::Bool => Dispatch::bool_into_float(x, at.dtype.into()),
                _ => Dispatch::int_into_float(x, at.dtype.into()),
            },
            Self::ToInt => match Kind::of(x.dtype()) {
                Kind::Bool => Dispatch::bool_into_int(x, at.dtype.into()),
                _ => Dispatch::float_into_int(x, at.dtype.into()),
            },
            Self::IntScalar(operation, value) => integer::scalar(operation, x, value),
            Self::IntUnary(operation) => integer::unary(operation, x),
            Self::ArgMax(axis) => match Kind::of(x.dtype()) {
                Kind::Float => Dispatch::float_argmax(x, axis, at.dtype.into()),
                _ => Dispatch::int_argmax(x, axis),
            },
            Self::ArgMin(axis) => match Kind::of(x.dtype()) {
                Kind::Float => Dispatch::float_argmin(x, axis, at.dtype.into()),
                _ => Dispatch::int_argmin(x, axis),
            },
            Self::ArgSort { axis, descending } => match Kind::of(x.dtype()) {
                Kind::Float => Dispatch::float_argsort(x, axis, descending, at.dtype.into()),
                _ => Dispatch::int_argsort(x, axis, descending),
            },
            Self::MaxAlong(axis) => Dispatch::float_max_dim(x, axis),
            Self::CumMax(axis) => Dispatch::float_cummax(x, axis),
            Self::CumMin(axis) => Dispatch::float_cummin(x, axis),
            Self::Compare(_) | Self::Int(_) | Self::And | Self::Or | Self::Xor | Self::Where => {
                unreachable!("done above")
            }
        }
    }
}
