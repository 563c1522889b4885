//! Parts of tensors: ranges, windows, and entries brought in by index with every update.

use burn::tensor::{IndexingUpdateOp, TensorData};
use burn_backend::Slice;

use super::Lowering;
use super::order::INDEX;
use crate::graph::{NodeId, Real, elements, index_of};
use crate::primitive::{BOOL, Comparison, Discrete, IntBinary, IntUnary, Kind, Range};

impl Lowering {
    /// Returns ranges with positive steps, and the axes to be read backwards.
    pub(super) fn ranges(&self, x: NodeId, slices: &[Slice]) -> (Vec<Range>, Vec<usize>) {
        let mut ranges = self.graph.whole(x);
        let mut reversed = Vec::new();
        for (axis, slice) in slices.iter().enumerate() {
            let range = slice.to_range(self.graph.shape(x)[axis]);
            let step = slice.step.unsigned_abs();
            let len = range.end.saturating_sub(range.start).div_ceil(step);
            ranges[axis] = if slice.step < 0 && len > 0 {
                reversed.push(axis);
                Range {
                    start: range.end - 1 - (len - 1) * step,
                    end: range.end,
                    step,
                }
            } else {
                Range {
                    start: range.start,
                    end: range.end.max(range.start),
                    step,
                }
            };
        }
        (ranges, reversed)
    }

    /// Returns windows of `size` entries, `dilation` apart, every `step` along an axis: the axis
    /// counts windows, a new last axis the entries.
    pub(super) fn windows(
        &mut self,
        x: NodeId,
        axis: usize,
        size: usize,
        step: usize,
        dilation: usize,
    ) -> NodeId {
        let reach = (size - 1) * dilation + 1;
        let count = (self.graph.shape(x)[axis] - reach) / step + 1;
        let positions: Vec<i64> = (0..count)
            .flat_map(|window| (0..size).map(move |entry| window * step + entry * dilation))
            .map(index_of)
            .collect();
        let positions = self
            .graph
            .constant(TensorData::new(positions, [count * size]));
        let picked = self.graph.select(x, axis, positions);
        let mut shape = self.graph.shape(picked).to_vec();
        shape[axis] = count;
        shape.insert(axis + 1, size);
        let split = self.graph.reshape(picked, shape);
        let mut axes: Vec<usize> = (0..self.graph.rank(split)).collect();
        axes.remove(axis + 1);
        axes.push(axis + 1);
        self.graph.permute(split, &axes)
    }

    /// Returns x with `value` in `ranges`.
    pub(super) fn assign(&mut self, x: NodeId, ranges: Vec<Range>, value: NodeId) -> NodeId {
        let shape = self.graph.shape(x).to_vec();
        let embedded = self.graph.embed(value, ranges.clone(), shape.clone());
        let ones = self.created_like(value, 1.0);
        let inside = self.graph.embed(ones, ranges, shape);
        let inside = match Kind::of(self.graph.dtype(x)) {
            Kind::Bool => inside,
            Kind::Float => self.graph.discrete(
                Discrete::CompareFloat(Comparison::Greater, Real::new(0.0)),
                vec![inside],
                BOOL,
            ),
            Kind::Int => self.graph.discrete(
                Discrete::CompareInt(Comparison::Greater, 0),
                vec![inside],
                BOOL,
            ),
        };
        self.graph.replace_where(x, inside, embedded)
    }

    /// Returns x with the entries of `value` brought in along an axis, each where its index says.
    ///
    /// The indices have the shape of `value`. What is not added is chosen from a table of
    /// candidates, for each position of x all values along the axis: exact, twice differentiable
    /// and of a cost that grows with the product of both lengths.
    pub(super) fn scattered(
        &mut self,
        x: NodeId,
        axis: usize,
        indices: NodeId,
        value: NodeId,
        update: IndexingUpdateOp,
    ) -> NodeId {
        use IndexingUpdateOp::{Add, Assign, Max, Min, Mul};
        let (shape, dtype) = (self.graph.shape(x).to_vec(), self.graph.dtype(x));
        let kind = Kind::of(dtype);
        if kind == Kind::Float && update == Add {
            let update = self.graph.scatter_add(value, axis, indices, shape);
            return self.graph.add(x, update);
        }
        // [.., positions of x, values, ..]
        let (len, count) = (shape[axis], self.graph.shape(value)[axis]);
        let mut table = shape.clone();
        table.insert(axis + 1, count);
        let here = self.named(indices, axis, len, &table);
        let own = self.at_each_position(x, axis + 1, &table);
        let mut flat = table.clone();
        flat[axis + 1] = 1;
        let first = self.graph.reshape(x, flat);
        let values = self.at_each_position(value, axis, &table);
        let among = axis + 1;
        let result = match update {
            Assign => {
                // The last of those that name a position wins; position 0 is x itself.
                let order: Vec<i64> = (1..=index_of(count)).collect();
                let mut along = vec![1; table.len()];
                along[among] = count;
                let order = self.graph.constant(TensorData::new(order, along));
                let order = self.graph.expand(order, table);
                let zero = self.created_like(order, 0.0);
                let order = self.graph.replace_where(zero, here, order);
                let latest = self.int_along(IntUnary::MaxAlong(among), order, among);
                let candidates = self.graph.concat(vec![first, values], among);
                self.graph.gather(candidates, among, latest)
            }
            // x in the place of a value that is not meant leaves an extremum as it is.
            Max | Min => {
                let values = self.graph.replace_where(own, here, values);
                let candidates = self.graph.concat(vec![first, values], among);
                self.extremum(candidates, among, update == Max)
            }
            Add | Mul => {
                let neutral = self.created_like(values, if update == Mul { 1.0 } else { 0.0 });
                let values = self.graph.replace_where(neutral, here, values);
                let candidates = self.graph.concat(vec![first, values], among);
                match (kind, update) {
                    (Kind::Bool, Add) => self.extremum(candidates, among, true),
                    (Kind::Bool, _) => self.extremum(candidates, among, false),
                    (_, Add) => self.graph.sum_over(candidates, &[among]),
                    (Kind::Float, _) => self.product(candidates, among),
                    (Kind::Int, _) => self.int_along(IntUnary::ProdAlong(among), candidates, among),
                }
            }
        };
        self.graph.reshape(result, shape)
    }

