//! Matrix products, linear in each factor.
//!
//! `C = op_a(A) op_b(B)` on the last two axes, where op transposes or
//! does not; the axes before are repeated where they have length 1. With cotangent C̄ and no
//! transposition `Ā = C̄ Bᵀ` and `B̄ = Aᵀ C̄`; the other cases follow by
//! transposing those.

use burn_backend::ops::FloatTensorOps;
use burn_dispatch::{Dispatch, DispatchTensor};

use super::{Primitive, Rules, Site, Stack, inputs};
use crate::graph::{Graph, NodeId, broadcast, elements};
use crate::primitive::Layout;

/// A matrix product; the flags say which factor is transposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct MatMul {
    pub(crate) transpose_a: bool,
    pub(crate) transpose_b: bool,
}

impl MatMul {
    /// Returns the axis of a factor of this rank, the first or the second, that is summed over.
    pub(crate) fn summed(self, is_first: bool, rank: usize) -> usize {
        let flag = if is_first {
            !self.transpose_a
        } else {
            self.transpose_b
        };
        rank - 2 + usize::from(flag)
    }
}

impl Graph {
    pub(crate) fn matmul(
        &mut self,
        a: NodeId,
        transpose_a: bool,
        b: NodeId,
        transpose_b: bool,
    ) -> NodeId {
        let (a, transpose_a) = self.untransposed(a, transpose_a);
        let (b, transpose_b) = self.untransposed(b, transpose_b);
        let batch = self.rank(a) - 2;
        // One matrix for all rows of a batch: the batch is more rows.
        let shared = self.shape(b)[..batch].iter().all(|&len| len == 1);
        if batch > 0 && shared && !transpose_a {
            return self.rows_times(a, b, transpose_b);
        }
        let (shape_a, shape_b) = (self.shape(a), self.shape(b));
        let mut shape = broadcast(&shape_a[..batch], &shape_b[..batch]);
        shape.push(shape_a[batch + usize::from(transpose_a)]);
        shape.push(shape_b[batch + usize::from(!transpose_b)]);
        let dtype = self.dtype(a);
        let product = MatMul {
            transpose_a,
            transpose_b,
        };
        self.insert(product, vec![a, b], shape, dtype)
    }

    fn rows_times(&mut self, a: NodeId, b: NodeId, transpose_b: bool) -> NodeId {
        let mut shape = self.shape(a).to_vec();
        let n = shape.len();
        let matrix = self.shape(b)[n - 2..].to_vec();
        let rows = elements(&shape[..n - 1]);
        let flat = self.reshape(a, vec![rows, shape[n - 1]]);
        let b = self.reshape(b, matrix);
        let product = self.matmul(flat, false, b, transpose_b);
        shape[n - 1] = self.shape(product)[1];
        self.reshape(product, shape)
    }

    /// Takes a factor whose last two axes were swapped as it was before.
    fn untransposed(&self, x: NodeId, flag: bool) -> (NodeId, bool) {
        if let Primitive::Layout(Layout::Permute(axes)) = self.primitive(x) {
            let n = axes.len();
            let swaps_last = axes[..n - 2].iter().copied().eq(0..n - 2)
                && axes[n - 2] == n - 1
                && axes[n - 1] == n - 2;
            if swaps_last {
                return (self.input(x, 0), !flag);
            }
        }
        (x, flag)
    }
}

impl Rules for MatMul {
    fn evaluate(&self, tensors: Vec<DispatchTensor>, at: &Site<'_>) -> DispatchTensor {
        let [a, b] = inputs(tensors);
        let transposed = [self.transpose_a, self.transpose_b];
        if at.shape.len() > 2
            && let Some(products) = flex_kernels::small_products(&a, &b, transposed)
        {
            return products;
        }
        let flip = |x, flag| {
            if flag {
                Dispatch::float_transpose(x)
            } else {
                x
            }
        };
        Dispatch::float_matmul(flip(a, self.transpose_a), flip(b, self.transpose_b))
    }

    fn jvp(
        &self,
        graph: &mut Graph,
        inputs: &[NodeId],
        _out: NodeId,
        tangents: &[Option<NodeId>],
    ) -> Option<NodeId> {
        let (flag_a, flag_b) = (self.transpose_a, self.transpose_b);
        let first = tangents[0].map(|da| graph.matmul(da, flag_a, inputs[1], flag_b));
        let second = tangents[1].map(|db| graph.matmul(inputs[0], flag_a, db, flag_b));
        match (first, second) {
            (Some(first), Some(second)) => Some(graph.add(first, second)),
            (one, None) | (None, one) => one,
        }
    }

    fn transpose(
        &self,
        graph: &mut Graph,
        inputs: &[NodeId],
        linear: &[bool],
        cotangent: NodeId,
    ) -> Vec<Option<NodeId>> {
        let (a, b) = (inputs[0], inputs[1]);
        let to_a = linear[0].then(|| {
            let product = if self.transpose_a {
                graph.matmul(b, self.transpose_b, cotangent, true)
            } else {
                graph.matmul(cotangent, false, b, !self.transpose_b)
            };
            let shape = graph.shape(a).to_vec();
            graph.sum_to(product, shape)
        });
        let to_b = linear[1].then(|| {
            let product = if self.transpose_b {
                graph.matmul(cotangent, true, a, self.transpose_a)
            } else {
                graph.matmul(a, !self.transpose_a, cotangent, false)
            };
            let shape = graph.shape(b).to_vec();
            graph.sum_to(product, shape)
        });
        vec![to_a, to_b]
    }

    /// Puts one more axis before the matrices. Where only one factor has it, the other stays one
    /// matrix and the product is one large one: of more rows, or of more columns.
    fn batch(&self, graph: &mut Graph, stack: &Stack<'_>) -> NodeId {
        let (flag_a, flag_b) = (self.transpose_a, self.transpose_b);
        let (a, b) = (stack.inputs[0], stack.inputs[1]);
        if !stack.mapped[0] && graph.rank(a) == 2 && !flag_b {
            // [B, k, n] as [k, B n]
            let columns = graph.swap(b, 0, 1);
            let [k, len, n] = [0, 1, 2].map(|axis| graph.shape(columns)[axis]);
            let columns = graph.reshape(columns, vec![k, len * n]);
            let product = graph.matmul(a, flag_a, columns, false);
            let m = graph.shape(product)[0];
            let split = graph.reshape(product, vec![m, len, n]);
            return graph.swap(split, 0, 1);
        }
        let [a, b] = [0, 1].map(|position| stack.broadcast(graph, position));
        graph.matmul(a, flag_a, b, flag_b)
    }
}
