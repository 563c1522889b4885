//! LookSAM: looks for the peak in every k-th step, and reuses what it found in between.

use burn::module::Module;
use burn::optim::GradientsParams;

use super::SharpnessAware;
use super::config::method_config;
use crate::error::{Error, check_not_negative, setting};
use crate::gradient::{Carried, Norms, Question, Scale};
use crate::rule::{Direction, Pair, Rule, StepContext};

method_config! {
    /// Configuration of [`LookSam`].
    LookSamConfig, rho = 0.1,
    "The radius of the perturbation, in units of the weights.";
    /// The number of steps from one search for the peak to the next. One gives SAM.
    #[config(default = 10)]
    pub k: usize,
    /// The length of the reused component, in units of `‖g‖`.
    #[config(default = 0.7)]
    pub alpha: f64,
}

impl LookSamConfig {
    /// Makes the method with these settings.
    ///
    /// # Errors
    /// [`Error::Setting`], for a setting that is out of range.
    pub fn init(&self) -> Result<LookSam, Error> {
        let rule = LookSamRule {
            k: self.k as u64,
            alpha: self.alpha,
        };
        SharpnessAware::new(rule, self.ascent(Scale::Unit))
    }
}

/// Sharpness-aware minimisation that looks for the peak in every k-th step only, made by
/// [`LookSamConfig::init`].
///
/// In steps 0, k, 2k, ... the optimiser gets the gradient `gₛ` at the peak, and its component
/// orthogonal to g is kept:
///
/// ```text
/// gᵥ = gₛ − ⟨gₛ, g⟩ / ‖g‖² · g
/// ```
///
/// In the steps between it gets `g + α ‖g‖ / ‖gᵥ‖ · gᵥ`, without a second pass. So a step costs
/// `1 + 1/k` gradients on average. The component is part of the state that is saved. Where it is
/// nothing but rounding (parallel gradients) it is zero. While a schedule holds the radius at zero
/// nothing is added.
///
/// # References
/// Liu et al. 2022, "Towards efficient and scalable sharpness-aware minimization", algorithm 1.
pub type LookSam = SharpnessAware<LookSamRule>;

/// The rule of [`LookSam`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LookSamRule {
    k: u64,
    alpha: f64,
}

impl Rule for LookSamRule {
    fn carries(&self) -> bool {
        self.k > 1
    }

    fn looks(&self, step: u64) -> bool {
        step.is_multiple_of(self.k)
    }

    fn direction<M: Module>(
        &self,
        context: StepContext<'_, M>,
        _gradients: &GradientsParams,
    ) -> Direction {
        // The component of an earlier peak is used up, whether or not this peak gives another: with
        // a radius of zero it does not.
        context.carried.clear();
        Direction::Gradient
    }

    fn combine<M: Module>(&self, context: StepContext<'_, M>, pair: Pair<'_>) -> GradientsParams {
        if self.k == 1 {
            context.carried.clear();
        } else {
            set_unit_orthogonal(context.carried, context.model, &pair);
        }
        pair.at_peak
    }

    fn between<M: Module>(
        &self,
        context: StepContext<'_, M>,
        gradients: GradientsParams,
        norm: f64,
    ) -> GradientsParams {
        if context.carried.is_empty() || self.alpha == 0.0 || context.rho == 0.0 {
            return gradients;
        }
        let length = self.alpha * norm;
        context.carried.added_to(context.model, length, &gradients)
    }

    fn check(&self) -> Result<(), Error> {
        if self.k == 0 {
            return Err(setting("k", self.k, "at least 1"));
        }
        check_not_negative("alpha", self.alpha)
    }
}

/// Sets the vector to `gᵥ / ‖gᵥ‖`, or to nothing.
fn set_unit_orthogonal<M: Module>(carried: &mut Carried, model: &M, pair: &Pair<'_>) {
    carried.clear();
    let angle = pair.angle(model);
    if angle.norm == 0.0 {
        return;
    }
    let projection = angle.cosine * (angle.peak_norm / angle.norm);
    let orthogonal = pair.combined(model, -projection, 1.0);
    let norm = Norms::of(model, &orthogonal, &Question::NORM);
    let norm = norm.gradient.value();
    // Some roundings of float32, whatever the type is: a component as small is none. One that is
    // not finite, in a loop that does not look at its gradients, would stay for k steps.
    if norm > 1e-6 * angle.peak_norm && norm.is_finite() {
        carried.set(model, 1.0 / norm, &orthogonal);
    }
}
