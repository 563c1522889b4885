//! The operations programs are made of, each with its derivative.
//!
//! One file for each family. A file has the constructors (shape rule and simplifications), and for
//! each primitive, side by side: evaluation, derivative (`jvp`), the transpose where it is linear
//! in an input, and what it is over one more axis (`batch`). Reverse rules are never written: a
//! gradient is the transpose of the derivative (Radul, Paszke, Frostig, Johnson, Maclaurin 2023,
//! "You Only Linearize Once").

mod binary;
mod combine;
mod contraction;
mod discrete;
mod index;
mod integer;
mod layout;
mod maxima;
mod patches;
mod pool;
mod range;
mod reduce;
mod softmax;
mod unary;

use burn::tensor::DType;
use burn_backend::TensorData;
use burn_dispatch::{Dispatch, DispatchDevice, DispatchTensor};

pub(crate) use binary::Binary;
pub(crate) use combine::Combine;
pub(crate) use contraction::MatMul;
pub(crate) use discrete::{BOOL, Comparison, Discrete};
pub(crate) use index::Index;
pub(crate) use integer::{IntBinary, IntUnary};
pub(crate) use layout::Layout;
pub(crate) use maxima::Maxima;
pub(crate) use patches::{Patches, Window};
pub(crate) use pool::MaxPool;
pub(crate) use range::Range;
pub(crate) use reduce::Reduce;
pub(crate) use softmax::Softmax;
pub(crate) use unary::Unary;

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
    /// The input itself, a constant of differentiation.
    Stop,
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
    Combine(Combine),
    Maxima(Maxima),
}

/// The rules of a family of primitives.
pub(crate) trait Rules: std::fmt::Debug {
    /// Returns the value, given those of the inputs. `at` says what the result must be.
    fn evaluate(&self, inputs: Vec<DispatchTensor>, at: &Site<'_>) -> DispatchTensor;

    /// Returns the tangent of `out = self(inputs)` when the inputs have these tangents (`None`:
    /// zero).
    fn jvp(
        &self,
        graph: &mut Graph,
        inputs: &[NodeId],
        out: NodeId,
        tangents: &[Option<NodeId>],
    ) -> Option<NodeId>;

    /// Returns the contribution of `cotangent` to the cotangents of the inputs in which `linear`
    /// says the primitive is applied to a variable. The primitive is linear in those inputs
    /// together; one that is linear in none is never asked.
    fn transpose(
        &self,
        _graph: &mut Graph,
        _inputs: &[NodeId],
        _linear: &[bool],
        _cotangent: NodeId,
    ) -> Vec<Option<NodeId>> {
        unreachable!("{self:?} is not linear")
    }

    /// Returns the primitive applied to each entry of a new leading axis: `[B, ..]` for an output
    /// `[..]`.
    fn batch(&self, graph: &mut Graph, stack: &Stack<'_>) -> NodeId;
}

/// The inputs of a primitive of which some have one more axis in front, of length `len`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stack<'a> {
    pub(crate) inputs: &'a [NodeId],
    /// Which inputs have the axis: at least one.
    pub(crate) mapped: &'a [bool],
    /// The primitive applied without the axis.
    pub(crate) out: NodeId,
    /// Length B of the axis.
    pub(crate) len: usize,
}

impl Stack<'_> {
    /// Returns the shape of the result: B, and the shape without the axis.
    pub(crate) fn shape(&self, graph: &Graph) -> Vec<usize> {
        with_leading(self.len, graph.shape(self.out))
    }

    /// Returns an input with the axis, of length 1 where it has none of its own.
    pub(crate) fn broadcast(&self, graph: &mut Graph, position: usize) -> NodeId {
        let x = self.inputs[position];
        if self.mapped[position] {
            return x;
        }
        let shape = with_leading(1, graph.shape(x));
        graph.reshape(x, shape)
    }

    /// Returns an input with the axis, repeated along it where it has none of its own.
    pub(crate) fn repeated(&self, graph: &mut Graph, position: usize) -> NodeId {
        let x = self.broadcast(graph, position);
        let shape = with_leading(self.len, &graph.shape(x)[1..]);
        graph.expand(x, shape)
    }
}

/// Returns `shape` with an axis of length `len` in front.
pub(crate) fn with_leading(len: usize, shape: &[usize]) -> Vec<usize> {
    std::iter::once(len).chain(shape.iter().copied()).collect()
}

/// The place, type and shape of a value.
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
            | Self::Barrier
            | Self::Stop => return None,
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
            Self::Combine(rules) => rules,
            Self::Maxima(rules) => rules,
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
            Self::Barrier | Self::Stop => inputs.pop(),
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

    /// Returns the primitive over one more axis, see [`Rules::batch`]; `None` for what has no
    /// inputs.
    pub(crate) fn batch(&self, graph: &mut Graph, stack: &Stack<'_>) -> Option<NodeId> {
        match self {
            Self::Barrier | Self::Stop => {
                let (shape, dtype) = (stack.shape(graph), graph.dtype(stack.out));
                Some(graph.insert(self.clone(), stack.inputs.to_vec(), shape, dtype))
            }
            other => Some(other.rules()?.batch(graph, stack)),
        }
    }
}

impl Graph {
    /// Returns one number everywhere.
    pub(crate) fn fill(&mut self, value: f64, like: NodeId) -> NodeId {
        let (shape, dtype) = (self.shape(like).to_vec(), self.dtype(like));
        self.insert(Primitive::Fill(Real::new(value)), Vec::new(), shape, dtype)
    }

    /// Returns the number that `id` is everywhere, if it is known to be one.
    pub(crate) fn as_fill(&self, id: NodeId) -> Option<f64> {
        match self.primitive(id) {
            Primitive::Fill(value) => Some(value.get()),
            _ => None,
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
    Unary, Binary, Reduce, Layout, Index, MatMul, Patches, Softmax, MaxPool, Discrete, Combine,
    Maxima
);

/// Returns the inputs of a primitive, which has as many as its constructor gave it.
fn inputs<const N: usize>(inputs: Vec<DispatchTensor>) -> [DispatchTensor; N] {
    match inputs.try_into() {
        Ok(inputs) => inputs,
        Err(inputs) => unreachable!("{} inputs instead of {N}", inputs.len()),
    }
}

/// The kind of tensor that a type makes.
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

/// Returns the type in which `device` keeps what a program has as `dtype`: its own for booleans,
/// and for integers that it has not.
pub(crate) fn stored(dtype: DType, device: &DispatchDevice) -> DType {
    use burn_backend::{Backend, get_or_init_device_settings};
    let settings = || get_or_init_device_settings::<Dispatch>(device);
    match Kind::of(dtype) {
        Kind::Float => dtype,
        Kind::Int if Dispatch::supports_dtype(device, dtype) => dtype,
        Kind::Int => settings().int_dtype.into(),
        Kind::Bool => settings().bool_dtype.into(),
    }
}

/// Returns `data` on `device`.
pub(crate) fn upload(data: TensorData, device: &DispatchDevice) -> DispatchTensor {
    use burn_backend::ops::{BoolTensorOps, FloatTensorOps, IntTensorOps};
    let dtype = stored(data.dtype(), device);
    let data = if data.dtype() == dtype {
        data
    } else {
        data.convert_dtype(dtype)
    };
    match Kind::of(dtype) {
        Kind::Float => Dispatch::float_from_data(data, device),
        Kind::Int => Dispatch::int_from_data(data, device),
        Kind::Bool => Dispatch::bool_from_data(data, device),
    }
}
