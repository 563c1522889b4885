//! SAM: the peak within a Euclidean ball.

use super::SharpnessAware;
use super::config::method_config;
use crate::error::Error;
use crate::gradient::Scale;
use crate::rule::Rule;

method_config! {
    /// Configuration of [`Sam`].
    SamConfig, rho = 0.05,
    "The radius of the perturbation, in units of the weights. 0.05 is what Foret et al. (2021, section \
     3.1) found to work for most networks; zero gives the base optimiser, bit for bit.";
}

impl SamConfig {
    /// Makes the method with these settings.
    ///
    /// # Errors
    /// [`Error::Setting`], for a setting that is out of range.
    pub fn init(&self) -> Result<Sam, Error> {
        SharpnessAware::new(SamRule, self.ascent(Scale::Unit))
    }
}

/// Sharpness-aware minimisation, made by [`SamConfig::init`].
///
/// ```text
/// e = ρ g / ‖g‖,    w ← w − optimiser(∇L(w + e))
/// ```
///
/// There is no small constant in the denominator: a zero gradient gives `e = 0`. Two gradients a
/// step.
///
/// # References
/// Foret et al. 2021, equation 2 with p = 2, algorithm 1.
pub type Sam = SharpnessAware<SamRule>;

/// The rule of [`Sam`] and [`Asam`](crate::Asam): up along the gradient, down along that at the
/// peak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SamRule;

impl Rule for SamRule {}
