//! Activations.

use burn_ir::ActivationOperationIr;

use super::Lowering;
use crate::Error;
use crate::graph::{NodeId, Real};
use crate::primitive::{BOOL, Comparison, Discrete, Unary};

impl Lowering {
    pub(super) fn activation(&mut self, operation: &ActivationOperationIr) -> Result<(), Error> {
        use ActivationOperationIr as Op;
        let (out, node) = match operation {
            Op::Relu(op) => (&op.out, self.function(Unary::Relu, &op.input)?),
            Op::LeakyRelu(op) => {
                let x = self.get(&op.lhs)?;
                let scaled = self.graph.scale(x, op.rhs.elem());
                (&op.out, self.below_zero(x, scaled))
            }
            Op::PRelu(op) => {
                let (x, slope) = (self.get(&op.lhs)?, self.get(&op.rhs)?);
                let scaled = self.graph.mul(x, slope);
                (&op.out, self.below_zero(x, scaled))
            }
            Op::Gelu(op) => {
                let x = self.get(&op.input)?;
                (&op.out, self.gelu(x))
            }
            Op::Sigmoid(op) => (&op.out, self.function(Unary::Sigmoid, &op.input)?),
            Op::HardSigmoid(op) => {
                let x = self.get(&op.tensor)?;
                let line = self.graph.scale(x, op.alpha.elem());
                let line = self.graph.offset(line, op.beta.elem());
                let below = self.bounded(line, Comparison::Greater, 1.0);
                (&op.out, self.bounded(below, Comparison::Lower, 0.0))
            }
            Op::LogSigmoid(op) => (&op.out, self.function(Unary::LogSigmoid, &op.input)?),
            Op::Softmax(op) => {
                let x = self.get(&op.input)?;
                (&op.out, self.graph.softmax(x, op.axis))
            }
            Op::LogSoftmax(op) => {
                let x = self.get(&op.input)?;
                (&op.out, self.graph.log_softmax(x, op.axis))
            }
            Op::Softmin(op) => {
                let x = self.get(&op.input)?;
                let minus = self.graph.neg(x);
                (&op.out, self.graph.softmax(minus, op.axis))
            }
            // The first tensor is what came out of the function ..
            Op::ReluBackward(op) => {
                let (y, gradient) = (self.get(&op.lhs)?, self.get(&op.rhs)?);
                let back = self.pulled_back(y, gradient, |lowering, y| {
                    lowering.graph.unary(Unary::Relu, y)
                });
                (&op.out, back)
            }
            Op::SigmoidBackward(op) => {
                let (y, gradient) = (self.get(&op.lhs)?, self.get(&op.rhs)?);
                // s' = s (1 - s)
                let minus = self.graph.neg(y);
                let rest = self.graph.offset(minus, 1.0);
                let slope = self.graph.mul(y, rest);
                (&op.out, self.graph.mul(gradient, slope))
            }
            // .. and here what went into it.
            Op::GeluBackward(op) => {
                let (x, gradient) = (self.get(&op.lhs)?, self.get(&op.rhs)?);
                let back = self.pulled_back(x, gradient, Self::gelu);
                (&op.out, back)
            }
            Op::LogSigmoidBackward(op) => {
                let (x, gradient) = (self.get(&op.lhs)?, self.get(&op.rhs)?);
                let back = self.pulled_back(x, gradient, |lowering, x| {
                    lowering.graph.unary(Unary::LogSigmoid, x)
                });
                (&op.out, back)
            }
        };
        self.set(out, node)
    }

    /// Returns `x Φ(x)` with `Φ(x) = (1 + erf(x / √2)) / 2`.
    fn gelu(&mut self, x: NodeId) -> NodeId {
        let argument = self.graph.scale(x, std::f64::consts::FRAC_1_SQRT_2);
        let erf = self.graph.unary(Unary::Erf, argument);
        let shifted = self.graph.offset(erf, 1.0);
        let distribution = self.graph.scale(shifted, 0.5);
        self.graph.mul(x, distribution)
    }

    /// Returns `scaled` where x < 0, otherwise x.
    fn below_zero(&mut self, x: NodeId, scaled: NodeId) -> NodeId {
        let negative = self.graph.discrete(
            Discrete::CompareFloat(Comparison::Lower, Real::new(0.0)),
            vec![x],
            BOOL,
        );
        self.graph.replace_where(x, negative, scaled)
    }
}
