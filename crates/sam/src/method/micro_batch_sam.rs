//! m-SAM: each micro-batch has a peak of its own.

use crate::method::Batches;
use crate::method::config::{common, method_config};
use crate::{Ascent, BatchNormStatistics, Perturbed, RhoSchedule, Scale, SharpnessAware, State};

method_config! {
    /// Configuration of [`MicroBatchSam`].
    MicroBatchSamConfig, rho = 0.05,
    "The radius of the perturbation, in units of the weights.";
    /// How many examples have a peak in common, m; the last micro-batch may have fewer. A batch or
    /// more gives SAM.
    pub examples: usize,
}

impl MicroBatchSamConfig {
    /// The method with these settings.
    ///
    /// # Panics
    /// When rho is negative or not finite, or there are no examples.
    #[must_use]
    pub fn init(&self) -> MicroBatchSam {
        assert!(self.examples > 0, "a micro-batch must have an example");
        MicroBatchSam {
            examples: self.examples,
            ascent: self.ascent(Scale::Unit),
            state: State::default(),
        }
    }
}

/// Sharpness-aware minimisation of m-sharpness, made by [`MicroBatchSamConfig::init`].
///
/// The batch is divided into micro-batches $B_j$ of m examples in their order, and the optimiser gets the
/// mean of their gradients, each at its own peak and weighted by its number of examples:
///
/// $$ d = \sum_j \frac{|B_j|}{|B|}\, \nabla L_{B_j}\Bigl(w + \rho\,
/// \frac{\nabla L_{B_j}(w)}{\lVert \nabla L_{B_j}(w) \rVert}\Bigr) $$
///
/// Two gradients of the batch a step, in smaller pieces. The loss has to tell its examples apart
/// ([`step_examples`](crate::SharpnessAware::step_examples)). Losses and the gradient at w are reported
/// as those of the batch; the "gradient at the peak" is d.
///
/// # References
/// Foret et al. 2021, section 4.1; Andriushchenko and Flammarion 2022, "Towards understanding
/// sharpness-aware minimization", equation 3.
#[derive(Debug, Clone)]
pub struct MicroBatchSam {
    examples: usize,
    ascent: Ascent,
    state: State,
}

impl SharpnessAware for MicroBatchSam {
    common!();

    fn batches(&self) -> Batches {
        Batches::Micro(self.examples)
    }
}
