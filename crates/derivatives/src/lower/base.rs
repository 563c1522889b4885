//! Operations on tensors of any kind: shape, indexing, comparison, creation.

use burn::tensor::{IndexingUpdateOp, TensorData};
use burn_backend::Slice;
use burn_ir::{BaseOperationIr, TensorIr};

use super::{Lowered, Lowering, dims, unsupported};
use crate::Error;
use crate::graph::{NodeId, Real, elements};
use crate::primitive::{BOOL, Comparison, Discrete, IntBinary, Kind, Primitive, Range};

impl Lowering {
    pub(super) fn base(&mut self, operation: &BaseOperationIr) -> Result<(), Error> {
        use BaseOperationIr as Op;
        let (out, node) = match operation {
            Op::Reshape(op) => {
                let x = self.get(&op.input)?;
                (&op.out, self.graph.reshape(x, dims(&op.out)))
            }
            Op::SwapDims(op) => {
                let x = self.get(&op.input)?;
                (&op.out, self.graph.swap(x, op.dim1, op.dim2))
            }
            Op::Permute(op) => {
                let x = self.get(&op.input)?;
                (&op.out, self.graph.permute(x, &op.axes))
            }
            Op::Flip(op) => {
                let x = self.get(&op.input)?;
                (&op.out, self.graph.flip(x, &op.axes))
            }
            Op::Expand(op) => {
                let x = self.get(&op.input)?;
                (&op.out, self.expand_to(x, &dims(&op.out)))
            }
            Op::Unfold(op) => {
                let x = self.get(&op.input)?;
                (&op.out, self.windows(x, op.dim, op.size, op.step, 1))
            }
            Op::Slice(op) => {
                let x = self.get(&op.tensor)?;
                let (ranges, reversed) = self.ranges(x, &op.ranges);
                let slice = self.graph.slice(x, ranges);
                (&op.out, self.graph.flip(slice, &reversed))
            }
            Op::SliceAssign(op) => {
                let (x, value) = (self.get(&op.tensor)?, self.get(&op.value)?);
                let (ranges, reversed) = self.ranges(x, &op.ranges);
                let value = self.graph.flip(value, &reversed);
                (&op.out, self.assign(x, ranges, value))
            }
            Op::Select(op) => {
                let (x, indices) = (self.get(&op.tensor)?, self.get(&op.indices)?);
                (&op.out, self.graph.select(x, op.dim, indices))
            }
            Op::SelectAssign(op) => {
                let (x, indices) = (self.get(&op.tensor)?, self.get(&op.indices)?);
                let value = self.get(&op.value)?;
                only_add("SelectAssign", op.update, self.graph.dtype(x))?;
                let len = self.graph.shape(x)[op.dim];
                let update = self.graph.select_add(value, op.dim, indices, len);
                (&op.out, self.graph.add(x, update))
            }
            Op::MaskWhere(op) => {
                let (x, mask) = (self.get(&op.tensor)?, self.get(&op.mask)?);
                let value = self.get(&op.value)?;
                (&op.out, self.graph.replace_where(x, mask, value))
            }
            Op::MaskFill(op) => {
                let (x, mask) = (self.get(&op.tensor)?, self.get(&op.mask)?);
                let shape = vec![1; self.graph.rank(x)];
                let value = self.filled(op.value.elem::<f64>(), shape, self.graph.dtype(x));
                (&op.out, self.graph.replace_where(x, mask, value))
            }
            Op::Gather(op) => {
                let (x, indices) = (self.get(&op.tensor)?, self.get(&op.indices)?);
                (&op.out, self.graph.gather(x, op.dim, indices))
            }
            Op::Scatter(op) => {
                let (x, indices) = (self.get(&op.tensor)?, self.get(&op.indices)?);
                let value = self.get(&op.value)?;
                only_add("Scatter", op.update, self.graph.dtype(x))?;
                let shape = self.graph.shape(x).to_vec();
                let update = self.graph.scatter_add(value, op.dim, indices, shape);
                (&op.out, self.graph.add(x, update))
            }
            Op::GatherNd(op) => {
                let (x, indices) = (self.get(&op.data)?, self.get(&op.indices)?);
                let (rows, flat, _) = self.flat_positions(x, indices);
                let picked = self.graph.select(rows, 0, flat);
                (&op.out, self.graph.reshape(picked, dims(&op.out)))
            }
            Op::ScatterNd(op) => {
                let (x, indices) = (self.get(&op.data)?, self.get(&op.indices)?);
                let values = self.get(&op.values)?;
                only_add("ScatterNd", op.reduction, self.graph.dtype(x))?;
                let (rows, flat, shape) = self.flat_positions(x, indices);
                let count = self.graph.shape(flat)[0];
                let values = self.graph.reshape(values, vec![count, shape[1]]);
                let update = self.graph.select_add(values, 0, flat, shape[0]);
                let sum = self.graph.add(rows, update);
                (&op.out, self.graph.reshape(sum, dims(&op.out)))
            }
            Op::RepeatDim(op) => {
                let x = self.get(&op.tensor)?;
                (&op.out, self.repeat(x, op.dim, op.times))
            }
            Op::Cat(op) => {
                let parts = op
                    .tensors
                    .iter()
                    .map(|part| self.get(part))
                    .collect::<Result<Vec<_>, _>>()?;
                (&op.out, self.graph.concat(parts, op.dim))
            }
            Op::Cast(op) => {
                let x = self.get(&op.input)?;
                (&op.out, self.graph.cast(x, op.out.dtype))
            }
            Op::Empty(op) | Op::Zeros(op) => (&op.out, self.created(&op.out, 0.0)),
            Op::Ones(op) => (&op.out, self.created(&op.out, 1.0)),
            Op::Equal(op) => (&op.out, self.compare(Comparison::Equal, &op.lhs, &op.rhs)?),
            Op::NotEqual(op) => (
                &op.out,
                self.compare(Comparison::NotEqual, &op.lhs, &op.rhs)?,
            ),
            Op::EqualElem(op) => (
                &op.out,
                self.compare_elem(Comparison::Equal, &op.lhs, op.rhs)?,
            ),
            Op::NotEqualElem(op) => (
                &op.out,
                self.compare_elem(Comparison::NotEqual, &op.lhs, op.rhs)?,
            ),
            Op::All(op) => (&op.out, self.quantified(&op.input, None, true)?),
            Op::Any(op) => (&op.out, self.quantified(&op.input, None, false)?),
            Op::AllDim(op) => (&op.out, self.quantified(&op.input, Some(op.axis), true)?),
            Op::AnyDim(op) => (&op.out, self.quantified(&op.input, Some(op.axis), false)?),
        };
        self.set(out, node)
    }

