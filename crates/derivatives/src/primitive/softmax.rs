//! Softmax and its logarithm along an axis.
//!
//! With `s = softmax(x)` the tangents are `ṡ = s (ẋ − Σ s ẋ)`, and `ẋ − Σ s ẋ` for `log s`.

use burn_backend::ops::ActivationOps;
use burn_dispatch::{Dispatch, DispatchTensor};

use super::{Rules, Site, Stack, Unary, inputs};
use crate::graph::{Graph, NodeId};

/// A normalised exponential along an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Softmax {
    Plain(usize),
    Log(usize),
}

impl Graph {
    pub(crate) fn softmax(&mut self, x: NodeId, axis: usize) -> NodeId {
        let (shape, dtype) = (self.shape(x).to_vec(), self.dtype(x));
        self.insert(Softmax::Plain(axis), vec![x], shape, dtype)
    }

    pub(crate) fn log_softmax(&mut self, x: NodeId, axis: usize) -> NodeId {
        let (shape, dtype) = (self.shape(x).to_vec(), self.dtype(x));
        self.insert(Softmax::Log(axis), vec![x], shape, dtype)
    }
}

impl Rules for Softmax {
    fn evaluate(&self, tensors: Vec<DispatchTensor>, at: &Site<'_>) -> DispatchTensor {
        let [x] = inputs(tensors);
        let (axis, logarithm) = match *self {
            Self::Plain(axis) => (axis, false),
            Self::Log(axis) => (axis, true),
        };
        // Rows of the last axis stand together.
        if axis + 1 == at.shape.len()
            && let Some(value) = flex_kernels::softmax(&x, logarithm, at.shape[axis], at.shape)
        {
            return value;
        }
        if logarithm {
            Dispatch::log_softmax(x, axis)
        } else {
            Dispatch::softmax(x, axis)
        }
    }

    fn jvp(
        &self,
        graph: &mut Graph,
        _inputs: &[NodeId],
        out: NodeId,
        tangents: &[Option<NodeId>],
    ) -> Option<NodeId> {
        let tangent = tangents[0]?;
        let (softmax, axis) = match *self {
            Self::Plain(axis) => (out, axis),
            Self::Log(axis) => (graph.unary(Unary::Exp, out), axis),
        };
        let weighted = graph.mul(tangent, softmax);
        let mean = graph.sum_over(weighted, &[axis]);
        Some(match self {
            // s dx - s sum(s dx): the product is there already.
            Self::Plain(_) => {
                let drift = graph.mul(softmax, mean);
                graph.sub(weighted, drift)
            }
            Self::Log(_) => graph.sub(tangent, mean),
        })
    }

    fn batch(&self, graph: &mut Graph, stack: &Stack<'_>) -> NodeId {
        match *self {
            Self::Plain(axis) => graph.softmax(stack.inputs[0], axis + 1),
            Self::Log(axis) => graph.log_softmax(stack.inputs[0], axis + 1),
        }
    }
}
