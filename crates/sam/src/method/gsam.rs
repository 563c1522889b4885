//! GSAM: descends the perturbed loss, and the gap to the loss without raising it.

use burn::module::Module;
use burn::optim::GradientsParams;

use super::SharpnessAware;
use super::config::method_config;
use crate::error::{Error, check_not_negative};
use crate::gradient::Scale;
use crate::rule::{Pair, Rule, StepContext};

method_config! {
    /// Configuration of [`Gsam`].
    GsamConfig, rho = 0.05,
    "The radius of the perturbation, in units of the weights. The paper lets it follow the learning \
     rate: [`RhoSchedule::Between`](crate::RhoSchedule::Between).";
    /// The weight of the part of g that is orthogonal to the gradient at the peak. 0.4 is what
    /// Zhuang et al. (2022, table 5) use for most of their networks; zero gives SAM.
    #[config(default = 0.4)]
    pub alpha: f64,
}

impl GsamConfig {
    /// Makes the method with these settings.
    ///
    /// # Errors
    /// [`Error::Setting`], for a setting that is out of range.
    pub fn init(&self) -> Result<Gsam, Error> {
        let rule = GsamRule { alpha: self.alpha };
        SharpnessAware::new(rule, self.ascent(Scale::Unit))
    }
}

/// Surrogate-gap guided sharpness-aware minimisation, made by [`GsamConfig::init`].
///
/// With the gradient `gₚ` at the peak and the part of g that is orthogonal to it, the optimiser
/// gets
///
/// ```text
/// d = gₚ − α (g − ⟨g, gₚ⟩ / ‖gₚ‖² · gₚ)
/// ```
///
/// To first order the second term leaves the perturbed loss alone and raises the loss, which closes
/// the gap between the two. Where `gₚ = 0` it is `d = 0`. Two gradients a step.
///
/// # References
/// Zhuang et al. 2022, "Surrogate gap minimization improves sharpness-aware training", algorithm 1.
pub type Gsam = SharpnessAware<GsamRule>;

/// The rule of [`Gsam`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GsamRule {
    alpha: f64,
}

impl Rule for GsamRule {
    fn combine<M: Module>(&self, context: StepContext<'_, M>, pair: Pair<'_>) -> GradientsParams {
        if self.alpha == 0.0 {
            return pair.at_peak;
        }
        let angle = pair.angle(context.model);
        if angle.peak_norm == 0.0 {
            return pair.at_peak;
        }
        let projection = angle.cosine * (angle.norm / angle.peak_norm);
        pair.combined(context.model, -self.alpha, 1.0 + self.alpha * projection)
    }

    fn check(&self) -> Result<(), Error> {
        check_not_negative("alpha", self.alpha)
    }
}