    /// Does as [`scattered`](Self::scattered) for whole slices: indices `[K]` along an axis.
    pub(super) fn selected(
        &mut self,
        x: NodeId,
        axis: usize,
        indices: NodeId,
        value: NodeId,
        update: IndexingUpdateOp,
    ) -> NodeId {
        let len = self.graph.shape(x)[axis];
        if Kind::of(self.graph.dtype(x)) == Kind::Float && update == IndexingUpdateOp::Add {
            let update = self.graph.select_add(value, axis, indices, len);
            return self.graph.add(x, update);
        }
        let shape = self.graph.shape(value).to_vec();
        let mut along = vec![1; shape.len()];
        along[axis] = shape[axis];
        let indices = self.graph.reshape(indices, along);
        let indices = self.graph.expand(indices, shape);
        self.scattered(x, axis, indices, value, update)
    }

    /// Returns whether the index of a value names a position of x, for all pairs: `table`.
    fn named(&mut self, indices: NodeId, axis: usize, len: usize, table: &[usize]) -> NodeId {
        let positions: Vec<i64> = (0..index_of(len)).collect();
        let mut along = vec![1; table.len()];
        along[axis] = len;
        let positions = TensorData::new(positions, along).convert_dtype(self.graph.dtype(indices));
        let positions = self.graph.constant(positions);
        let positions = self.graph.expand(positions, table.to_vec());
        let indices = self.at_each_position(indices, axis, table);
        self.graph.discrete(
            Discrete::Compare(Comparison::Equal),
            vec![indices, positions],
            BOOL,
        )
    }

    /// Returns x repeated along a new axis, as `table` has it.
    fn at_each_position(&mut self, x: NodeId, axis: usize, table: &[usize]) -> NodeId {
        let mut shape = self.graph.shape(x).to_vec();
        shape.insert(axis, 1);
        let x = self.graph.reshape(x, shape);
        self.graph.expand(x, table.to_vec())
    }

    /// Returns the largest or smallest entry along an axis, of any kind; at a tie the first.
    fn extremum(&mut self, x: NodeId, axis: usize, largest: bool) -> NodeId {
        match (Kind::of(self.graph.dtype(x)), largest) {
            (Kind::Float, true) => {
                let position = self.arg_max(x, axis, INDEX);
                self.graph.gather(x, axis, position)
            }
            (Kind::Float, false) => {
                let position = self.arg_min(x, axis, INDEX);
                self.graph.gather(x, axis, position)
            }
            (Kind::Int, true) => self.int_along(IntUnary::MaxAlong(axis), x, axis),
            (Kind::Int, false) => self.int_along(IntUnary::MinAlong(axis), x, axis),
            (Kind::Bool, true) => self.graph.along(Discrete::AnyAlong(axis), x, axis, 1, BOOL),
            (Kind::Bool, false) => self.graph.along(Discrete::AllAlong(axis), x, axis, 1, BOOL),
        }
    }

    /// Returns `x` as rows `[positions, entries]`, for indices `[.., K]` into its first K axes the
    /// flat position of each, and the shape of the rows.
    pub(super) fn flat_positions(
        &mut self,
        x: NodeId,
        indices: NodeId,
    ) -> (NodeId, NodeId, [usize; 2]) {
        let shape = self.graph.shape(x).to_vec();
        let index_shape = self.graph.shape(indices).to_vec();
        let depth = *index_shape.last().expect("a tensor has an axis");
        let count = elements(&index_shape[..index_shape.len() - 1]);
        let dtype = self.graph.dtype(indices);
        let table = self.graph.reshape(indices, vec![count, depth]);
        let mut flat: Option<NodeId> = None;
        for axis in 0..depth {
            let stride = index_of(elements(&shape[axis + 1..depth]));
            let column = self.graph.narrow(table, 1, axis, axis + 1);
            let column = self.graph.discrete(
                Discrete::IntScalar(IntBinary::Mul, stride),
                vec![column],
                dtype,
            );
            flat = Some(match flat {
                Some(sum) => {
                    self.graph
                        .discrete(Discrete::Int(IntBinary::Add), vec![sum, column], dtype)
                }
                None => column,
            });
        }
        let flat = flat.expect("an index has a number for at least one axis");
        let flat = self.graph.reshape(flat, vec![count]);
        let rows = [elements(&shape[..depth]), elements(&shape[depth..])];
        (self.graph.reshape(x, rows.to_vec()), flat, rows)
    }
}
