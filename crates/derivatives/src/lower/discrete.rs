//! Operations on integers and booleans: constants of differentiation.

use burn::tensor::DType;
use burn_ir::{
    BinaryOpIr, BoolOperationIr, IntOperationIr, NumericOperationIr, ScalarOpIr, TensorIr,
    UnaryOpIr,
};

use super::{Lowered, Lowering, dims, name, unsupported};
use crate::Error;
use crate::graph::{NodeId, elements};
use crate::primitive::{BOOL, Comparison, Discrete, IntBinary, IntUnary};

impl Lowering {
    pub(super) fn bool(&mut self, operation: &BoolOperationIr) -> Result<(), Error> {
        use BoolOperationIr as Op;
        let (out, node) = match operation {
            Op::IntoFloat(op) => {
                let x = self.get(&op.input)?;
                (&op.out, self.graph.as_float(x, op.out.dtype))
            }
            Op::IntoInt(op) => {
                let x = self.get(&op.input)?;
                (
                    &op.out,
                    self.graph.discrete(Discrete::ToInt, vec![x], op.out.dtype),
                )
            }
            Op::Not(op) => {
                let x = self.get(&op.input)?;
                (&op.out, self.graph.discrete(Discrete::Not, vec![x], BOOL))
            }
            Op::And(op) => (&op.out, self.pair(Discrete::And, op, BOOL)?),
            Op::Or(op) => (&op.out, self.pair(Discrete::Or, op, BOOL)?),
            Op::Xor(op) => (&op.out, self.pair(Discrete::Xor, op, BOOL)?),
        };
        self.set(out, node)
    }

