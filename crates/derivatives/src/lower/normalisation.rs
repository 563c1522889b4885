//! Batch and layer normalisation; the others are recorded in parts.

use burn_ir::{BatchNormOpIr, LayerNormOpIr};

use super::{Lowered, Lowering};
use crate::graph::NodeId;
use crate::primitive::Unary;

impl Lowering {
    /// Returns `[C]` as `[1, C, 1, ..]`.
    fn per_channel(&mut self, x: NodeId, rank: usize) -> NodeId {
        let mut shape = vec![1; rank];
        shape[1] = self.graph.shape(x)[0];
        self.graph.reshape(x, shape)
    }

    /// Returns `1 / √(variance + ε)`.
    fn inverse_deviation(&mut self, variance: NodeId, epsilon: f64) -> NodeId {
        let shifted = self.graph.offset(variance, epsilon);
        let deviation = self.graph.unary(Unary::Sqrt, shifted);
        self.graph.power(deviation, -1.0)
    }

    /// Returns x minus its mean over `axes`, and the mean of its square, which is the biased
    /// variance.
    fn centred(&mut self, x: NodeId, axes: &[usize]) -> (NodeId, NodeId) {
        let mean = self.graph.mean_over(x, axes);
        let centred = self.graph.sub(x, mean);
        let square = self.graph.mul(centred, centred);
        (centred, self.graph.mean_over(square, axes))
    }

    pub(super) fn batch_norm(&mut self, op: &BatchNormOpIr) -> Lowered {
        let x = self.get(&op.x)?;
        let rank = self.graph.rank(x);
        let (gamma, beta) = (self.get(&op.gamma)?, self.get(&op.beta)?);
        let gamma = self.per_channel(gamma, rank);
        let beta = self.per_channel(beta, rank);
        let (centred, variance) = if self.batch_statistics.contains(&op.mean.id) {
            let axes: Vec<usize> = (0..rank).filter(|&axis| axis != 1).collect();
            self.centred(x, &axes)
        } else {
            let (mean, variance) = (self.get(&op.mean)?, self.get(&op.variance)?);
            let mean = self.per_channel(mean, rank);
            let variance = self.per_channel(variance, rank);
            (self.graph.sub(x, mean), variance)
        };
        let inverse = self.inverse_deviation(variance, op.epsilon.elem());
        let slope = self.graph.mul(gamma, inverse);
        let scaled = self.graph.mul(centred, slope);
        Ok(self.graph.add(scaled, beta))
    }

    pub(super) fn layer_norm(&mut self, op: &LayerNormOpIr) -> Lowered {
        let x = self.get(&op.input)?;
        let last = self.graph.rank(x) - 1;
        let (centred, variance) = self.centred(x, &[last]);
        let inverse = self.inverse_deviation(variance, op.epsilon.elem());
        let normal = self.graph.mul(centred, inverse);
        let mut shape = vec![1; last + 1];
        shape[last] = self.graph.shape(x)[last];
        let gamma = self.get(&op.gamma)?;
        let gamma = self.graph.reshape(gamma, shape.clone());
        let scaled = self.graph.mul(normal, gamma);
        match &op.beta {
            Some(beta) => {
                let beta = self.get(beta)?;
                let beta = self.graph.reshape(beta, shape);
                Ok(self.graph.add(scaled, beta))
            }
            None => Ok(scaled),
        }
    }
}
