//! The way from the weights to the peak: how far, along what, and which parameters move.

mod climb;
mod perturbed;
mod rho_schedule;

use burn::config::Config;

pub(crate) use climb::Climb;
pub use perturbed::Perturbed;
pub use rho_schedule::RhoSchedule;

use crate::error::{Error, check_not_negative, setting};
use crate::gradient::Scale;
use crate::module::BatchNormStatistics;

/// The settings that all methods share. Each configuration of a method has them as settings of its
/// own; a method made of a [`Rule`](crate::Rule) takes them by themselves.
#[derive(Config, Debug)]
pub struct Ascent {
    /// The radius ρ of the perturbation, before any schedule.
    pub rho: f64,
    /// The radius as a function of the step or the learning rate.
    #[config(default = "RhoSchedule::Constant")]
    pub schedule: RhoSchedule,
    /// The number of ascent steps, each of length `ρ / steps`, along the gradient where it begins.
    /// Each costs a gradient.
    #[config(default = 1)]
    pub steps: usize,
    /// The units in which the ball around the weights is measured.
    #[config(default = "Scale::Unit")]
    pub scale: Scale,
    /// The parameters that the ascent moves.
    #[config(default = "Perturbed::All")]
    pub perturbed: Perturbed,
    /// The policy for the running statistics of batch normalisation.
    #[config(default = "BatchNormStatistics::FirstPass")]
    pub batch_norm: BatchNormStatistics,
    /// A seed, for the same dropout masks in all passes of a step: the device is seeded before
    /// each.
    #[config(default = "None")]
    pub same_masks: Option<u64>,
}

impl Ascent {
    /// Refuses settings that are out of range.
    ///
    /// # Errors
    /// [`Error::Setting`], with the name of the setting and its value.
    pub(crate) fn check(&self) -> Result<(), Error> {
        check_not_negative("rho", self.rho)?;
        self.schedule.check()?;
        if self.steps == 0 {
            return Err(setting("ascent_steps", self.steps, "at least 1"));
        }
        match self.scale {
            Scale::Weights { eta, .. } => check_not_negative("eta", eta),
            Scale::Unit => Ok(()),
        }
    }

    /// Returns how far one ascent step goes.
    #[expect(clippy::cast_precision_loss, reason = "a handful of ascent steps")]
    pub(crate) fn length(&self, rho: f64) -> f64 {
        rho / self.steps as f64
    }
}
