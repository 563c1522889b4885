//! Functions of floats and products of matrices.

use burn_ir::{FloatOperationIr, MatmulOpIr};

use super::{Lowered, Lowering, coverage};
use crate::Error;
use crate::graph::NodeId;
use crate::primitive::{BOOL, Discrete, Unary};

impl Lowering {
    pub(super) fn float(&mut self, operation: &FloatOperationIr) -> Result<(), Error> {
        use FloatOperationIr as Op;
        let (out, node) = match operation {
            Op::Exp(op) => (&op.out, self.function(Unary::Exp, &op.input)?),
            Op::Log(op) => (&op.out, self.function(Unary::Log, &op.input)?),
            Op::Log1p(op) => (&op.out, self.function(Unary::Log1p, &op.input)?),
            Op::Erf(op) => (&op.out, self.function(Unary::Erf, &op.input)?),
            Op::Sqrt(op) => (&op.out, self.function(Unary::Sqrt, &op.input)?),
            Op::Cos(op) => (&op.out, self.function(Unary::Cos, &op.input)?),
            Op::Cosh(op) => (&op.out, self.function(Unary::Cosh, &op.input)?),
            Op::Sin(op) => (&op.out, self.function(Unary::Sin, &op.input)?),
            Op::Sinh(op) => (&op.out, self.function(Unary::Sinh, &op.input)?),
            Op::Tan(op) => (&op.out, self.function(Unary::Tan, &op.input)?),
            Op::Tanh(op) => (&op.out, self.function(Unary::Tanh, &op.input)?),
            Op::ArcCos(op) => (&op.out, self.function(Unary::Acos, &op.input)?),
            Op::ArcCosh(op) => (&op.out, self.function(Unary::Acosh, &op.input)?),
            Op::ArcSin(op) => (&op.out, self.function(Unary::Asin, &op.input)?),
            Op::ArcSinh(op) => (&op.out, self.function(Unary::Asinh, &op.input)?),
            Op::ArcTan(op) => (&op.out, self.function(Unary::Atan, &op.input)?),
            Op::ArcTanh(op) => (&op.out, self.function(Unary::Atanh, &op.input)?),
            Op::Recip(op) => (&op.out, self.function(Unary::Recip, &op.input)?),
            Op::Round(op) => (&op.out, self.function(Unary::Round, &op.input)?),
            Op::Floor(op) => (&op.out, self.function(Unary::Floor, &op.input)?),
            Op::Ceil(op) => (&op.out, self.function(Unary::Ceil, &op.input)?),
            Op::Trunc(op) => (&op.out, self.function(Unary::Trunc, &op.input)?),
            Op::PowfScalar(op) => {
                let x = self.get(&op.lhs)?;
                (&op.out, self.graph.power(x, op.rhs.elem()))
            }
            Op::Powf(op) => {
                let (x, y) = (self.get(&op.lhs)?, self.get(&op.rhs)?);
                (&op.out, self.graph.pow(x, y))
            }
            Op::ArcTan2(op) => {
                let (y, x) = (self.get(&op.lhs)?, self.get(&op.rhs)?);
                (&op.out, self.graph.atan2(y, x))
            }
            Op::Hypot(op) => {
                let (x, y) = (self.get(&op.lhs)?, self.get(&op.rhs)?);
                let (a, b) = (self.graph.mul(x, x), self.graph.mul(y, y));
                let sum = self.graph.add(a, b);
                (&op.out, self.graph.unary(Unary::Sqrt, sum))
            }
            Op::Matmul(op) => (&op.out, self.product_of_matrices(op)?),
            Op::Cross(op) => {
                let (x, y) = (self.get(&op.lhs)?, self.get(&op.rhs)?);
                (&op.out, self.cross(x, y, op.dim))
            }
            Op::IntoInt(op) => {
                let x = self.get(&op.input)?;
                (
                    &op.out,
                    self.graph.discrete(Discrete::ToInt, vec![x], op.out.dtype),
                )
            }
            Op::IsNan(op) => {
                let x = self.get(&op.input)?;
                (&op.out, self.graph.discrete(Discrete::IsNan, vec![x], BOOL))
            }
            Op::IsInf(op) => {
                let x = self.get(&op.input)?;
                (&op.out, self.graph.discrete(Discrete::IsInf, vec![x], BOOL))
            }
            Op::GridSample2d(op) => (&op.out, self.grid_sample(op)?),
            Op::Random(_) | Op::Quantize(_) | Op::Dequantize(_) => {
                return Err(coverage::no_rule(operation));
            }
        };
        self.set(out, node)
    }

    fn product_of_matrices(&mut self, op: &MatmulOpIr) -> Lowered {
        let (a, b) = (self.get(&op.lhs)?, self.get(&op.rhs)?);
        Ok(self.graph.matmul(a, false, b, false))
    }

    /// Returns the cross product of x and y along an axis of length 3.
    fn cross(&mut self, x: NodeId, y: NodeId, axis: usize) -> NodeId {
        let rotated = |lowering: &mut Self, x: NodeId, by: usize| {
            let parts = (0..3)
                .map(|entry| {
                    let from = (entry + by) % 3;
                    lowering.graph.narrow(x, axis, from, from + 1)
                })
                .collect();
            lowering.graph.concat(parts, axis)
        };
        let (x1, x2) = (rotated(self, x, 1), rotated(self, x, 2));
        let (y1, y2) = (rotated(self, y, 1), rotated(self, y, 2));
        let (first, second) = (self.graph.mul(x1, y2), self.graph.mul(x2, y1));
        self.graph.sub(first, second)
    }
}
