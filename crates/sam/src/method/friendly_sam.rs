//! Friendly-SAM: climbs along what is particular to the batch.

use burn::module::Module;
use burn::optim::GradientsParams;

use crate::ascent::{check, check_share};
use crate::gradient::carried::from_gradients;
use crate::gradient::combine::moved;
use crate::method::config::{common, method_config};
use crate::{
    Ascent, BatchNormStatistics, Direction, Perturbed, RhoSchedule, Scale, SharpnessAware, State,
};

method_config! {
    /// Configuration of [`FriendlySam`].
    FriendlySamConfig, rho = 0.05,
    "The radius of the perturbation, in units of the weights.";
    /// How much of the estimated full gradient is taken off the direction of the ascent. 1 is the
    /// paper's; zero gives SAM.
    #[config(default = 1.0)]
    pub sigma: f64,
    /// The decay of the average that estimates the full gradient. 0.9 is the paper's.
    #[config(default = 0.9)]
    pub lambda: f64,
}

impl FriendlySamConfig {
    /// The method with these settings.
    ///
    /// # Panics
    /// When a setting is negative or not finite, or lambda is above 1.
    #[must_use]
    pub fn init(&self) -> FriendlySam {
        check("sigma", self.sigma);
        check_share("lambda", self.lambda);
        FriendlySam {
            sigma: self.sigma,
            lambda: self.lambda,
            ascent: self.ascent(Scale::Unit),
            state: State::default(),
        }
    }
}

/// Friendly sharpness-aware minimisation, made by [`FriendlySamConfig::init`].
///
/// The moving average m of the gradients estimates the gradient of all data; the ascent goes along
/// what the batch has beside it:
///
/// $$ m_t = \lambda\, m_{t-1} + (1 - \lambda)\, g_t, \quad m_0 = 0, \qquad d_t = g_t - \sigma\, m_t, \qquad
/// e = \rho\, d_t / \lVert d_t \rVert $$
///
/// m is part of the state that is saved. Two gradients a step. The authors' program differs from these
/// equations: it takes off $m_{t-1}$, and begins with $m_1 = g_1$ and an ascent along $g_1$.
///
/// # References
/// Li et al. 2024, "Friendly sharpness-aware minimization", equations 9 and 10 and algorithm 1.
#[derive(Debug, Clone)]
pub struct FriendlySam {
    sigma: f64,
    lambda: f64,
    ascent: Ascent,
    state: State,
}

impl SharpnessAware for FriendlySam {
    common!();

    fn carries(&self) -> bool {
        self.sigma > 0.0
    }

    fn direction<M: Module>(&mut self, model: &M, gradients: &GradientsParams) -> Direction {
        if self.sigma == 0.0 {
            return Direction::Gradient;
        }
        let carried = Some((&self.state.carried, self.lambda));
        self.state.carried = from_gradients(model, gradients, 1.0 - self.lambda, carried);
        Direction::Along(moved(model, gradients, -self.sigma, &self.state.carried))
    }
}
