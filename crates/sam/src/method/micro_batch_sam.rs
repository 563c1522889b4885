//! m-SAM: each micro-batch has a peak of its own.

use super::SharpnessAware;
use super::config::method_config;
use crate::error::{Error, setting};
use crate::gradient::Scale;
use crate::rule::{BatchUse, Rule};

method_config! {
    /// Configuration of [`MicroBatchSam`].
    MicroBatchSamConfig, rho = 0.05,
    "The radius of the perturbation, in units of the weights.";
    /// The number m of examples that have a peak in common; the last micro-batch may have fewer. A
    /// batch or more gives SAM.
    pub examples: usize,
}

impl MicroBatchSamConfig {
    /// Makes the method with these settings.
    ///
    /// # Errors
    /// [`Error::Setting`], for a setting that is out of range.
    pub fn init(&self) -> Result<MicroBatchSam, Error> {
        let rule = MicroBatchSamRule {
            examples: self.examples,
        };
        SharpnessAware::new(rule, self.ascent(Scale::Unit))
    }
}

/// Sharpness-aware minimisation of m-sharpness, made by [`MicroBatchSamConfig::init`].
///
/// The batch B is divided into micro-batches `Bⱼ` of m examples in their order, and the optimiser
/// gets the mean of their gradients, each at its own peak and weighted by its number of examples:
///
/// ```text
/// d = Σⱼ |Bⱼ| / |B| · ∇Lⱼ(w + ρ ∇Lⱼ(w) / ‖∇Lⱼ(w)‖),    Lⱼ the mean loss on Bⱼ
/// ```
///
/// Two gradients of the batch a step, in smaller pieces. The loss has to tell its examples apart
/// ([`step_examples`](SharpnessAware::step_examples)). Losses and the gradient at `w` are reported
/// as those of the batch; the "gradient at the peak" is d.
///
/// # References
/// Foret et al. 2021, section 4.1; Andriushchenko and Flammarion 2022, "Towards understanding
/// sharpness-aware minimization", equation 3.
pub type MicroBatchSam = SharpnessAware<MicroBatchSamRule>;

/// The rule of [`MicroBatchSam`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MicroBatchSamRule {
    examples: usize,
}

impl Rule for MicroBatchSamRule {
    fn batches(&self) -> BatchUse {
        BatchUse::Micro(self.examples)
    }

    fn check(&self) -> Result<(), Error> {
        if self.examples == 0 {
            return Err(setting("examples", self.examples, "at least 1"));
        }
        Ok(())
    }
}
