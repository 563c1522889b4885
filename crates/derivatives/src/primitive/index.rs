//! Entries picked by integer tensors, and their transposes, which add entries up.
//!
//! | primitive | value | transpose in x |
//! |---|---|---|
//! | `Gather(axis)` | $y_{..i..} = x_{..k_{..i..}..}$ | `ScatterAdd` |
//! | `ScatterAdd(axis)` | $y_{..k_{..i..}..} \mathrel{+}= x_{..i..}$, from zeros | `Gather` |
//! | `Select(axis)` | whole slices: $y_{..i..} = x_{..k_i..}$ | `SelectAdd` |
//! | `SelectAdd(axis)` | $y_{..k_i..} \mathrel{+}= x_{..i..}$, from zeros | `Select` |
//!
//! The inputs are x and the indices k. Indices have no derivative.

use burn::tensor::{IndexingUpdateOp, TensorData};
use burn_backend::ops::{BoolTensorOps, FloatTensorOps, IntTensorOps};
use burn_dispatch::{Dispatch, DispatchTensor};

use super::layout::by_kind;
use super::{Discrete, IntBinary};
use super::{Kind, Rules, Site, Stack, inputs};
use crate::graph::{Graph, NodeId};

/// Picking or adding up along an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Index {
    Gather(usize),
    ScatterAdd(usize),
    Select(usize),
    SelectAdd(usize),
}

impl Graph {
    pub(crate) fn gather(&mut self, x: NodeId, axis: usize, indices: NodeId) -> NodeId {
        let (shape, dtype) = (self.shape(indices).to_vec(), self.dtype(x));
        self.insert(Index::Gather(axis), vec![x, indices], shape, dtype)
    }

    pub(crate) fn scatter_add(
        &mut self,
        x: NodeId,
        axis: usize,
        indices: NodeId,
        shape: Vec<usize>,
    ) -> NodeId {
        let dtype = self.dtype(x);
        self.insert(Index::ScatterAdd(axis), vec![x, indices], shape, dtype)
    }

    pub(crate) fn select(&mut self, x: NodeId, axis: usize, indices: NodeId) -> NodeId {
        let mut shape = self.shape(x).to_vec();
        shape[axis] = self.shape(indices)[0];
        let dtype = self.dtype(x);
        self.insert(Index::Select(axis), vec![x, indices], shape, dtype)
    }

    pub(crate) fn select_add(
        &mut self,
        x: NodeId,
        axis: usize,
        indices: NodeId,
        len: usize,
    ) -> NodeId {
        let mut shape = self.shape(x).to_vec();
        shape[axis] = len;
        let dtype = self.dtype(x);
        self.insert(Index::SelectAdd(axis), vec![x, indices], shape, dtype)
    }
}

impl Rules for Index {
    fn evaluate(&self, tensors: Vec<DispatchTensor>, at: &Site<'_>) -> DispatchTensor {
        let [x, indices] = inputs(tensors);
        let kind = Kind::of(at.dtype);
        let zeros = || Dispatch::float_zeros(at.shape.to_vec().into(), at.device, at.dtype.into());
        let last = at.shape.len() - 1;
        let own = match *self {
            Self::Gather(axis) if axis == last && kind == Kind::Float => {
                flex_kernels::gather_last(&x, &indices, at.shape)
            }
            Self::ScatterAdd(axis) if axis == last => {
                flex_kernels::scatter_last(&x, &indices, at.shape)
            }
            _ => None,
        };
        if let Some(result) = own {
            return result;
        }
        match *self {
            Self::Gather(axis) => by_kind!(
                kind,
                Dispatch::float_gather(axis, x, indices),
                Dispatch::int_gather(axis, x, indices),
                Dispatch::bool_gather(axis, x, indices)
            ),
            Self::Select(axis) => by_kind!(
                kind,
                Dispatch::float_select(x, axis, indices),
                Dispatch::int_select(x, axis, indices),
                Dispatch::bool_select(x, axis, indices)
            ),
            Self::ScatterAdd(axis) => {
                Dispatch::float_scatter(axis, zeros(), indices, x, IndexingUpdateOp::Add)
            }
            Self::SelectAdd(axis) => {
                Dispatch::float_select_assign(zeros(), axis, indices, x, IndexingUpdateOp::Add)
            }
        }
    }

    fn jvp(
        &self,
        graph: &mut Graph,
        inputs: &[NodeId],
        out: NodeId,
        tangents: &[Option<NodeId>],
    ) -> Option<NodeId> {
        let tangent = tangents[0]?;
        let shape = graph.shape(out).to_vec();
        Some(self.applied(graph, tangent, inputs[1], shape))
    }

