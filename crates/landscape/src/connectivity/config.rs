//! Settings of the training of a curve.

use burn::config::Config;

use crate::error::Error;

/// Settings of [`train_curve`](super::train_curve).
#[derive(Config, Debug, PartialEq)]
pub struct CurveConfig {
    /// Learning rate of the first half of the steps. From there it falls linearly to
    /// `final_fraction` of it at the last step, as in Garipov et al.
    pub learning_rate: f64,
    /// The learning rate of the last step over that of the first: 1 for a constant rate. A rate
    /// that stays leaves the bends moving by the noise of t and of the batches.
    #[config(default = 0.01)]
    pub final_fraction: f64,
    /// Number of steps, each on one batch of the risk.
    #[config(default = 1000)]
    pub steps: usize,
    /// Number of points of the curve in a step, each in its own one of as many equal parts of it.
    /// A step costs as many gradients of a batch.
    #[config(default = 1)]
    pub points: usize,
    /// Seed of the points and of the order of the batches.
    #[config(default = 0)]
    pub seed: u64,
    /// Whether BatchNorm normalises by the batch while training, as in Garipov et al., whatever
    /// the risk says: there are no running statistics of a point that moves. Otherwise as the
    /// risk says, with statistics interpolated between the ends.
    #[config(default = true)]
    pub batch_statistics: bool,
    /// Whether the bends of a chain are spaced equally after each step, by
    /// [`Curve::space_equally`](super::Curve::space_equally), so that t is uniform over its
    /// length. Without it they slide to where the loss is low and leave the barrier to one
    /// long segment. Other shapes have no use for it.
    #[config(default = true)]
    pub equal_spacing: bool,
    /// How often the mean loss of the whole curve is evaluated on the way, the last step included,
    /// at least once. The start is evaluated besides.
    #[config(default = 10)]
    pub evaluations: usize,
    /// Number of points of an evaluation, which costs as many forward passes over the data.
    #[config(default = 9)]
    pub evaluation_points: usize,
}

impl CurveConfig {
    /// Checks all settings.
    ///
    /// # Errors
    /// [`Error::Setting`].
    pub(super) fn check(&self) -> Result<(), Error> {
        let setting = |name, value: String, allowed| {
            Err(Error::Setting {
                name,
                value,
                allowed,
            })
        };
        if !(self.learning_rate.is_finite() && self.learning_rate > 0.0) {
            let value = self.learning_rate.to_string();
            return setting("learning_rate", value, "positive and finite");
        }
        if !(0.0..=1.0).contains(&self.final_fraction) {
            let value = self.final_fraction.to_string();
            return setting("final_fraction", value, "between 0 and 1");
        }
        for (name, value) in [
            ("steps", self.steps),
            ("points", self.points),
            ("evaluations", self.evaluations),
            ("evaluation_points", self.evaluation_points),
        ] {
            if value == 0 {
                return setting(name, "0".to_owned(), "at least 1");
            }
        }
        Ok(())
    }

    /// Returns the learning rate of a step, counted from zero.
    #[expect(
        clippy::cast_precision_loss,
        reason = "there are far fewer than 2^53 steps"
    )]
    #[must_use]
    pub fn rate(&self, step: usize) -> f64 {
        let last = self.steps.saturating_sub(1).max(1) as f64;
        let fallen = ((step as f64 / last - 0.5) * 2.0).clamp(0.0, 1.0);
        self.learning_rate * (1.0 - fallen * (1.0 - self.final_fraction))
    }

    /// Returns whether the curve is evaluated after so many steps.
    pub(super) fn evaluates(&self, done: usize) -> bool {
        let due = |done: usize| done * self.evaluations / self.steps;
        done == self.steps || due(done) > due(done - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_stays_for_half_of_the_steps_and_falls_to_its_fraction() {
        let config = CurveConfig::new(2.0)
            .with_steps(11)
            .with_final_fraction(0.1);
        let rates: Vec<f64> = (0..11).map(|step| config.rate(step)).collect();
        assert_eq!(rates[..6], [2.0; 6]);
        assert!((rates[10] - 0.2).abs() < 1e-15 && (rates[8] - 0.92).abs() < 1e-15);
        assert_eq!(config.with_steps(1).rate(0), 2.0);
    }
}
