//! LookSAM: looks for the peak in every k-th step, and reuses what it found in between.

use burn::module::Module;
use burn::optim::GradientsParams;

use crate::ascent::check;
use crate::gradient::carried::{Vectors, from_gradients};
use crate::gradient::combine::{combined, moved};
use crate::gradient::norms::Norms;
use crate::gradient::question::Question;
use crate::method::config::{common, method_config};
use crate::{
    Ascent, BatchNormStatistics, Direction, Pair, Perturbed, RhoSchedule, Scale, SharpnessAware,
    State,
};

method_config! {
    /// Configuration of [`LookSam`].
    LookSamConfig, rho = 0.1,
    "The radius of the perturbation, in units of the weights.";
    /// Every how many steps the peak is looked for. One gives SAM.
    #[config(default = 10)]
    pub k: usize,
    /// The length of the reused component, in units of ||g||.
    #[config(default = 0.7)]
    pub alpha: f64,
}

impl LookSamConfig {
    /// The method with these settings.
    ///
    /// # Panics
    /// When a setting is negative or not finite, or k is 0.
    #[must_use]
    pub fn init(&self) -> LookSam {
        check("alpha", self.alpha);
        assert!(self.k > 0, "k must be at least 1");
        LookSam {
            k: self.k as u64,
            alpha: self.alpha,
            ascent: self.ascent(Scale::Unit),
            state: State::default(),
        }
    }
}

/// Sharpness-aware minimisation that looks for the peak in every k-th step only, made by
/// [`LookSamConfig::init`].
///
/// In steps 0, k, 2k, ... the optimiser gets the gradient $g_s$ at the peak, and its component
/// orthogonal to g is kept:
///
/// $$ g_v = g_s - \frac{\langle g_s, g \rangle}{\lVert g \rVert^2}\, g $$
///
/// In the steps between it gets $g + \alpha\, \frac{\lVert g \rVert}{\lVert g_v \rVert}\, g_v$, without a
/// second pass. So a step costs 1 + 1/k gradients on average. The component is part of the state that
/// is saved. Where it is nothing but rounding (parallel gradients) it is zero. While a schedule holds
/// the radius at zero nothing is added.
///
/// # References
/// Liu et al. 2022, "Towards efficient and scalable sharpness-aware minimization", algorithm 1.
#[derive(Debug, Clone)]
pub struct LookSam {
    k: u64,
    alpha: f64,
    ascent: Ascent,
    state: State,
}

impl SharpnessAware for LookSam {
    common!();

    fn carries(&self) -> bool {
        self.k > 1
    }

    fn looks(&self) -> bool {
        self.state.steps.is_multiple_of(self.k)
    }

    fn direction<M: Module>(&mut self, _model: &M, _gradients: &GradientsParams) -> Direction {
        // What an earlier peak gave is done with, whether or not this one gives something: with a
        // radius of zero it does not.
        self.state.carried = Vectors::default();
        Direction::Gradient
    }

    fn combine<M: Module>(&mut self, model: &M, pair: Pair<'_>) -> GradientsParams {
        self.state.carried = if self.k == 1 {
            Vectors::default()
        } else {
            unit_orthogonal(model, &pair)
        };
        pair.at_peak
    }

    fn between<M: Module>(
        &mut self,
        model: &M,
        gradients: GradientsParams,
        norm: f64,
    ) -> GradientsParams {
        if self.state.carried.is_empty() || self.alpha == 0.0 || self.rho() == 0.0 {
            return gradients;
        }
        moved(model, &gradients, self.alpha * norm, &self.state.carried)
    }
}

/// $g_v / \lVert g_v \rVert$, or nothing.
fn unit_orthogonal<M: Module>(model: &M, pair: &Pair<'_>) -> Vectors {
    let angle = pair.angle(model);
    if angle.norm == 0.0 {
        return Vectors::default();
    }
    let projection = angle.cosine * (angle.peak_norm / angle.norm);
    let orthogonal = combined(model, (1.0, &pair.at_peak), (-projection, pair.at_weights));
    let norm = Norms::of(model, &orthogonal, &Question::NORM);
    let norm = norm.gradient.value();
    // Some roundings of float32, whatever the type is: a component as small is none.
    // One that is not finite, in a loop that does not look at its gradients, would stay for k steps.
    if norm <= 1e-6 * angle.peak_norm || !norm.is_finite() {
        return Vectors::default();
    }
    from_gradients(model, &orthogonal, 1.0 / norm, None)
}
