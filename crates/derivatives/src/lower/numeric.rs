//! Arithmetic, reductions, order statistics of floats.

use burn_ir::{NumericOperationIr, TensorIr};

use super::order::INDEX;
use super::{Lowered, Lowering, coverage, dims};
use crate::Error;
use crate::graph::{NodeId, Real, elements};
use crate::primitive::{BOOL, Comparison, Discrete, Unary};

impl Lowering {
    #[expect(clippy::too_many_lines, reason = "one arm for each recorded operation")]
    pub(super) fn numeric(&mut self, operation: &NumericOperationIr) -> Result<(), Error> {
        use NumericOperationIr as Op;
        let (out, node) = match operation {
            Op::Add(op) => {
                let (x, y) = (self.get(&op.lhs)?, self.get(&op.rhs)?);
                (&op.out, self.graph.add(x, y))
            }
            Op::Sub(op) => {
                let (x, y) = (self.get(&op.lhs)?, self.get(&op.rhs)?);
                (&op.out, self.graph.sub(x, y))
            }
            Op::Mul(op) => {
                let (x, y) = (self.get(&op.lhs)?, self.get(&op.rhs)?);
                (&op.out, self.graph.mul(x, y))
            }
            Op::Div(op) => {
                let (x, y) = (self.get(&op.lhs)?, self.get(&op.rhs)?);
                (&op.out, self.graph.div(x, y))
            }
            Op::Rem(op) => {
                let (x, y) = (self.get(&op.lhs)?, self.get(&op.rhs)?);
                (&op.out, self.remainder(x, y))
            }
            Op::AddScalar(op) => {
                let x = self.get(&op.lhs)?;
                (&op.out, self.graph.offset(x, op.rhs.elem()))
            }
            Op::SubScalar(op) => {
                let x = self.get(&op.lhs)?;
                (&op.out, self.graph.offset(x, -op.rhs.elem::<f64>()))
            }
            Op::MulScalar(op) => {
                let x = self.get(&op.lhs)?;
                (&op.out, self.graph.scale(x, op.rhs.elem()))
            }
            Op::DivScalar(op) => {
                let x = self.get(&op.lhs)?;
                (&op.out, self.graph.scale(x, op.rhs.elem::<f64>().recip()))
            }
            Op::RemScalar(op) => {
                let x = self.get(&op.lhs)?;
                let y = self.graph.fill(op.rhs.elem(), x);
                (&op.out, self.remainder(x, y))
            }
            Op::Abs(op) => (&op.out, self.function(Unary::Abs, &op.input)?),
            Op::Sign(op) => (&op.out, self.function(Unary::Sign, &op.input)?),
            Op::Neg(op) => {
                let x = self.get(&op.input)?;
                (&op.out, self.graph.neg(x))
            }
            Op::Full(op) => (
                &op.out,
                self.filled(op.value.elem(), dims(&op.out), op.out.dtype),
            ),
            Op::Sum(op) => (&op.out, self.reduced(&op.input, &op.out, 1.0)?),
            Op::Mean(op) => {
                #[expect(clippy::cast_precision_loss, reason = "lengths are far below 2^53")]
                let count = elements(&dims(&op.input)) as f64;
                (&op.out, self.reduced(&op.input, &op.out, count.recip())?)
            }
            Op::SumDim(op) => {
                let x = self.get(&op.input)?;
                (&op.out, self.graph.sum_over(x, &[op.axis]))
            }
            Op::SumDims(op) => {
                let x = self.get(&op.input)?;
                (&op.out, self.graph.sum_over(x, &op.axes))
            }
            Op::MeanDim(op) => {
                let x = self.get(&op.input)?;
                (&op.out, self.graph.mean_over(x, &[op.axis]))
            }
            Op::Prod(op) => {
                let x = self.flat(&op.input)?;
                let product = self.product(x, 0);
                (&op.out, self.graph.reshape(product, dims(&op.out)))
            }
            Op::ProdDim(op) => {
                let x = self.get(&op.input)?;
                (&op.out, self.product(x, op.axis))
            }
            Op::Greater(op) => (
                &op.out,
                self.compare(Comparison::Greater, &op.lhs, &op.rhs)?,
            ),
            Op::GreaterEqual(op) => (
                &op.out,
                self.compare(Comparison::GreaterEqual, &op.lhs, &op.rhs)?,
            ),
            Op::Lower(op) => (&op.out, self.compare(Comparison::Lower, &op.lhs, &op.rhs)?),
            Op::LowerEqual(op) => (
                &op.out,
                self.compare(Comparison::LowerEqual, &op.lhs, &op.rhs)?,
            ),
            Op::GreaterElem(op) => (
                &op.out,
                self.compare_elem(Comparison::Greater, &op.lhs, op.rhs)?,
            ),
            Op::GreaterEqualElem(op) => (
                &op.out,
                self.compare_elem(Comparison::GreaterEqual, &op.lhs, op.rhs)?,
            ),
            Op::LowerElem(op) => (
                &op.out,
                self.compare_elem(Comparison::Lower, &op.lhs, op.rhs)?,
            ),
            Op::LowerEqualElem(op) => (
                &op.out,
                self.compare_elem(Comparison::LowerEqual, &op.lhs, op.rhs)?,
            ),
            Op::ArgMax(op) => {
                let x = self.get(&op.input)?;
                (&op.out, self.arg_max(x, op.axis, op.out.dtype))
            }
            Op::ArgMin(op) => {
                let x = self.get(&op.input)?;
                (&op.out, self.arg_min(x, op.axis, op.out.dtype))
            }
            Op::ArgTopK(op) => {
                let x = self.get(&op.input)?;
                let k = dims(&op.out)[op.axis];
                (&op.out, self.arg_top(x, op.axis, k, op.out.dtype))
            }
            Op::TopK(op) => {
                let x = self.get(&op.input)?;
                let k = dims(&op.out)[op.axis];
                let positions = self.arg_top(x, op.axis, k, INDEX);
                (&op.out, self.graph.gather(x, op.axis, positions))
            }
            Op::TopKWithIndices(op) => {
                let x = self.get(&op.tensor)?;
                let positions = self.arg_top(x, op.dim, op.k, op.out_indices.dtype);
                self.set(&op.out_indices, positions)?;
                (&op.out, self.graph.gather(x, op.dim, positions))
            }
            Op::Max(op) => {
                let x = self.flat(&op.input)?;
                let position = self.arg_max(x, 0, INDEX);
                let maximum = self.graph.gather(x, 0, position);
                (&op.out, self.graph.reshape(maximum, dims(&op.out)))
            }
            Op::Min(op) => {
                let x = self.flat(&op.input)?;
                let position = self.arg_min(x, 0, INDEX);
                let minimum = self.graph.gather(x, 0, position);
                (&op.out, self.graph.reshape(minimum, dims(&op.out)))
            }
            Op::MaxAbs(op) => {
                let x = self.flat(&op.input)?;
                let x = self.graph.unary(Unary::Abs, x);
                let position = self.arg_max(x, 0, INDEX);
                let maximum = self.graph.gather(x, 0, position);
                (&op.out, self.graph.reshape(maximum, dims(&op.out)))
            }
            Op::MaxDim(op) => {
                let x = self.get(&op.input)?;
                let position = self.arg_max(x, op.axis, INDEX);
                (&op.out, self.graph.gather(x, op.axis, position))
            }
            Op::MinDim(op) => {
                let x = self.get(&op.input)?;
                let position = self.arg_min(x, op.axis, INDEX);
                (&op.out, self.graph.gather(x, op.axis, position))
            }
            Op::MaxAbsDim(op) => {
                let x = self.function(Unary::Abs, &op.input)?;
                let position = self.arg_max(x, op.axis, INDEX);
                (&op.out, self.graph.gather(x, op.axis, position))
            }
            Op::MaxDimWithIndices(op) => {
                let x = self.get(&op.tensor)?;
                let position = self.arg_max(x, op.dim, op.out_indices.dtype);
                self.set(&op.out_indices, position)?;
                (&op.out, self.graph.gather(x, op.dim, position))
            }
            Op::MinDimWithIndices(op) => {
                let x = self.get(&op.tensor)?;
                let position = self.arg_min(x, op.dim, op.out_indices.dtype);
                self.set(&op.out_indices, position)?;
                (&op.out, self.graph.gather(x, op.dim, position))
            }
            Op::Sort(op) => {
                let x = self.get(&op.input)?;
                let order = self.arg_sort(x, op.dim, op.descending, INDEX);
                (&op.out, self.graph.gather(x, op.dim, order))
            }
            Op::SortWithIndices(op) => {
                let x = self.get(&op.input)?;
                let order = self.arg_sort(x, op.dim, op.descending, op.out_indices.dtype);
                self.set(&op.out_indices, order)?;
                (&op.out, self.graph.gather(x, op.dim, order))
            }
            Op::ArgSort(op) => {
                let x = self.get(&op.input)?;
                (
                    &op.out,
                    self.arg_sort(x, op.dim, op.descending, op.out.dtype),
                )
            }
            Op::Clamp(op) => {
                let x = self.get(&op.tensor)?;
                let below = self.bounded(x, Comparison::Greater, op.max.elem());
                (
                    &op.out,
                    self.bounded(below, Comparison::Lower, op.min.elem()),
                )
            }
            Op::ClampMin(op) => {
                let x = self.get(&op.lhs)?;
                (&op.out, self.bounded(x, Comparison::Lower, op.rhs.elem()))
            }
            Op::ClampMax(op) => {
                let x = self.get(&op.lhs)?;
                (&op.out, self.bounded(x, Comparison::Greater, op.rhs.elem()))
            }
            Op::Powi(op) => {
                let (x, y) = (self.get(&op.lhs)?, self.get(&op.rhs)?);
                let dtype = self.graph.dtype(x);
                let y = self.graph.as_float(y, dtype);
                (&op.out, self.graph.pow(x, y))
            }
            Op::PowiScalar(op) => {
                let x = self.get(&op.lhs)?;
                (&op.out, self.graph.power(x, op.rhs.elem()))
            }
            Op::CumSum(op) => {
                let x = self.get(&op.input)?;
                (&op.out, self.graph.cumulative(x, op.axis, false))
            }
            Op::CumProd(op) => {
                let x = self.get(&op.input)?;
                (&op.out, self.cumulative_product(x, op.axis))
            }
            Op::CumMax(op) => {
                let x = self.get(&op.input)?;
                (
                    &op.out,
                    self.cumulative_extremum(x, op.axis, Discrete::CumMax(op.axis)),
                )
            }
            Op::CumMin(op) => {
                let x = self.get(&op.input)?;
                (
                    &op.out,
                    self.cumulative_extremum(x, op.axis, Discrete::CumMin(op.axis)),
                )
            }
            Op::Pad(op) => {
                let x = self.get(&op.input)?;
                (&op.out, self.pad(x, &op.padding, &op.mode))
            }
            Op::IntRandom(_) => return Err(coverage::no_rule(operation)),
        };
        self.set(out, node)
    }

