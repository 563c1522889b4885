//! Sums along axes, and cumulative sums: all linear.
//!
//! `Sum` sums to a shape of the same rank whose other axes have length 1; its transpose repeats.
//! The transpose of the cumulative sum `yᵢ = Σ_{j ≤ i} xⱼ` is the one from the other end.

use burn_backend::TensorMetadata;
use burn_backend::ops::{FloatTensorOps, IntTensorOps};
use burn_dispatch::{Dispatch, DispatchTensor};

use super::{Kind, Primitive, Rules, Site, Stack, Unary, inputs};
use crate::graph::{Graph, NodeId};
use crate::primitive::Layout;

/// A sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Reduce {
    /// To the shape of the node.
    Sum,
    /// Cumulative, along an axis, from the first or from the last entry on.
    Cumulative { axis: usize, reverse: bool },
}

impl Graph {
    /// Returns the sum over the axes that have length 1 in `shape`.
    pub(crate) fn sum_to(&mut self, x: NodeId, shape: Vec<usize>) -> NodeId {
        if self.shape(x) == shape.as_slice() {
            return x;
        }
        let dtype = self.dtype(x);
        if let Some(value) = self.as_fill(x) {
            let count = ratio(self.shape(x), &shape);
            let sum = Primitive::Fill(crate::graph::Real::new(value * count));
            return self.insert(sum, Vec::new(), shape, dtype);
        }
        match *self.primitive(x) {
            Primitive::Reduce(Reduce::Sum) => {
                let x = self.input(x, 0);
                self.sum_to(x, shape)
            }
            // A factor is cheaper on the smaller tensor.
            Primitive::Unary(Unary::Scale(c)) => {
                let x = self.input(x, 0);
                let sum = self.sum_to(x, shape);
                self.scale(sum, c.get())
            }
            Primitive::Layout(Layout::Expand) => {
                let inner = self.input(x, 0);
                let kept: Vec<usize> = self
                    .shape(inner)
                    .iter()
                    .zip(&shape)
                    .map(|(&a, &b)| a.min(b))
                    .collect();
                // The axes that were repeated and are summed contribute their length.
                let count: usize = self
                    .shape(inner)
                    .iter()
                    .zip(self.shape(x))
                    .zip(&shape)
                    .filter(|((inner, _), to)| **inner == 1 && **to == 1)
                    .map(|((_, full), _)| *full)
                    .product();
                let sum = self.sum_to(inner, kept);
                let sum = self.expand(sum, shape);
                #[expect(clippy::cast_precision_loss, reason = "lengths are far below 2^53")]
                self.scale(sum, count as f64)
            }
            Primitive::Layout(Layout::Permute(ref axes)) => {
                let axes = axes.clone();
                let inner = self.input(x, 0);
                let mut to = vec![1; axes.len()];
                for (position, &axis) in axes.iter().enumerate() {
                    to[axis] = shape[position];
                }
                let sum = self.sum_to(inner, to);
                self.permute(sum, &axes)
            }
            _ => self.insert(Reduce::Sum, vec![x], shape, dtype),
        }
    }

    /// Returns the sum over `axes`, which keep length 1.
    pub(crate) fn sum_over(&mut self, x: NodeId, axes: &[usize]) -> NodeId {
        let mut shape = self.shape(x).to_vec();
        for &axis in axes {
            shape[axis] = 1;
        }
        self.sum_to(x, shape)
    }

    /// Returns the sum of all entries, `[1]`.
    pub(crate) fn total(&mut self, x: NodeId) -> NodeId {
        let sum = self.sum_to(x, vec![1; self.rank(x)]);
        self.reshape(sum, vec![1])
    }

    /// Returns the mean over `axes`, which keep length 1.
    pub(crate) fn mean_over(&mut self, x: NodeId, axes: &[usize]) -> NodeId {
        let sum = self.sum_over(x, axes);
        let count = ratio(self.shape(x), self.shape(sum));
        self.scale(sum, count.recip())
    }

    /// Returns the cumulative sum along `axis`.
    pub(crate) fn cumulative(&mut self, x: NodeId, axis: usize, reverse: bool) -> NodeId {
        let (shape, dtype) = (self.shape(x).to_vec(), self.dtype(x));
        self.insert(Reduce::Cumulative { axis, reverse }, vec![x], shape, dtype)
    }
}

/// Returns how many entries of a tensor of shape `full` go into one of shape `reduced`.
#[expect(clippy::cast_precision_loss, reason = "lengths are far below 2^53")]
fn ratio(full: &[usize], reduced: &[usize]) -> f64 {
    full.iter()
        .zip(reduced)
        .filter(|(full, reduced)| full != reduced)
        .map(|(full, _)| *full as f64)
        .product()
}

impl Rules for Reduce {
    fn evaluate(&self, tensors: Vec<DispatchTensor>, at: &Site<'_>) -> DispatchTensor {
        let [x] = inputs(tensors);
        match *self {
            Self::Sum => {
                let from = x.shape();
                let axes = (0..at.shape.len()).filter(|&axis| from[axis] != at.shape[axis]);
                match Kind::of(at.dtype) {
                    Kind::Float => Dispatch::float_sum_dims(x, &axes.collect::<Vec<_>>()),
                    _ => axes.fold(x, Dispatch::int_sum_dim),
                }
            }
            Self::Cumulative {
                axis,
                reverse: false,
            } => Dispatch::float_cumsum(x, axis),
            Self::Cumulative {
                axis,
                reverse: true,
            } => {
                let flipped = Dispatch::float_flip(x, &[axis]);
                Dispatch::float_flip(Dispatch::float_cumsum(flipped, axis), &[axis])
            }
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
        Some(match *self {
            Self::Sum => {
                let shape = graph.shape(out).to_vec();
                graph.sum_to(tangent, shape)
            }
            Self::Cumulative { axis, reverse } => graph.cumulative(tangent, axis, reverse),
        })
    }

    fn transpose(
        &self,
        graph: &mut Graph,
        inputs: &[NodeId],
        _linear: &[bool],
        cotangent: NodeId,
    ) -> Vec<Option<NodeId>> {
        vec![Some(match *self {
            Self::Sum => {
                let shape = graph.shape(inputs[0]).to_vec();
                graph.expand(cotangent, shape)
            }
            Self::Cumulative { axis, reverse } => graph.cumulative(cotangent, axis, !reverse),
        })]
    }

    /// Gives each entry of the axis a sum of its own.
    fn batch(&self, graph: &mut Graph, stack: &Stack<'_>) -> NodeId {
        match *self {
            Self::Sum => {
                let shape = stack.shape(graph);
                graph.sum_to(stack.inputs[0], shape)
            }
            Self::Cumulative { axis, reverse } => {
                graph.cumulative(stack.inputs[0], axis + 1, reverse)
            }
        }
    }
}