    pub(super) fn int(&mut self, operation: &IntOperationIr) -> Result<(), Error> {
        use IntBinary as B;
        use IntOperationIr as Op;
        let (out, node) = match operation {
            Op::IntoFloat(op) => {
                let x = self.get(&op.input)?;
                (&op.out, self.graph.as_float(x, op.out.dtype))
            }
            Op::BitwiseAnd(op) => self.int_pair(B::And, op)?,
            Op::BitwiseOr(op) => self.int_pair(B::Or, op)?,
            Op::BitwiseXor(op) => self.int_pair(B::Xor, op)?,
            Op::BitwiseLeftShift(op) => self.int_pair(B::ShiftLeft, op)?,
            Op::BitwiseRightShift(op) => self.int_pair(B::ShiftRight, op)?,
            Op::BitwiseAndScalar(op) => self.int_scalar(B::And, op)?,
            Op::BitwiseOrScalar(op) => self.int_scalar(B::Or, op)?,
            Op::BitwiseXorScalar(op) => self.int_scalar(B::Xor, op)?,
            Op::BitwiseLeftShiftScalar(op) => self.int_scalar(B::ShiftLeft, op)?,
            Op::BitwiseRightShiftScalar(op) => self.int_scalar(B::ShiftRight, op)?,
            Op::BitwiseNot(op) => self.int_unary(IntUnary::Not, op)?,
            Op::Matmul(_) => {
                return Err(unsupported("Int(Matmul)", "products of integer matrices"));
            }
        };
        self.set(out, node)
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each recorded operation")]
    pub(super) fn numeric_int(&mut self, operation: &NumericOperationIr) -> Result<(), Error> {
        use IntBinary as B;
        use NumericOperationIr as Op;
        let (out, node) = match operation {
            Op::Add(op) => self.int_pair(B::Add, op)?,
            Op::Sub(op) => self.int_pair(B::Sub, op)?,
            Op::Mul(op) => self.int_pair(B::Mul, op)?,
            Op::Div(op) => self.int_pair(B::Div, op)?,
            Op::Rem(op) => self.int_pair(B::Rem, op)?,
            Op::AddScalar(op) => self.int_scalar(B::Add, op)?,
            Op::SubScalar(op) => self.int_scalar(B::Sub, op)?,
            Op::MulScalar(op) => self.int_scalar(B::Mul, op)?,
            Op::DivScalar(op) => self.int_scalar(B::Div, op)?,
            Op::RemScalar(op) => self.int_scalar(B::Rem, op)?,
            Op::Abs(op) => self.int_unary(IntUnary::Abs, op)?,
            Op::Sign(op) => self.int_unary(IntUnary::Sign, op)?,
            Op::Neg(op) => {
                let x = self.get(&op.input)?;
                (&op.out, self.int_times(x, -1))
            }
            Op::Full(op) => (
                &op.out,
                self.filled(op.value.elem(), dims(&op.out), op.out.dtype),
            ),
            Op::Sum(op) => {
                let x = self.flat_int(&op.input)?;
                let sum = self.graph.sum_over(x, &[0]);
                (&op.out, self.graph.reshape(sum, dims(&op.out)))
            }
            Op::SumDim(op) => {
                let x = self.get(&op.input)?;
                (&op.out, self.graph.sum_over(x, &[op.axis]))
            }
            Op::SumDims(op) => {
                let x = self.get(&op.input)?;
                (&op.out, self.graph.sum_over(x, &op.axes))
            }
            Op::Prod(op) => {
                let x = self.flat_int(&op.input)?;
                let all = self.int_along(IntUnary::ProdAlong(0), x, 0);
                (&op.out, self.graph.reshape(all, dims(&op.out)))
            }
            Op::ProdDim(op) => {
                let x = self.get(&op.input)?;
                (
                    &op.out,
                    self.int_along(IntUnary::ProdAlong(op.axis), x, op.axis),
                )
            }
            Op::Max(op) => {
                let x = self.flat_int(&op.input)?;
                let all = self.int_along(IntUnary::MaxAlong(0), x, 0);
                (&op.out, self.graph.reshape(all, dims(&op.out)))
            }
            Op::Min(op) => {
                let x = self.flat_int(&op.input)?;
                let all = self.int_along(IntUnary::MinAlong(0), x, 0);
                (&op.out, self.graph.reshape(all, dims(&op.out)))
            }
            Op::MaxDim(op) => {
                let x = self.get(&op.input)?;
                (
                    &op.out,
                    self.int_along(IntUnary::MaxAlong(op.axis), x, op.axis),
                )
            }
            Op::MinDim(op) => {
                let x = self.get(&op.input)?;
                (
                    &op.out,
                    self.int_along(IntUnary::MinAlong(op.axis), x, op.axis),
                )
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
            Op::CumSum(op) => (
                &op.out,
                self.int_whole(IntUnary::CumSum(op.axis), &op.input)?,
            ),
            Op::CumProd(op) => (
                &op.out,
                self.int_whole(IntUnary::CumProd(op.axis), &op.input)?,
            ),
            Op::CumMax(op) => (
                &op.out,
                self.int_whole(IntUnary::CumMax(op.axis), &op.input)?,
            ),
            Op::CumMin(op) => (
                &op.out,
                self.int_whole(IntUnary::CumMin(op.axis), &op.input)?,
            ),
            Op::Sort(op) => {
                let sort = IntUnary::Sort {
                    axis: op.dim,
                    descending: op.descending,
                };
                (&op.out, self.int_whole(sort, &op.input)?)
            }
            Op::IntRandom(_) => {
                return Err(Error::Random {
                    operation: "IntRandom",
                });
            }
            Op::ArgMin(op) => {
                let x = self.get(&op.input)?;
                (&op.out, self.arg_min(x, op.axis, op.out.dtype))
            }
            Op::ArgSort(op) => {
                let x = self.get(&op.input)?;
                let order = self.arg_sort(x, op.dim, op.descending, op.out.dtype);
                (&op.out, order)
            }
            Op::SortWithIndices(op) => {
                let x = self.get(&op.input)?;
                let order = self.arg_sort(x, op.dim, op.descending, op.out_indices.dtype);
                self.set(&op.out_indices, order)?;
                (&op.out, self.graph.gather(x, op.dim, order))
            }
            Op::ArgTopK(op) => {
                let x = self.get(&op.input)?;
                let k = dims(&op.out)[op.axis];
                (&op.out, self.arg_top(x, op.axis, k, op.out.dtype))
            }
            Op::TopK(op) => {
                let x = self.get(&op.input)?;
                let k = dims(&op.out)[op.axis];
                let order = self.arg_top(x, op.axis, k, op.out.dtype);
                (&op.out, self.graph.gather(x, op.axis, order))
            }
            Op::TopKWithIndices(op) => {
                let x = self.get(&op.tensor)?;
                let order = self.arg_top(x, op.dim, op.k, op.out_indices.dtype);
                self.set(&op.out_indices, order)?;
                (&op.out, self.graph.gather(x, op.dim, order))
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
            Op::Clamp(op) => {
                let below = self.int_whole(IntUnary::AtMost(op.max.elem()), &op.tensor)?;
                let dtype = self.graph.dtype(below);
                let clamp = Discrete::IntUnary(IntUnary::AtLeast(op.min.elem()));
                (&op.out, self.graph.discrete(clamp, vec![below], dtype))
            }
            Op::ClampMin(op) => (
                &op.out,
                self.int_whole(IntUnary::AtLeast(op.rhs.elem()), &op.lhs)?,
            ),
            Op::ClampMax(op) => (
                &op.out,
                self.int_whole(IntUnary::AtMost(op.rhs.elem()), &op.lhs)?,
            ),
            Op::PowiScalar(op) => (
                &op.out,
                self.int_whole(IntUnary::Power(op.rhs.elem()), &op.lhs)?,
            ),
            Op::MeanDim(_)
            | Op::Mean(_)
            | Op::MaxAbs(_)
            | Op::MaxAbsDim(_)
            | Op::Powi(_)
            | Op::Pad(_) => {
                return Err(unsupported(name(operation), "on integers"));
            }
        };
        self.set(out, node)
    }

    fn pair(&mut self, operation: Discrete, op: &BinaryOpIr, dtype: DType) -> Lowered {
        let (x, y) = (self.get(&op.lhs)?, self.get(&op.rhs)?);
        Ok(self.graph.discrete(operation, vec![x, y], dtype))
    }

    fn int_pair<'a>(
        &mut self,
        operation: IntBinary,
        op: &'a BinaryOpIr,
    ) -> Result<(&'a TensorIr, NodeId), Error> {
        let node = self.pair(Discrete::Int(operation), op, op.out.dtype)?;
        Ok((&op.out, node))
    }

    fn int_scalar<'a>(
        &mut self,
        operation: IntBinary,
        op: &'a ScalarOpIr,
    ) -> Result<(&'a TensorIr, NodeId), Error> {
        let x = self.get(&op.lhs)?;
        let operation = Discrete::IntScalar(operation, op.rhs.elem());
        let node = self.graph.discrete(operation, vec![x], op.out.dtype);
        Ok((&op.out, node))
    }

    fn int_unary<'a>(
        &mut self,
        operation: IntUnary,
        op: &'a UnaryOpIr,
    ) -> Result<(&'a TensorIr, NodeId), Error> {
        Ok((&op.out, self.int_whole(operation, &op.input)?))
    }

    fn int_whole(&mut self, operation: IntUnary, input: &TensorIr) -> Lowered {
        let x = self.get(input)?;
        let dtype = self.graph.dtype(x);
        Ok(self
            .graph
            .discrete(Discrete::IntUnary(operation), vec![x], dtype))
    }

    fn int_along(&mut self, operation: IntUnary, x: NodeId, axis: usize) -> NodeId {
        let dtype = self.graph.dtype(x);
        self.graph
            .along(Discrete::IntUnary(operation), x, axis, 1, dtype)
    }

    fn int_times(&mut self, x: NodeId, factor: i64) -> NodeId {
        let dtype = self.graph.dtype(x);
        self.graph
            .discrete(Discrete::IntScalar(IntBinary::Mul, factor), vec![x], dtype)
    }

    fn flat_int(&mut self, input: &TensorIr) -> Lowered {
        let x = self.get(input)?;
        let len = elements(self.graph.shape(x));
        Ok(self.graph.reshape(x, vec![len]))
    }
}