    pub(super) fn function(&mut self, function: Unary, input: &TensorIr) -> Lowered {
        let x = self.get(input)?;
        Ok(self.graph.unary(function, x))
    }

    pub(super) fn flat(&mut self, input: &TensorIr) -> Lowered {
        let x = self.get(input)?;
        let len = elements(self.graph.shape(x));
        Ok(self.graph.reshape(x, vec![len]))
    }

    /// Returns the sum over everything, times a factor.
    fn reduced(&mut self, input: &TensorIr, out: &TensorIr, factor: f64) -> Lowered {
        let x = self.get(input)?;
        let ones = vec![1; self.graph.rank(x)];
        let sum = self.graph.sum_to(x, ones);
        let sum = self.graph.scale(sum, factor);
        Ok(self.graph.reshape(sum, dims(out)))
    }

    /// Returns `x − y ⌊x / y⌋`.
    fn remainder(&mut self, x: NodeId, y: NodeId) -> NodeId {
        let quotient = self.graph.div(x, y);
        let whole = self.graph.unary(Unary::Floor, quotient);
        let part = self.graph.mul(whole, y);
        self.graph.sub(x, part)
    }

    /// Returns x with `bound` where x compares so with it; at the bound itself x moves, as in Burn.
    pub(super) fn bounded(&mut self, x: NodeId, comparison: Comparison, bound: f64) -> NodeId {
        let outside = self.graph.discrete(
            Discrete::CompareFloat(comparison, Real::new(bound)),
            vec![x],
            BOOL,
        );
        let (shape, dtype) = (vec![1; self.graph.rank(x)], self.graph.dtype(x));
        let value = self.filled(bound, shape, dtype);
        self.graph.replace_where(x, outside, value)
    }
}
