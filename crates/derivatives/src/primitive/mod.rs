//! The operations programs are made of, each with its derivative.
//!
//! One file for each family. A file has the constructors (shape rule and simplifications), and
//! for each primitive, side by side: evaluation, derivative (`jvp`) and, where it is linear in an
//! input, the transpose. Reverse rules are never written: a gradient is the transpose of the
//! derivative (Radul, Paszke, Frostig, Johnson, Maclaurin 2023, "You Only Linearize Once").

mod contraction;
mod discrete;
mod elementwise;
mod index;
mod layout;
mod patches;
mod pool;
mod reduce;
mod softmax;

use burn::tensor::DType;
use burn_backend::TensorData;
use burn_dispatch::{Dispatch, DispatchDevice, DispatchTensor};

pub(crate) use contraction::MatMul;
pub(crate) use discrete::{BOOL, Comparison, Discrete, IntBinary, IntUnary};
pub(crate) use elementwise::{Binary, Unary};
pub(crate) use index::Index;
pub(crate) use layout::{Layout, Range};
pub(crate) use patches::{Patches, Window};
pub(crate) use pool::MaxPool;
pub(crate) use reduce::Reduce;
pub(crate) use softmax::Softmax;

use crate::graph::{Graph, NodeId, Real, Set};

/// An operation; what it is applied to stands in the node.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Primitive {
    /// An input of the program.
    Slot {
        set: Set,
        index: usize,
    },
    /// Captured data, by its number.
    Constant(usize),
    /// One float everywhere.
    Fill(Real),
    /// One integer everywhere.
    FillInt(i64),
    /// The input itself, which simplifications do not look through: what another function is
    /// differentiated by has to stay visible.
    Barrier,
    Unary(Unary),
    Binary(Binary),
    Reduce(Reduce),
    Layout(Layout),
    Index(Index),
    MatMul(MatMul),
    Patches(Patches),
    Softmax(Softmax),
    MaxPool(MaxPool),
    Discrete(Discrete),
}

/// The rules of a family of primitives.
pub(crate) trait Rules {
    /// The value, given those of the inputs. `at` says what the result must be.
    fn evaluate(&self, inputs: Vec<DispatchTensor>, at: &Site<'_>) -> DispatchTensor;

    /// The tangent of `out = self(inputs)` when the inputs have these tangents (`None`: zero).
    fn jvp(
        &self,
        graph: &mut Graph,
        inputs: &[NodeId],
        out: NodeId,
        tangents: &[Option<NodeId>],
    ) -> Option<NodeId>;

    /// For the inputs in which `linear` says the primitive is applied to a variable: the
    /// contribution of `cotangent` to theirs. The primitive is linear in those inputs together.
    fn transpose(
        &self,
        graph: &mut Graph,
        inputs: &[NodeId],
        linear: &[bool],
        cotangent: NodeId,
    ) -> Vec<Option<NodeId>>;
}

/// Where and as what a node is evaluated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Site<'a> {
    pub(crate) shape: &'a [usize],
    pub(crate) dtype: DType,
    pub(crate) device: &'a DispatchDevice,
}

impl Primitive {
    fn rules(&self) -> Option<&dyn Rules> {
        Some(match self {
            Self::Slot { .. }
            | Self::Constant(_)
            | Self::Fill(_)
            | Self::FillInt(_)
            | Self::Barrier => return None,
            Self::Unary(rules) => rules,
            Self::Binary(rules) => rules,
            Self::Reduce(rules) => rules,
            Self::Layout(rules) => rules,
            Self::Index(rules) => rules,
            Self::MatMul(rules) => rules,
            Self::Patches(rules) => rules,
            Self::Softmax(rules) => rules,
            Self::MaxPool(rules) => rules,
            Self::Discrete(rules) => rules,
        })
    }

    pub(crate) fn evaluate(
        &self,
        mut inputs: Vec<DispatchTensor>,
        at: &Site<'_>,
    ) -> Option<DispatchTensor> {
        use burn_backend::ops::{FloatTensorOps, IntTensorOps};
        match self {
            Self::Fill(value) => Some(Dispatch::float_full(
                at.shape.to_vec().into(),
                value.get().into(),
                at.device,
                at.dtype.into(),
            )),
            Self::FillInt(value) => Some(Dispatch::int_full(
                at.shape.to_vec().into(),
                (*value).into(),
                at.device,
                at.dtype.into(),
            )),
            Self::Barrier => inputs.pop(),
            other => other.rules().map(|rules| rules.evaluate(inputs, at)),
        }
    }

    pub(crate) fn jvp(
        &self,
        graph: &mut Graph,
        inputs: &[NodeId],
        out: NodeId,
        tangents: &[Option<NodeId>],
    ) -> Option<NodeId> {
        match self {
            Self::Barrier => tangents[0],
            other => other.rules()?.jvp(graph, inputs, out, tangents),
        }
    }

    pub(crate) fn transpose(
        &self,
        graph: &mut Graph,
        inputs: &[NodeId],
        linear: &[bool],
        cotangent: NodeId,
    ) -> Vec<Option<NodeId>> {
        match self {
            Self::Barrier => vec![Some(cotangent)],
            other => other.rules().map_or_else(Vec::new, |rules| {
                rules.transpose(graph, inputs, linear, cotangent)
            }),
        }
    }
}

macro_rules! into_primitive {
    ($($family:ident),*) => {$(
        impl From<$family> for Primitive {
            fn from(primitive: $family) -> Self {
                Self::$family(primitive)
            }
        }
    )*};
}

into_primitive!(
    Unary, Binary, Reduce, Layout, Index, MatMul, Patches, Softmax, MaxPool, Discrete
);

/// The inputs of a primitive, which has as many as its constructor gave it.
fn inputs<const N: usize>(inputs: Vec<DispatchTensor>) -> [DispatchTensor; N] {
    match inputs.try_into() {
        Ok(inputs) => inputs,
        Err(inputs) => unreachable!("{} inputs instead of {N}", inputs.len()),
    }
}

/// What kind of tensor a type is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Float,
    Int,
    Bool,
}

impl Kind {
    pub(crate) fn of(dtype: DType) -> Self {
        if dtype.is_float() {
            Self::Float
        } else if dtype.is_bool() {
            Self::Bool
        } else {
            Self::Int
        }
    }
}

/// `data` on `device`.
pub(crate) fn upload(data: TensorData, device: &DispatchDevice) -> DispatchTensor {
    use burn_backend::ops::{BoolTensorOps, FloatTensorOps, IntTensorOps};
    match Kind::of(data.dtype()) {
        Kind::Float => Dispatch::float_from_data(data, device),
        Kind::Int => Dispatch::int_from_data(data, device),
        Kind::Bool => Dispatch::bool_from_data(data, device),
    }
}
