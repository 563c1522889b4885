//! ASAM: the peak within a ball that is measured in units of the weights.

use super::config::method_config;
use super::{SamRule, SharpnessAware};
use crate::error::Error;
use crate::gradient::Scale;

method_config! {
    /// Configuration of [`Asam`].
    AsamConfig, rho = 0.5,
    "The radius of the perturbation, relative to the weights. 0.5 is what Kwon et al. (2021, section 5) \
     use for CIFAR-10: about ten times the rho of SAM, for it is measured in units of `|w|`.";
    /// The number η that is added to `|w|`, so that a weight of zero can still be perturbed. 0.01
    /// is the paper's.
    #[config(default = 0.01)]
    pub eta: f64,
    /// Whether parameters of rank 0 and 1 (biases, scales and shifts of norm layers) are scaled by
    /// `|w| + η` as well. The paper perturbs them unscaled. Only with everything scaled and `η = 0`
    /// is the method invariant to moving a factor from one ReLU layer into the next.
    #[config(default = false)]
    pub scale_all: bool,
}

impl AsamConfig {
    /// Makes the method with these settings.
    ///
    /// # Errors
    /// [`Error::Setting`], for a setting that is out of range.
    pub fn init(&self) -> Result<Asam, Error> {
        let scale = Scale::Weights {
            eta: self.eta,
            all: self.scale_all,
        };
        SharpnessAware::new(SamRule, self.ascent(scale))
    }
}

/// Adaptive sharpness-aware minimisation, made by [`AsamConfig::init`]: the rule of SAM in other
/// units.
///
/// ```text
/// e = ρ T² g / ‖T g‖,    T = diag(|w| + η)
/// ```
///
/// on parameters of rank 2 and more, and `T = 1` on the others unless
/// [`scale_all`](AsamConfig::scale_all) is set. The peak lies on the ball `‖T⁻¹ e‖ = ρ`. Large
/// weights move far and small ones little, so that the measure of sharpness does not depend on how
/// a network's layers share their scale, up to η and the parameters left unscaled. Two gradients a
/// step.
///
/// The rank decides, not the name: a scale of a norm layer is of rank 1 and is left unscaled,
/// though programs that look for "weight" in its name would scale it. With several ascent steps T
/// is that of where each begins.
///
/// # References
/// Kwon et al. 2021, equation 9 and algorithm 1.
pub type Asam = SharpnessAware<SamRule>;
