//! Order along an axis: positions of extrema, sorting, products and running extrema.

use burn::tensor::{DType, TensorData};

use super::Lowering;
use crate::graph::{NodeId, index_of};
use crate::primitive::{BOOL, Comparison, Discrete, IntBinary, IntUnary};

/// Our own indices.
pub(super) const INDEX: DType = DType::I64;

impl Lowering {
    pub(super) fn arg_max(&mut self, x: NodeId, axis: usize, dtype: DType) -> NodeId {
        self.graph.along(Discrete::ArgMax(axis), x, axis, 1, dtype)
    }

    pub(super) fn arg_min(&mut self, x: NodeId, axis: usize, dtype: DType) -> NodeId {
        self.graph.along(Discrete::ArgMin(axis), x, axis, 1, dtype)
    }

    pub(super) fn arg_sort(
        &mut self,
        x: NodeId,
        axis: usize,
        descending: bool,
        dtype: DType,
    ) -> NodeId {
        let len = self.graph.shape(x)[axis];
        self.graph
            .along(Discrete::ArgSort { axis, descending }, x, axis, len, dtype)
    }

    pub(super) fn arg_top(&mut self, x: NodeId, axis: usize, k: usize, dtype: DType) -> NodeId {
        let order = self.arg_sort(x, axis, true, dtype);
        self.graph.narrow(order, axis, 0, k)
    }

    /// Returns the product along an axis as a tree of products of halves: right at zeros as well.
    pub(super) fn product(&mut self, mut x: NodeId, axis: usize) -> NodeId {
        loop {
            let len = self.graph.shape(x)[axis];
            if len <= 1 {
                return x;
            }
            let half = len / 2;
            let first = self.graph.narrow(x, axis, 0, half);
            let second = self.graph.narrow(x, axis, half, 2 * half);
            let products = self.graph.mul(first, second);
            x = if len.is_multiple_of(2) {
                products
            } else {
                let last = self.graph.narrow(x, axis, len - 1, len);
                self.graph.concat(vec![products, last], axis)
            };
        }
    }

    /// Returns running products by doubling: after step k each entry is the product of 2ᵏ entries.
    pub(super) fn cumulative_product(&mut self, mut x: NodeId, axis: usize) -> NodeId {
        let len = self.graph.shape(x)[axis];
        let mut shift = 1;
        while shift < len {
            let head = self.graph.narrow(x, axis, 0, shift);
            let earlier = self.graph.narrow(x, axis, 0, len - shift);
            let later = self.graph.narrow(x, axis, shift, len);
            let products = self.graph.mul(earlier, later);
            x = self.graph.concat(vec![head, products], axis);
            shift *= 2;
        }
        x
    }

    /// Returns each entry taken from where the running extremum was last reached, as in Burn.
    pub(super) fn cumulative_extremum(
        &mut self,
        x: NodeId,
        axis: usize,
        extremum: Discrete,
    ) -> NodeId {
        let (shape, dtype) = (self.graph.shape(x).to_vec(), self.graph.dtype(x));
        let running = self.graph.discrete(extremum, vec![x], dtype);
        let reached =
            self.graph
                .discrete(Discrete::Compare(Comparison::Equal), vec![running, x], BOOL);
        let reached = self.graph.discrete(Discrete::ToInt, vec![reached], INDEX);
        let len = index_of(shape[axis]);
        let mut index_shape = vec![1; shape.len()];
        index_shape[axis] = shape[axis];
        let positions = self
            .graph
            .constant(TensorData::new((0..len).collect::<Vec<i64>>(), index_shape));
        let positions = self.graph.expand(positions, shape);
        let marked = self.graph.discrete(
            Discrete::Int(IntBinary::Mul),
            vec![positions, reached],
            INDEX,
        );
        let latest = self.graph.discrete(
            Discrete::IntUnary(IntUnary::CumMax(axis)),
            vec![marked],
            INDEX,
        );
        self.graph.gather(x, axis, latest)
    }
}
