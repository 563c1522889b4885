//! ESAM: perturbs some of the weights and descends on some of the examples.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Tensor, TensorData};

use super::SharpnessAware;
use super::config::method_config;
use crate::error::{Error, setting};
use crate::gradient::Scale;
use crate::module::Once;
use crate::random::{Draws, mix};
use crate::rule::{BatchUse, Direction, Rule, StepContext};

method_config! {
    /// Configuration of [`Esam`].
    EsamConfig, rho = 0.05,
    "The radius of the perturbation, in units of the weights.";
    /// The probability with which a weight is perturbed. 1 perturbs all.
    #[config(default = 0.5)]
    pub beta: f64,
    /// The share of the examples that the second pass descends on. 1 takes all, and with `beta = 1`
    /// gives SAM.
    #[config(default = 0.5)]
    pub gamma: f64,
    /// The seed of the choice of weights; it never touches the device's generator.
    #[config(default = 0)]
    pub seed: u64,
}

impl EsamConfig {
    /// Makes the method with these settings.
    ///
    /// # Errors
    /// [`Error::Setting`], for a setting that is out of range.
    pub fn init(&self) -> Result<Esam, Error> {
        let rule = EsamRule {
            beta: self.beta,
            gamma: self.gamma,
            seed: self.seed,
        };
        SharpnessAware::new(rule, self.ascent(Scale::Unit))
    }
}

/// Efficient sharpness-aware minimisation, made by [`EsamConfig::init`].
///
/// Stochastic weight perturbation moves each weight with probability β, farther by `1/β` so that
/// the mean perturbation is SAM's:
///
/// ```text
/// e = ρ/β · m ⊙ g / ‖g‖,    mᵢ ~ Bernoulli(β)
/// ```
///
/// Sharpness-sensitive data selection descends on the part B⁺ of the batch B whose losses the
/// perturbation raised most, `|B⁺| = ⌊γ |B|⌋` and one at least: the optimiser gets the gradient of
/// their mean loss at `w + e`. While a schedule holds ρ at zero no loss rises, and all take part.
///
/// A step costs `1 + γ` backward and `2 + γ` forward passes, one of the latter to see how the
/// losses rise; the loss has to tell its examples apart
/// ([`step_examples`](SharpnessAware::step_examples)). The authors' program draws m once for each
/// tensor; here it is drawn for each weight, as in the equation. With dropout and
/// [`same_masks`](EsamConfig::same_masks) the passes over a part of the batch have other masks.
///
/// # References
/// Du et al. 2022, "Efficient sharpness-aware minimization for improved training of neural
/// networks", sections 3.1 and 3.2, algorithm 1.
pub type Esam = SharpnessAware<EsamRule>;

/// The rule of [`Esam`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EsamRule {
    beta: f64,
    gamma: f64,
    seed: u64,
}

impl Rule for EsamRule {
    fn batches(&self) -> BatchUse {
        BatchUse::Hardest(self.gamma)
    }

    fn direction<M: Module>(
        &self,
        context: StepContext<'_, M>,
        gradients: &GradientsParams,
    ) -> Direction {
        if self.beta >= 1.0 {
            return Direction::Gradient;
        }
        let mut mask = Mask {
            gradients,
            draws: Draws::new(mix(self.seed, context.step), self.beta),
            factor: 1.0 / self.beta,
            masked: GradientsParams::new(),
            once: Once::default(),
        };
        context.model.visit(&mut mask);
        Direction::PartOf(mask.masked)
    }

    fn check(&self) -> Result<(), Error> {
        for (name, value) in [("beta", self.beta), ("gamma", self.gamma)] {
            if !(value > 0.0 && value <= 1.0) {
                return Err(setting(name, value, "above 0 and at most 1"));
            }
        }
        Ok(())
    }
}

/// The visitor that computes `m ⊙ g / β`.
struct Mask<'a> {
    gradients: &'a GradientsParams,
    draws: Draws,
    factor: f64,
    masked: GradientsParams,
    once: Once,
}

impl ModuleVisitor for Mask<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(gradient) = self.once.gradient(self.gradients, param) else {
            return;
        };
        let shape = gradient.shape();
        let factors: Vec<f64> = (0..shape.num_elements())
            // Without a branch: the processor would guess it wrong every other time.
            .map(|_| self.factor * f64::from(u8::from(self.draws.draw())))
            .collect();
        let data = TensorData::new(factors, shape);
        let mask = Tensor::<D>::from_data(data, (&gradient.device(), gradient.dtype()));
        self.masked.register(param.id, gradient * mask);
    }
}
