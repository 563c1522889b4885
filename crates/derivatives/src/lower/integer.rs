//! Operations on integers and booleans: constants of differentiation.

use burn::tensor::DType;
use burn_ir::{
    BinaryOpIr, BoolOperationIr, IntOperationIr, MatmulOpIr, NumericOperationIr, ScalarOpIr,
    TensorIr, UnaryOpIr,
};

use super::{Lowered, Lowering, coverage, dims};
use crate::Error;
use crate::graph::{NodeId, elements, index_of};
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
            Op::Matmul(op) => (&op.out, self.int_matmul(op)?),
        };
        self.set(out, node)
    }

    pub(super) fn numeric_int(&mut self, operation: &NumericOperationIr) -> Result<(), Error> {
        use IntBinary as B;
        use NumericOperationIr as Op;
        let (out, node) = match operation {
            // Written alike for floats and integers.
            Op::Full(_)
            | Op::SumDim(_)
            | Op::SumDims(_)
            | Op::Greater(_)
            | Op::GreaterElem(_)
            | Op::GreaterEqual(_)
            | Op::GreaterEqualElem(_)
            | Op::Lower(_)
            | Op::LowerElem(_)
            | Op::LowerEqual(_)
            | Op::LowerEqualElem(_)
            | Op::Max(_)
            | Op::Min(_)
            | Op::MaxDim(_)
            | Op::MinDim(_)
            | Op::MaxDimWithIndices(_)
            | Op::MinDimWithIndices(_)
            | Op::ArgMax(_)
            | Op::ArgMin(_)
            | Op::ArgSort(_)
            | Op::ArgTopK(_)
            | Op::TopK(_)
            | Op::TopKWithIndices(_)
            | Op::SortWithIndices(_)
            | Op::Pad(_) => return self.numeric(operation),
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
                (&op.out, self.int_by(B::Mul, x, -1))
            }
            Op::Sum(op) => {
                let x = self.flat(&op.input)?;
                let sum = self.graph.sum_over(x, &[0]);
                (&op.out, self.graph.reshape(sum, dims(&op.out)))
            }
            Op::Mean(op) => {
                let x = self.flat(&op.input)?;
                let mean = self.int_mean(x, 0);
                (&op.out, self.graph.reshape(mean, dims(&op.out)))
            }
            Op::MeanDim(op) => {
                let x = self.get(&op.input)?;
                (&op.out, self.int_mean(x, op.axis))
            }
            Op::Prod(op) => {
                let x = self.flat(&op.input)?;
                let all = self.int_along(IntUnary::ProdAlong(0), x, 0);
                (&op.out, self.graph.reshape(all, dims(&op.out)))
            }
            Op::ProdDim(op) => {
                let x = self.get(&op.input)?;
                let all = self.int_along(IntUnary::ProdAlong(op.axis), x, op.axis);
                (&op.out, all)
            }
            Op::MaxAbs(op) => {
                let x = self.int_whole(IntUnary::Abs, &op.input)?;
                let len = elements(self.graph.shape(x));
                let x = self.graph.reshape(x, vec![len]);
                let all = self.int_along(IntUnary::MaxAlong(0), x, 0);
                (&op.out, self.graph.reshape(all, dims(&op.out)))
            }
            Op::MaxAbsDim(op) => {
                let x = self.int_whole(IntUnary::Abs, &op.input)?;
                let all = self.int_along(IntUnary::MaxAlong(op.axis), x, op.axis);
                (&op.out, all)
            }
            Op::CumSum(op) => {
                let sums = IntUnary::CumSum(op.axis);
                (&op.out, self.int_whole(sums, &op.input)?)
            }
            Op::CumProd(op) => {
                let products = IntUnary::CumProd(op.axis);
                (&op.out, self.int_whole(products, &op.input)?)
            }
            Op::CumMax(op) => {
                let maxima = IntUnary::CumMax(op.axis);
                (&op.out, self.int_whole(maxima, &op.input)?)
            }
            Op::CumMin(op) => {
                let minima = IntUnary::CumMin(op.axis);
                (&op.out, self.int_whole(minima, &op.input)?)
            }
            Op::Sort(op) => {
                let sort = IntUnary::Sort {
                    axis: op.dim,
                    descending: op.descending,
                };
                (&op.out, self.int_whole(sort, &op.input)?)
            }
            Op::Clamp(op) => {
                let below = self.int_whole(IntUnary::AtMost(op.max.elem()), &op.tensor)?;
                let dtype = self.graph.dtype(below);
                let clamp = Discrete::IntUnary(IntUnary::AtLeast(op.min.elem()));
                (&op.out, self.graph.discrete(clamp, vec![below], dtype))
            }
            Op::ClampMin(op) => {
                let bound = IntUnary::AtLeast(op.rhs.elem());
                (&op.out, self.int_whole(bound, &op.lhs)?)
            }
            Op::ClampMax(op) => {
                let bound = IntUnary::AtMost(op.rhs.elem());
                (&op.out, self.int_whole(bound, &op.lhs)?)
            }
            Op::PowiScalar(op) => {
                let power = IntUnary::Power(op.rhs.elem());
                (&op.out, self.int_whole(power, &op.lhs)?)
            }
            Op::Powi(op) => (&op.out, self.int_powi(op)?),
            Op::IntRandom(_) => return Err(coverage::no_rule(operation)),
        };
        self.set(out, node)
    }

    /// Returns the mean along an axis, rounded towards zero.
    fn int_mean(&mut self, x: NodeId, axis: usize) -> NodeId {
        let len = index_of(self.graph.shape(x)[axis]);
        let sum = self.graph.sum_over(x, &[axis]);
        self.int_by(IntBinary::Div, sum, len)
    }

    /// Returns x to the power of y by repeated squaring, one factor for each binary digit of y.
    fn int_powi(&mut self, op: &BinaryOpIr) -> Lowered {
        let (x, y) = (self.get(&op.lhs)?, self.get(&op.rhs)?);
        let dtype = self.graph.dtype(x);
        let one = self.created_like(x, 1.0);
        let (mut square, mut digits, mut result) = (x, y, one);
        // Burn's exponents have 32 digits; powers wrap around.
        for _ in 0..32 {
            let digit = self.int_by(IntBinary::And, digits, 1);
            let odd = Discrete::CompareInt(Comparison::Equal, 1);
            let odd = self.graph.discrete(odd, vec![digit], BOOL);
            let factor = self.graph.replace_where(one, odd, square);
            let times = Discrete::Int(IntBinary::Mul);
            result = self
                .graph
                .discrete(times.clone(), vec![result, factor], dtype);
            square = self.graph.discrete(times, vec![square, square], dtype);
            digits = self.int_by(IntBinary::ShiftRight, digits, 1);
        }
        Ok(result)
    }

    /// Returns a product of integer matrices as products summed over the inner axis.
    fn int_matmul(&mut self, op: &MatmulOpIr) -> Lowered {
        let (x, y) = (self.get(&op.lhs)?, self.get(&op.rhs)?);
        let (mut rows, mut columns) = (self.graph.shape(x).to_vec(), self.graph.shape(y).to_vec());
        let rank = rows.len();
        // [.., m, k, 1] and [.., 1, k, n]
        rows.push(1);
        columns.insert(rank - 2, 1);
        let x = self.graph.reshape(x, rows);
        let y = self.graph.reshape(y, columns);
        let times = Discrete::Int(IntBinary::Mul);
        let products = self.graph.discrete(times, vec![x, y], op.out.dtype);
        let sum = self.graph.sum_over(products, &[rank - 1]);
        Ok(self.graph.reshape(sum, dims(&op.out)))
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

    pub(super) fn int_along(&mut self, operation: IntUnary, x: NodeId, axis: usize) -> NodeId {
        let dtype = self.graph.dtype(x);
        self.graph
            .along(Discrete::IntUnary(operation), x, axis, 1, dtype)
    }

    fn int_by(&mut self, operation: IntBinary, x: NodeId, number: i64) -> NodeId {
        let dtype = self.graph.dtype(x);
        let operation = Discrete::IntScalar(operation, number);
        self.graph.discrete(operation, vec![x], dtype)
    }
}
