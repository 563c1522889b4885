//! Operations on tensors of any kind: shape, indexing, comparison, creation.

use burn::tensor::TensorData;
use burn_ir::{BaseOperationIr, TensorIr};

use super::{Lowered, Lowering, dims};
use crate::Error;
use crate::graph::{NodeId, Real, elements};
use crate::primitive::{BOOL, Comparison, Discrete, Kind, Primitive};

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
                (&op.out, self.selected(x, op.dim, indices, value, op.update))
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
                (
                    &op.out,
                    self.scattered(x, op.dim, indices, value, op.update),
                )
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
                let (rows, flat, shape) = self.flat_positions(x, indices);
                let count = self.graph.shape(flat)[0];
                let values = self.graph.reshape(values, vec![count, shape[1]]);
                let updated = self.selected(rows, 0, flat, values, op.reduction);
                (&op.out, self.graph.reshape(updated, dims(&op.out)))
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

    /// Returns an expansion that may also put axes in front.
    pub(super) fn expand_to(&mut self, x: NodeId, shape: &[usize]) -> NodeId {
        let mut padded = vec![1; shape.len() - self.graph.rank(x)];
        padded.extend_from_slice(self.graph.shape(x));
        let x = self.graph.reshape(x, padded);
        self.graph.expand(x, shape.to_vec())
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

    /// Returns a tensor that is one number everywhere, of any kind.
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

    pub(super) fn created_like(&mut self, x: NodeId, value: f64) -> NodeId {
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

    /// Returns whether all, or any, entries are not zero.
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
