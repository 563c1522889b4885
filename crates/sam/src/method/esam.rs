//! ESAM: perturbs some of the weights and descends on some of the examples.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Tensor, TensorData};

use crate::ascent::check_share;
use crate::method::Batches;
use crate::method::config::{common, method_config};
use crate::module::places::Once;
use crate::random::{Draws, mix};
use crate::{
    Ascent, BatchNormStatistics, Direction, Perturbed, RhoSchedule, Scale, SharpnessAware, State,
};

method_config! {
    /// Configuration of [`Esam`].
    EsamConfig, rho = 0.05,
    "The radius of the perturbation, in units of the weights.";
    /// The probability with which a weight is perturbed. 1 perturbs all.
    #[config(default = 0.5)]
    pub beta: f64,
    /// The share of the examples that the second pass descends on. 1 takes all, and with beta = 1
    /// gives SAM.
    #[config(default = 0.5)]
    pub gamma: f64,
    /// The seed of the choice of weights; it never touches the device's generator.
    #[config(default = 0)]
    pub seed: u64,
}

impl EsamConfig {
    /// The method with these settings.
    ///
    /// # Panics
    /// When rho is negative or not finite, or beta or gamma is not in (0, 1].
    #[must_use]
    pub fn init(&self) -> Esam {
        for (name, value) in [("beta", self.beta), ("gamma", self.gamma)] {
            check_share(name, value);
            assert!(value > 0.0, "{name} must be above 0");
        }
        Esam {
            beta: self.beta,
            gamma: self.gamma,
            seed: self.seed,
            ascent: self.ascent(Scale::Unit),
            state: State::default(),
        }
    }
}

/// Efficient sharpness-aware minimisation, made by [`EsamConfig::init`].
///
/// Stochastic weight perturbation moves each weight with probability beta, farther by 1/beta so that the
/// mean perturbation is SAM's:
///
/// $$ e = \frac{\rho}{\beta}\, m \odot \frac{g}{\lVert g \rVert}, \qquad m_i \sim \text{Bernoulli}(\beta) $$
///
/// Sharpness-sensitive data selection descends on the part $B^+$ of the batch whose losses the
/// perturbation raised most, $|B^+| = \lfloor \gamma |B| \rfloor$ and one at least: the optimiser gets the
/// gradient of their mean loss at w + e. While a schedule holds rho at zero no loss rises, and all take
/// part.
///
/// A step costs 1 + gamma backward and 2 + gamma forward passes, one of the latter to see how the losses
/// rise; the loss has to tell its examples apart
/// ([`step_examples`](crate::SharpnessAware::step_examples)). The authors' program draws m once for
/// each tensor; here it is drawn for each weight, as in the equation. With dropout and
/// [`same_masks`](EsamConfig::same_masks) the passes over a part of the batch have other masks.
///
/// # References
/// Du et al. 2022, "Efficient sharpness-aware minimization for improved training of neural networks",
/// sections 3.1 and 3.2, algorithm 1.
#[derive(Debug, Clone)]
pub struct Esam {
    beta: f64,
    gamma: f64,
    seed: u64,
    ascent: Ascent,
    state: State,
}

impl SharpnessAware for Esam {
    common!();

    fn batches(&self) -> Batches {
        Batches::Hardest(self.gamma)
    }

    fn direction<M: Module>(&mut self, model: &M, gradients: &GradientsParams) -> Direction {
        if self.beta >= 1.0 {
            return Direction::Gradient;
        }
        let mut mask = Mask {
            gradients,
            draws: Draws::new(mix(self.seed, self.state.steps), self.beta),
            factor: 1.0 / self.beta,
            masked: GradientsParams::new(),
            once: Once::default(),
        };
        model.visit(&mut mask);
        Direction::PartOf(mask.masked)
    }
}

/// m g / beta.
struct Mask<'a> {
    gradients: &'a GradientsParams,
    draws: Draws,
    factor: f64,
    masked: GradientsParams,
    once: Once,
}

impl ModuleVisitor for Mask<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(gradient) = self.gradients.get::<D>(param.id) else {
            return;
        };
        if !self.once.is_new(param) {
            return;
        }
        let gradient = gradient.inner();
        let shape = gradient.shape();
        let factors: Vec<f64> = (0..shape.num_elements())
            // A branch would be guessed wrong every other time.
            .map(|_| self.factor * f64::from(u8::from(self.draws.draw())))
            .collect();
        let data = TensorData::new(factors, shape);
        let mask = Tensor::<D>::from_data(data, (&gradient.device(), gradient.dtype()));
        self.masked.register(param.id, gradient * mask);
    }
}
