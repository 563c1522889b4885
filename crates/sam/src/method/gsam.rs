//! GSAM: descends the perturbed loss, and the gap to the loss without raising it.

use burn::module::Module;
use burn::optim::GradientsParams;

use crate::ascent::check;
use crate::gradient::combine::combined;
use crate::method::config::{common, method_config};
use crate::{
    Ascent, BatchNormStatistics, Pair, Perturbed, RhoSchedule, Scale, SharpnessAware, State,
};

method_config! {
    /// Configuration of [`Gsam`].
    GsamConfig, rho = 0.05,
    "The radius of the perturbation, in units of the weights. The paper lets it follow the learning \
     rate: [`RhoSchedule::Between`].";
    /// The weight of the part of g that is orthogonal to the gradient at the peak. 0.4 is what Zhuang
    /// et al. (2022, table 5) use for most of their networks; zero gives SAM.
    #[config(default = 0.4)]
    pub alpha: f64,
}

impl GsamConfig {
    /// The method with these settings.
    ///
    /// # Panics
    /// When a setting is negative or not finite.
    #[must_use]
    pub fn init(&self) -> Gsam {
        check("alpha", self.alpha);
        Gsam {
            alpha: self.alpha,
            ascent: self.ascent(Scale::Unit),
            state: State::default(),
        }
    }
}

/// Surrogate-gap guided sharpness-aware minimisation, made by [`GsamConfig::init`].
///
/// With the gradient $g_p$ at the peak and the part of g that is orthogonal to it,
///
/// $$ d = g_p - \alpha \Bigl( g - \frac{\langle g, g_p \rangle}{\lVert g_p \rVert^2}\, g_p \Bigr) $$
///
/// is what the optimiser gets: to first order the second term leaves the perturbed loss alone and
/// raises the loss, which closes the gap between the two. Where $g_p = 0$ it is d = 0. Two gradients a
/// step.
///
/// # References
/// Zhuang et al. 2022, "Surrogate gap minimization improves sharpness-aware training", algorithm 1.
#[derive(Debug, Clone)]
pub struct Gsam {
    alpha: f64,
    ascent: Ascent,
    state: State,
}

impl SharpnessAware for Gsam {
    common!();

    fn combine<M: Module>(&mut self, model: &M, pair: Pair<'_>) -> GradientsParams {
        if self.alpha == 0.0 {
            return pair.at_peak;
        }
        let angle = pair.angle(model);
        if angle.peak_norm == 0.0 {
            return pair.at_peak;
        }
        let projection = angle.cosine * (angle.norm / angle.peak_norm);
        combined(
            model,
            (1.0 + self.alpha * projection, &pair.at_peak),
            (-self.alpha, pair.at_weights),
        )
    }
}
