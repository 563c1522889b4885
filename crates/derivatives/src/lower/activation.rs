//! Activations.

use burn_ir::ActivationOperationIr;

use super::{Lowering, name, unsupported};
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
                // x Phi(x) with Phi(x) = (1 + erf(x / sqrt(2))) / 2
                let x = self.get(&op.input)?;
                let argument = self.graph.scale(x, std::f64::consts::FRAC_1_SQRT_2);
                let erf = self.graph.unary(Unary::Erf, argument);
                let shifted = self.graph.offset(erf, 1.0);
                let distribution = self.graph.scale(shifted, 0.5);
                (&op.out, self.graph.mul(x, distribution))
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
            Op::ReluBackward(_)
            | Op::GeluBackward(_)
            | Op::SigmoidBackward(_)
            | Op::LogSigmoidBackward(_) => {
                return Err(unsupported(
                    name(operation),
                    "a loss that contains a backward pass",
                ));
            }
        };
        self.set(out, node)
    }

    /// `scaled` where x < 0, otherwise x.
    fn below_zero(&mut self, x: NodeId, scaled: NodeId) -> NodeId {
        let negative = self.graph.discrete(
            Discrete::CompareFloat(Comparison::Lower, Real::new(0.0)),
            vec![x],
            BOOL,
        );
        self.graph.replace_where(x, negative, scaled)
    }
}
