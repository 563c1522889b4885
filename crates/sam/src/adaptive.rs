//! ASAM: the peak within a ball that is measured in units of the weights.

use burn::tensor::Tensor;

use crate::{BatchNormStatistics, SharpnessAware};

/// Adaptive sharpness-aware minimisation, made by [`AsamConfig::init`](crate::AsamConfig::init).
///
/// $$ e = \rho\, \frac{T^2 g}{\lVert T g \rVert}, \qquad T = \operatorname{diag}(|w| + \eta) $$
///
/// on parameters of rank 2 and more, and T = 1 on the others unless
/// [`scale_all`](crate::AsamConfig::scale_all) is set. The peak lies on the ball
/// ||T^-1 e|| = rho. Large weights move far and small ones little, so that the measure of
/// sharpness does not depend on how a network's layers share their scale, up to eta and the
/// parameters left unscaled.
///
/// The rank decides, not the name: a scale of a norm layer is of rank 1 and is left unscaled,
/// though programs that look for "weight" in its name would scale it.
///
/// # References
///
/// Kwon et al. 2021, equation 9 and algorithm 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Asam {
    pub(crate) rho: f64,
    pub(crate) eta: f64,
    pub(crate) scale_all: bool,
    pub(crate) batch_norm: BatchNormStatistics,
}

impl SharpnessAware for Asam {
    fn rho(&self) -> f64 {
        self.rho
    }

    fn scale<const D: usize>(&self, weight: &Tensor<D>) -> Option<Tensor<D>> {
        (D > 1 || self.scale_all).then(|| weight.clone().abs().add_scalar(self.eta))
    }

    fn batch_norm(&self) -> BatchNormStatistics {
        self.batch_norm
    }
}