    /// Expansion that may also put axes in front.
    pub(super) fn expand_to(&mut self, x: NodeId, shape: &[usize]) -> NodeId {
        let mut padded = vec![1; shape.len() - self.graph.rank(x)];
        padded.extend_from_slice(self.graph.shape(x));
        let x = self.graph.reshape(x, padded);
        self.graph.expand(x, shape.to_vec())
    }

    /// Windows of `size` entries, `dilation` apart, every `step` along an axis: the axis counts
    /// windows, a new last axis the entries.
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
            .map(|position| i64::try_from(position).unwrap_or(i64::MAX))
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

    /// Ranges with positive steps, and the axes to be read backwards.
    fn ranges(&self, x: NodeId, slices: &[Slice]) -> (Vec<Range>, Vec<usize>) {
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

    /// x with `value` in `ranges`.
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

    /// `x` as rows `[positions, entries]`, for indices `[.., K]` into its first K axes the flat
    /// position of each, and the shape of the rows.
    fn flat_positions(&mut self, x: NodeId, indices: NodeId) -> (NodeId, NodeId, [usize; 2]) {
        let shape = self.graph.shape(x).to_vec();
        let index_shape = self.graph.shape(indices).to_vec();
        let depth = index_shape.last().copied().unwrap_or(0);
        let count = elements(&index_shape[..index_shape.len() - 1]);
        let dtype = self.graph.dtype(indices);
        let table = self.graph.reshape(indices, vec![count, depth]);
        let mut flat: Option<NodeId> = None;
        for axis in 0..depth {
            let stride = i64::try_from(elements(&shape[axis + 1..depth])).unwrap_or(i64::MAX);
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
        let flat = flat.unwrap_or(table);
        let flat = self.graph.reshape(flat, vec![count]);
        let rows = [elements(&shape[..depth]), elements(&shape[depth..])];
        (self.graph.reshape(x, rows.to_vec()), flat, rows)
    }

    fn repeat(&mut self, x: NodeId, axis: usize, times: usize) -> NodeId {
        let shape = self.graph.shape(x).to_vec();
        let mut split = shape.clone();
        split.insert(axis, 1);
        let mut repeated = split.clone();
        repeated[axis] = times;
        let mut joined = shape;
        joined[axis] *= times;
        let x = self.graph.reshape(x, split);
        let x = self.graph.expand(x, repeated);
        self.graph.reshape(x, joined)
    }

    /// A tensor that is one number everywhere, of any kind.
    pub(super) fn filled(
        &mut self,
        value: f64,
        shape: Vec<usize>,
        dtype: burn::tensor::DType,
    ) -> NodeId {
        match Kind::of(dtype) {
            Kind::Float => {
                let fill = Primitive::Fill(Real::new(value));
                self.graph.insert(fill, Vec::new(), shape, dtype)
            }
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the value was an integer before"
            )]
            Kind::Int => {
                let fill = Primitive::FillInt(value as i64);
                self.graph.insert(fill, Vec::new(), shape, dtype)
            }
            Kind::Bool => {
                let data = TensorData::new(vec![value != 0.0; elements(&shape)], shape);
                self.graph.constant(data)
            }
        }
    }

