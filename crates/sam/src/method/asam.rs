//! ASAM: the peak within a ball that is measured in units of the weights.

use crate::method::config::{common, method_config};
use crate::{Ascent, BatchNormStatistics, Perturbed, RhoSchedule, Scale, SharpnessAware, State};

method_config! {
    /// Configuration of [`Asam`].
    AsamConfig, rho = 0.5,
    "The radius of the perturbation, relative to the weights. 0.5 is what Kwon et al. (2021, section 5) \
     use for CIFAR-10: about ten times the rho of SAM, for it is measured in units of |w|.";
    /// Added to |w|, so that a weight of zero can still be perturbed. 0.01 is the paper's.
    #[config(default = 0.01)]
    pub eta: f64,
    /// Whether parameters of rank 0 and 1 (biases, scales and shifts of norm layers) are scaled by
    /// |w| + eta as well. The paper perturbs them unscaled. Only with everything scaled and eta =
    /// 0 is the method invariant to moving a factor from one ReLU layer into the next.
    #[config(default = false)]
    pub scale_all: bool,
}

impl AsamConfig {
    /// The method with these settings.
    ///
    /// # Panics
    /// When a setting is negative or not finite.
    #[must_use]
    pub fn init(&self) -> Asam {
        let scale = Scale::Weights {
            eta: self.eta,
            all: self.scale_all,
        };
        Asam {
            ascent: self.ascent(scale),
            state: State::default(),
        }
    }
}

/// Adaptive sharpness-aware minimisation, made by [`AsamConfig::init`].
///
/// $$ e = \rho\, \frac{T^2 g}{\lVert T g \rVert}, \qquad T = \operatorname{diag}(|w| + \eta) $$
///
/// on parameters of rank 2 and more, and T = 1 on the others unless
/// [`scale_all`](AsamConfig::scale_all) is set. The peak lies on the ball
/// ||T^-1 e|| = rho. Large weights move far and small ones little, so that the measure of
/// sharpness does not depend on how a network's layers share their scale, up to eta and the
/// parameters left unscaled. Two gradients a step.
///
/// The rank decides, not the name: a scale of a norm layer is of rank 1 and is left unscaled,
/// though programs that look for "weight" in its name would scale it. With several ascent steps T is
/// that of where each begins.
///
/// # References
/// Kwon et al. 2021, equation 9 and algorithm 1.
#[derive(Debug, Clone)]
pub struct Asam {
    ascent: Ascent,
    state: State,
}

impl SharpnessAware for Asam {
    common!();
}
