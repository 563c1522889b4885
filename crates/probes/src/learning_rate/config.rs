//! The settings of both tests.

use burn::config::Config;
use landscape::LanczosConfig;
use landscape::stability::OptimiserSettings;

use crate::Error;

/// The settings of [`learning_rate_test`](super::learning_rate_test) and
/// [`learning_rate_sensitivity`](super::learning_rate_sensitivity).
#[derive(Config, Debug, PartialEq)]
pub struct LearningRateConfig {
    /// The first rate of the test.
    #[config(default = 1e-5)]
    pub lowest: f64,
    /// The last rate of the test, unless the loss diverges before.
    #[config(default = 10.0)]
    pub highest: f64,
    /// Steps of the test, at each of which the rate grows by the same factor; steps of each run of
    /// the sensitivity.
    #[config(default = 120)]
    pub steps: usize,
    /// The test is made once with each of so many orders of the batches. One says nothing of the
    /// spread. Where all data are one batch, the orders are the same and one is made.
    #[config(default = 3)]
    pub orders: usize,
    /// Seed of the orders.
    #[config(default = 0)]
    pub seed: u64,
    /// Decay `β` of the exponential smoothing, `m ← β m + (1 − β) loss`, shown as `m / (1 − βᵗ)`;
    /// 0 does without. One batch that is all the data needs none.
    #[config(default = 0.8)]
    pub smoothing: f64,
    /// The loss has diverged when it is not finite, or when its smoothed value is above the least
    /// one by this multiple of the fall from the start to the least.
    #[config(default = 4.0)]
    pub divergence: f64,
    /// The Lanczos run for `λ₁`; none does without.
    #[config(default = "Some(LanczosConfig::new().with_tolerance(1e-2).with_max_steps(60))")]
    pub lanczos: Option<LanczosConfig>,
    /// Examples over which `λ₁` is measured; none for all.
    pub curvature_examples: Option<usize>,
    /// The optimiser, for its own limit: made from its configuration,
    /// `OptimiserSettings::try_from(&SgdConfig::new())`. None for `2 / λ₁` only.
    pub optimiser: Option<OptimiserSettings>,
}

impl LearningRateConfig {
    /// Returns the rates of the test: from the first to the last, each the one before times the
    /// same factor.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a number of steps")]
    pub fn rates(&self) -> Vec<f64> {
        let last = self.steps.saturating_sub(1).max(1) as f64;
        let growth = (self.highest / self.lowest).ln();
        (0..self.steps)
            .map(|step| match step {
                0 => self.lowest,
                step if step + 1 == self.steps => self.highest,
                step => self.lowest * (growth * step as f64 / last).exp(),
            })
            .collect()
    }

    /// Checks what both tests use.
    ///
    /// # Errors
    /// [`Error::Setting`].
    pub(super) fn check(&self) -> Result<(), Error> {
        let setting = |name, value, allowed, holds: bool| {
            if holds {
                Ok(())
            } else {
                Err(Error::Setting {
                    name,
                    value,
                    allowed,
                })
            }
        };
        let Self {
            lowest,
            highest,
            smoothing,
            divergence,
            ..
        } = *self;
        setting(
            "the lowest learning rate",
            lowest,
            "it must be positive and finite",
            lowest > 0.0 && lowest.is_finite(),
        )?;
        setting(
            "the highest learning rate",
            highest,
            "it must be finite and above the lowest",
            highest > lowest && highest.is_finite(),
        )?;
        setting(
            "the smoothing",
            smoothing,
            "it must be from 0 to below 1",
            (0.0..1.0).contains(&smoothing),
        )?;
        setting(
            "the multiple at which the loss has diverged",
            divergence,
            "it must be positive",
            divergence > 0.0,
        )?;
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let counts = [
            (
                "the number of steps",
                self.steps as f64,
                2.0,
                "it must be at least 2",
            ),
            (
                "the number of orders",
                self.orders as f64,
                1.0,
                "it must be at least 1",
            ),
        ];
        for (name, value, least, allowed) in counts {
            setting(name, value, allowed, value >= least)?;
        }
        Ok(())
    }
}