    fn created(&mut self, out: &TensorIr, value: f64) -> NodeId {
        self.filled(value, dims(out), out.dtype)
    }

    fn created_like(&mut self, x: NodeId, value: f64) -> NodeId {
        let (shape, dtype) = (self.graph.shape(x).to_vec(), self.graph.dtype(x));
        self.filled(value, shape, dtype)
    }

    pub(super) fn compare(
        &mut self,
        comparison: Comparison,
        lhs: &TensorIr,
        rhs: &TensorIr,
    ) -> Lowered {
        let (lhs, rhs) = (self.get(lhs)?, self.get(rhs)?);
        Ok(self
            .graph
            .discrete(Discrete::Compare(comparison), vec![lhs, rhs], BOOL))
    }

    pub(super) fn compare_elem(
        &mut self,
        comparison: Comparison,
        lhs: &TensorIr,
        rhs: burn_ir::ScalarIr,
    ) -> Lowered {
        let lhs = self.get(lhs)?;
        let operation = match Kind::of(self.graph.dtype(lhs)) {
            Kind::Float => Discrete::CompareFloat(comparison, Real::new(rhs.elem::<f64>())),
            Kind::Int => Discrete::CompareInt(comparison, rhs.elem::<i64>()),
            Kind::Bool => {
                // x == true is x, x == false its negation.
                let same = (comparison == Comparison::Equal) == rhs.elem::<bool>();
                if same {
                    return Ok(lhs);
                }
                Discrete::Not
            }
        };
        Ok(self.graph.discrete(operation, vec![lhs], BOOL))
    }

    /// Whether all, or any, entries are not zero.
    fn quantified(&mut self, input: &TensorIr, axis: Option<usize>, all: bool) -> Lowered {
        let x = self.get(input)?;
        let mut mask = match Kind::of(self.graph.dtype(x)) {
            Kind::Bool => x,
            Kind::Int | Kind::Float => {
                self.compare_elem(Comparison::NotEqual, input, burn_ir::ScalarIr::Int(0))?
            }
        };
        let axis = axis.unwrap_or_else(|| {
            let len = elements(self.graph.shape(mask));
            mask = self.graph.reshape(mask, vec![len]);
            0
        });
        let operation = if all {
            Discrete::AllAlong(axis)
        } else {
            Discrete::AnyAlong(axis)
        };
        Ok(self.graph.along(operation, mask, axis, 1, BOOL))
    }
}

fn only_add(
    operation: &str,
    update: IndexingUpdateOp,
    dtype: burn::tensor::DType,
) -> Result<(), Error> {
    if !dtype.is_float() {
        return Err(unsupported(operation, format!("on {dtype:?}")));
    }
    match update {
        IndexingUpdateOp::Add => Ok(()),
        other => Err(unsupported(operation, format!("the update {other:?}"))),
    }
}
