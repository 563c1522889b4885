//! SAM: the peak within a Euclidean ball.

use burn::tensor::Tensor;

use crate::{BatchNormStatistics, SharpnessAware};

/// Sharpness-aware minimisation, made by [`SamConfig::init`](crate::SamConfig::init).
///
/// $$ e = \rho\, g / \lVert g \rVert $$
///
/// There is no small constant in the denominator: a zero gradient gives e = 0.
///
/// # References
///
/// Foret et al. 2021, equation 2 with p = 2.
#[derive(Debug, Clone, PartialEq)]
pub struct Sam {
    pub(crate) rho: f64,
    pub(crate) batch_norm: BatchNormStatistics,
}

impl SharpnessAware for Sam {
    fn rho(&self) -> f64 {
        self.rho
    }

    fn scale<const D: usize>(&self, _weight: &Tensor<D>) -> Option<Tensor<D>> {
        None
    }

    fn batch_norm(&self) -> BatchNormStatistics {
        self.batch_norm
    }
}
