//! Short runs at some rates.

use std::fmt;

use burn::module::Module;
use burn::optim::ModuleOptimizer;
use landscape::spectrum::Estimate;
use landscape::{Batch, Risk};

use super::config::LearningRateConfig;
use super::course::train;
use super::descent::descent;
use super::limits::RateLimits;
use super::result::two_digits;
use super::test::{has_diverged, orders};
use crate::Error;
use crate::analysis::{short, with_error};

/// The end of the short runs at one rate.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RateOutcome {
    /// The rate.
    pub rate: f64,
    /// The loss over all the data after the run, for each order of the batches; NaN or infinite
    /// where the run ended there.
    pub losses: Vec<f64>,
    /// Their mean with the standard error over the orders.
    pub loss: Estimate,
    /// Runs that diverged, which end at once.
    pub diverged: usize,
}

/// The result of [`learning_rate_sensitivity`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RateSensitivity {
    /// The settings.
    pub config: LearningRateConfig,
    /// The loss over all the data before.
    pub start: f64,
    /// What became of each rate, in the order given.
    pub outcomes: Vec<RateOutcome>,
    /// What the curvature says of the largest stable rate.
    pub limits: Option<RateLimits>,
}

impl RateSensitivity {
    /// Returns the outcome with the least mean loss of those in which no run diverged.
    #[must_use]
    pub fn best(&self) -> Option<&RateOutcome> {
        let stable = self.outcomes.iter();
        let stable =
            stable.filter(|outcome| outcome.diverged == 0 && outcome.loss.mean.is_finite());
        stable.min_by(|a, b| a.loss.mean.total_cmp(&b.loss.mean))
    }

    /// Returns the largest rate below the first at which a run diverged or ended above the start.
    #[must_use]
    pub fn largest_stable(&self) -> Option<f64> {
        let mut outcomes: Vec<&RateOutcome> = self.outcomes.iter().collect();
        outcomes.sort_by(|a, b| a.rate.total_cmp(&b.rate));
        let stable = outcomes.into_iter().take_while(|outcome| {
            outcome.diverged == 0 && outcome.losses.iter().all(|loss| *loss <= self.start)
        });
        stable.last().map(|outcome| outcome.rate)
    }
}

impl fmt::Display for RateSensitivity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "Loss {} before, after {} steps at each rate:",
            short(self.start),
            self.config.steps
        )?;
        for outcome in &self.outcomes {
            let loss = if outcome.diverged > 0 {
                format!(
                    "diverged in {} of {} runs",
                    outcome.diverged,
                    outcome.losses.len()
                )
            } else if outcome.losses.len() > 1 {
                with_error(outcome.loss.mean, outcome.loss.standard_error)
            } else {
                short(outcome.loss.mean)
            };
            writeln!(f, "{:>12}  {loss}", two_digits(outcome.rate))?;
        }
        match self.best() {
            Some(best) => write!(f, "The best of them is {}.", two_digits(best.rate)),
            None => write!(f, "None of them is stable."),
        }
    }
}

/// Trains a copy for `config.steps` steps at each of `rates` and returns where the loss ended.
///
/// Steps, copies and randomness are those of [`learning_rate_test`](super::learning_rate_test). The
/// rate is constant: a rate above the limit of stability shows, where in the growing test it may
/// pass unseen for want of steps.
///
/// Cost: for each rate `orders` times `steps` gradients of one batch and a forward pass over all.
///
/// # Errors
/// As [`learning_rate_test`](super::learning_rate_test), and a rate that is not positive and
/// finite.
pub fn learning_rate_sensitivity<M: Module, B: Batch>(
    model: &M,
    risk: &Risk<M, B>,
    optimiser: &ModuleOptimizer,
    rates: &[f64],
    config: &LearningRateConfig,
) -> Result<RateSensitivity, Error> {
    learning_rate_sensitivity_by(model, risk, optimiser, rates, config, descent(risk))
}

/// Returns the same as [`learning_rate_sensitivity`] with a training step of your own, as of
/// [`learning_rate_test_by`](super::learning_rate_test_by).
///
/// # Errors
/// As [`learning_rate_sensitivity`], and what the step returns.
pub fn learning_rate_sensitivity_by<M: Module, B: Batch>(
    model: &M,
    risk: &Risk<M, B>,
    optimiser: &ModuleOptimizer,
    rates: &[f64],
    config: &LearningRateConfig,
    mut step: impl FnMut(M, &mut ModuleOptimizer, f64, &B) -> Result<(M, f64), Error>,
) -> Result<RateSensitivity, Error> {
    config.check()?;
    if let Some(rate) = rates
        .iter()
        .find(|rate| !(**rate > 0.0 && rate.is_finite()))
    {
        return Err(Error::Setting {
            name: "a learning rate",
            value: *rate,
            allowed: "it must be positive and finite",
        });
    }
    let start = risk.value(model)?;
    let batches = risk.batches();
    let orders = orders(batches, config.orders);
    let mut outcomes = Vec::new();
    for &rate in rates {
        let (mut losses, mut diverged) = (Vec::new(), 0);
        for order in 0..orders {
            let seed = (orders > 1).then(|| config.seed.wrapping_add(order as u64));
            let mut seen: Vec<f64> = Vec::new();
            let mut has = false;
            let rate_of = |done: usize| (done < config.steps).then_some(rate);
            let trained = train(
                (model, optimiser),
                batches,
                seed,
                &mut step,
                rate_of,
                |_, loss| {
                    seen.push(loss);
                    has = has_diverged(start, &seen, config);
                    !has
                },
            )?;
            let end = risk.value(&trained)?;
            let has = has || !end.is_finite();
            diverged += usize::from(has);
            losses.push(end);
        }
        outcomes.push(RateOutcome {
            rate,
            loss: Estimate::of(losses.iter().copied()),
            losses,
            diverged,
        });
    }
    let limits = match start.is_finite() {
        true => RateLimits::at(model, risk, config)?,
        false => None,
    };
    Ok(RateSensitivity {
        config: config.clone(),
        start,
        outcomes,
        limits,
    })
}
