//! The learning rate as a pure function of the step.

use crate::config::Plan;
use crate::config::choice::Decay;

/// Returns the learning rate of `step` (the first is 0) of `steps` in all, with `per_epoch` steps
/// in an epoch.
pub(crate) fn learning_rate(plan: &Plan, step: usize, steps: usize, per_epoch: usize) -> f64 {
    let start = plan.learning_rate.get();
    match plan.schedule {
        Decay::Constant => start,
        // Loshchilov and Hutter 2017, equation 5, one period, minimum 0.
        Decay::Cosine => {
            let progress = step as f64 / steps as f64;
            0.5 * start * (1.0 + (std::f64::consts::PI * progress).cos())
        }
        Decay::Step => {
            let period = plan.step_epochs.get() * per_epoch;
            // So many changes leave 0, or with the factor 1 all of it.
            let changes = i32::try_from(step / period).unwrap_or(i32::MAX);
            start * plan.step_factor.get().powi(changes)
        }
    }
}