    fn transpose(
        &self,
        graph: &mut Graph,
        inputs: &[NodeId],
        _linear: &[bool],
        cotangent: NodeId,
    ) -> Vec<Option<NodeId>> {
        let transposed = match *self {
            Self::Gather(axis) => Self::ScatterAdd(axis),
            Self::ScatterAdd(axis) => Self::Gather(axis),
            Self::Select(axis) => Self::SelectAdd(axis),
            Self::SelectAdd(axis) => Self::Select(axis),
        };
        let shape = graph.shape(inputs[0]).to_vec();
        let contribution = transposed.applied(graph, cotangent, inputs[1], shape);
        vec![Some(contribution), None]
    }

    /// Whole slices by the same indices for all are whole slices along the next axis. By indices
    /// of each one's own they are slices of all of them one after the other, `[B n, ..]`, with
    /// indices $k + b n$.
    fn batch(&self, graph: &mut Graph, stack: &Stack<'_>) -> NodeId {
        match *self {
            Self::Gather(axis) => {
                let [x, indices] = [0, 1].map(|position| stack.repeated(graph, position));
                graph.gather(x, axis + 1, indices)
            }
            Self::ScatterAdd(axis) => {
                let [x, indices] = [0, 1].map(|position| stack.repeated(graph, position));
                let shape = stack.shape(graph);
                graph.scatter_add(x, axis + 1, indices, shape)
            }
            Self::Select(axis) | Self::SelectAdd(axis) if !stack.mapped[1] => {
                let shape = stack.shape(graph);
                let along = match self {
                    Self::Select(_) => Self::Select(axis + 1),
                    _ => Self::SelectAdd(axis + 1),
                };
                along.applied(graph, stack.inputs[0], stack.inputs[1], shape)
            }
            Self::Select(axis) if !stack.mapped[0] => {
                let (indices, mut shape) = (stack.inputs[1], stack.shape(graph));
                let count = graph.shape(indices).iter().product();
                let indices = graph.reshape(indices, vec![count]);
                let slices = graph.select(stack.inputs[0], axis, indices);
                // [.., B k, ..] to [B, .., k, ..]
                let len = shape.remove(0);
                shape.insert(axis, len);
                let slices = graph.reshape(slices, shape);
                let mut axes: Vec<usize> = (0..graph.rank(slices)).collect();
                let front = axes.remove(axis);
                axes.insert(0, front);
                graph.permute(slices, &axes)
            }
            Self::Select(axis) | Self::SelectAdd(axis) => self.by_own_indices(graph, stack, axis),
        }
    }
}

impl Index {
    /// `Select` and `SelectAdd` of `[B, .., n, ..]` by `[B, k]`.
    fn by_own_indices(self, graph: &mut Graph, stack: &Stack<'_>, axis: usize) -> NodeId {
        let (x, len) = (stack.repeated(graph, 0), stack.len);
        let x = graph.swap(x, 1, axis + 1);
        let mut shape = graph.shape(x).to_vec();
        let from = shape.remove(1);
        shape[0] = len * from;
        let rows = graph.reshape(x, shape.clone());
        // How long the axis is that the indices point into, and how long it becomes.
        let to = graph.shape(stack.out)[axis];
        let target = if matches!(self, Self::Select(_)) {
            from
        } else {
            to
        };
        let indices = graph.apart(stack.inputs[1], target);
        shape[0] = len * to;
        let rows = self.along_first(graph, rows, indices, shape.clone());
        shape[0] = to;
        shape.insert(0, len);
        let split = graph.reshape(rows, shape);
        graph.swap(split, 1, axis + 1)
    }

    fn along_first(
        self,
        graph: &mut Graph,
        x: NodeId,
        indices: NodeId,
        shape: Vec<usize>,
    ) -> NodeId {
        let first = match self {
            Self::Select(_) => Self::Select(0),
            _ => Self::SelectAdd(0),
        };
        first.applied(graph, x, indices, shape)
    }

    fn applied(self, graph: &mut Graph, x: NodeId, indices: NodeId, shape: Vec<usize>) -> NodeId {
        match self {
            Self::Gather(axis) => graph.gather(x, axis, indices),
            Self::ScatterAdd(axis) => graph.scatter_add(x, axis, indices, shape),
            Self::Select(axis) => graph.select(x, axis, indices),
            Self::SelectAdd(axis) => graph.select_add(x, axis, indices, shape[axis]),
        }
    }
}

impl Graph {
    /// Indices `[B, k]` into B axes of length `len` as `[B k]` into all of them one after the other.
    fn apart(&mut self, indices: NodeId, len: usize) -> NodeId {
        let [count, each] = [0, 1].map(|axis| self.shape(indices)[axis]);
        let dtype = self.dtype(indices);
        let starts: Vec<i64> = (0..count)
            .map(|b| i64::try_from(b * len).unwrap_or(i64::MAX))
            .collect();
        let starts = TensorData::new(starts, [count, 1]).convert_dtype(dtype);
        let starts = self.constant(starts);
        let shape = vec![count, each];
        let sum = self.insert(
            Discrete::Int(IntBinary::Add),
            vec![indices, starts],
            shape,
            dtype,
        );
        self.reshape(sum, vec![count * each])
    }
}
