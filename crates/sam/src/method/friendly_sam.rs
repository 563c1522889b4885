//! Friendly-SAM: climbs along what is particular to the batch.

use burn::module::Module;
use burn::optim::GradientsParams;

use super::SharpnessAware;
use super::config::method_config;
use crate::error::{Error, check_not_negative, setting};
use crate::gradient::Scale;
use crate::rule::{Direction, Rule, StepContext};

method_config! {
    /// Configuration of [`FriendlySam`].
    FriendlySamConfig, rho = 0.05,
    "The radius of the perturbation, in units of the weights.";
    /// The part of the estimated full gradient that is taken off the direction of the ascent. 1 is
    /// the paper's; zero gives SAM.
    #[config(default = 1.0)]
    pub sigma: f64,
    /// The decay of the average that estimates the full gradient. 0.9 is the paper's.
    #[config(default = 0.9)]
    pub lambda: f64,
}

impl FriendlySamConfig {
    /// Makes the method with these settings.
    ///
    /// # Errors
    /// [`Error::Setting`], for a setting that is out of range.
    pub fn init(&self) -> Result<FriendlySam, Error> {
        let rule = FriendlySamRule {
            sigma: self.sigma,
            lambda: self.lambda,
        };
        SharpnessAware::new(rule, self.ascent(Scale::Unit))
    }
}

/// Friendly sharpness-aware minimisation, made by [`FriendlySamConfig::init`].
///
/// The moving average m of the gradients estimates the gradient of all data; the ascent goes along
/// what the batch has beside it:
///
/// ```text
/// mₜ = λ mₜ₋₁ + (1 − λ) gₜ,  m₀ = 0,    dₜ = gₜ − σ mₜ,    e = ρ dₜ / ‖dₜ‖
/// ```
///
/// m is part of the state that is saved. Two gradients a step. The authors' program differs from
/// these equations: it takes off `mₜ₋₁`, and begins with `m₁ = g₁` and an ascent along `g₁`.
///
/// # References
/// Li et al. 2024, "Friendly sharpness-aware minimization", equations 9 and 10 and algorithm 1.
pub type FriendlySam = SharpnessAware<FriendlySamRule>;

/// The rule of [`FriendlySam`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FriendlySamRule {
    sigma: f64,
    lambda: f64,
}

impl Rule for FriendlySamRule {
    fn carries(&self) -> bool {
        self.sigma > 0.0
    }

    fn direction<M: Module>(
        &self,
        context: StepContext<'_, M>,
        gradients: &GradientsParams,
    ) -> Direction {
        if self.sigma == 0.0 {
            return Direction::Gradient;
        }
        let (model, average) = (context.model, context.carried);
        average.update(model, self.lambda, 1.0 - self.lambda, gradients);
        Direction::Along(average.added_to(model, -self.sigma, gradients))
    }

    fn check(&self) -> Result<(), Error> {
        check_not_negative("sigma", self.sigma)?;
        if (0.0..=1.0).contains(&self.lambda) {
            Ok(())
        } else {
            Err(setting("lambda", self.lambda, "between 0 and 1"))
        }
    }
}
