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

use burn::tensor::IndexingUpdateOp;
use burn_backend::ops::{BoolTensorOps, FloatTensorOps, IntTensorOps};
use burn_dispatch::{Dispatch, DispatchTensor};

use super::layout::by_kind;
use super::{Kind, Rules, Site, inputs};
use crate::graph::{Graph, NodeId};
use crate::kernel;

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
                kernel::gather_last(&x, &indices, at.shape)
            }
            Self::ScatterAdd(axis) if axis == last => kernel::scatter_last(&x, &indices, at.shape),
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
}

impl Index {
    fn applied(self, graph: &mut Graph, x: NodeId, indices: NodeId, shape: Vec<usize>) -> NodeId {
        match self {
            Self::Gather(axis) => graph.gather(x, axis, indices),
            Self::ScatterAdd(axis) => graph.scatter_add(x, axis, indices, shape),
            Self::Select(axis) => graph.select(x, axis, indices),
            Self::SelectAdd(axis) => graph.select_add(x, axis, indices, shape[axis]),
        }
    }
}
