//! SAM: the peak within a Euclidean ball.

use crate::method::config::{common, method_config};
use crate::{Ascent, BatchNormStatistics, Perturbed, RhoSchedule, Scale, SharpnessAware, State};

method_config! {
    /// Configuration of [`Sam`].
    SamConfig, rho = 0.05,
    "The radius of the perturbation, in units of the weights. 0.05 is what Foret et al. (2021, section \
     3.1) found to work for most networks; zero gives the base optimiser, bit for bit.";
}

impl SamConfig {
    /// The method with these settings.
    ///
    /// # Panics
    /// When a setting is negative or not finite.
    #[must_use]
    pub fn init(&self) -> Sam {
        Sam {
            ascent: self.ascent(Scale::Unit),
            state: State::default(),
        }
    }
}

/// Sharpness-aware minimisation, made by [`SamConfig::init`].
///
/// $$ e = \rho\, g / \lVert g \rVert, \qquad w \leftarrow w - \text{optimiser}(\nabla L(w + e)) $$
///
/// There is no small constant in the denominator: a zero gradient gives e = 0. Two gradients a step.
///
/// # References
/// Foret et al. 2021, equation 2 with p = 2, algorithm 1.
#[derive(Debug, Clone)]
pub struct Sam {
    ascent: Ascent,
    state: State,
}

impl SharpnessAware for Sam {
    common!();
}
