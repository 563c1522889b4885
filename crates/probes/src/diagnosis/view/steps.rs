//! What the steps of a run can do: their rates, their reach, and their stability.

use landscape::stability::Optimiser;

use super::{Mean, NOTHING, View};
use crate::diagnosis::series::Series;
use crate::tag;

impl View<'_> {
    /// Returns the largest learning rate.
    pub(crate) fn learning_rate(&self) -> Option<f64> {
        let recorded = self.scalar("training/learning_rate");
        let recorded = recorded.and_then(Series::highest).map(|(_, rate)| rate);
        recorded
            .or(self.facts.known.learning_rate)
            .filter(|rate| *rate > 0.0 && rate.is_finite())
    }

    /// Returns the sum of the learning rates of the whole run, each with the factor by which
    /// momentum makes steps longer in the long run, `(1 − τ) / (1 − β)`. None for optimisers whose
    /// steps are not proportional to the gradient.
    pub(crate) fn path(&self) -> Option<f64> {
        let factor = match self.facts.known.optimiser? {
            Optimiser::GradientDescent => 1.0,
            Optimiser::HeavyBall {
                momentum,
                dampening,
            }
            | Optimiser::Nesterov {
                momentum,
                dampening,
            }
            | Optimiser::Sam {
                momentum,
                dampening,
                ..
            } => (1.0 - dampening) / (1.0 - momentum),
            _ => return None,
        };
        let steps = self.facts.known.total_steps.or(self.facts.step)?;
        let recorded = self.scalar("training/learning_rate").map(Series::finite);
        // Of a run that is under way the largest rate stands for those to come.
        let recorded = recorded.filter(|points| !points.is_empty() && self.share >= 1.0);
        let mean = recorded
            .and_then(|points| Mean::of(&points))
            .map(|mean| mean.value)
            .or(self.learning_rate())?;
        Some(mean * factor * steps as f64)
    }

    /// Returns the fall of the loss that all steps of the run would make to first order, were the
    /// gradient the one of norm `gradient_norm` all the time, over the loss of a model that knows
    /// nothing: `Σ η ‖g‖² / L₀`.
    pub(crate) fn reach(&self, gradient_norm: f64) -> Option<f64> {
        Some(self.path()? * gradient_norm.powi(2) / self.chance?)
    }

    /// Returns whether a gradient is so small that no stable rate would get anywhere with it: at
    /// the largest one that the curvature allows, a whole run would remove less than a twentieth of
    /// the loss. A rate that is far below it makes every gradient look small, and is another
    /// matter; where the curvature is not known, the rate has to be one with which the gradient of
    /// the start could have removed the loss.
    pub(crate) fn is_small(&self, gradient_norm: f64) -> bool {
        if gradient_norm == 0.0 {
            return true;
        }
        let Some(reach) = self.reach(gradient_norm) else {
            return false;
        };
        let slack = self.ratio_at_largest_rate();
        let slack = slack.map(|(_, ratio, _)| ratio.min(1.0));
        match slack.filter(|slack| *slack > 0.0) {
            Some(slack) => reach / slack < NOTHING,
            None => {
                let first = self.first_of(tag::GRADIENT_NORM);
                let first = first.and_then(|(_, norm)| self.reach(norm));
                reach < NOTHING && first.is_some_and(|reach| reach >= 1.0)
            }
        }
    }

    /// Returns the step and the noise scale of the gradient, and the number N of measured examples,
    /// if these cannot tell the gradient from 0: the scale `B = tr Σ / ‖g‖²` is at least `N / 3`
    /// (McCandlish et al. 2018, equation 2.9). Independent examples of a gradient of 0 give
    /// `E N ‖g‖² = tr Σ`, that is `B ≈ N`.
    pub(crate) fn drowned(&self) -> Option<(u64, f64, usize)> {
        let examples = self.facts.known.examples?;
        let (step, scale) = self.last_of(tag::NOISE_SCALE)?;
        (scale >= examples as f64 / 3.0).then_some((step, scale, examples))
    }

    /// Returns step, stability ratio and its error of each measurement; of an adaptive optimiser
    /// those before its 22nd step are left out, because its moments are still being filled: with
    /// `β₁ = 0.9` it takes so many until `1 − β₁ᵗ` is 0.9.
    pub(crate) fn ratios(&self) -> Vec<(u64, f64, f64)> {
        let at = |tag: &str, step: u64| {
            let found = self.scalar(tag)?.points().find(|(other, _)| *other == step);
            found.map(|(_, value)| value)
        };
        let Some(ratios) = self.scalar(tag::SHARPNESS_RATIO) else {
            return Vec::new();
        };
        let settled = match self.facts.known.optimiser {
            Some(optimiser) if optimiser.is_preconditioned() => 22,
            _ => 0,
        };
        let error = |step| {
            let told = at("curvature_check/sharpness_ratio_error", step);
            let residual = at("curvature_check/lambda_1_residual", step);
            let threshold = at(tag::STABILITY_THRESHOLD, step);
            let derived = residual
                .zip(threshold)
                .map(|(residual, threshold)| residual / threshold);
            told.or(derived).filter(|error| error.is_finite())
        };
        ratios
            .finite()
            .into_iter()
            .filter(|(step, _)| *step >= settled)
            .map(|(step, ratio)| (step, ratio, error(step).unwrap_or(0.0)))
            .collect()
    }

    /// Returns the largest of the ratios that the largest learning rate of the run would have had
    /// with each measured curvature. A schedule that ends at zero makes every curvature look small
    /// at the end.
    pub(crate) fn ratio_at_largest_rate(&self) -> Option<(u64, f64, f64)> {
        let rates = self.scalar("training/learning_rate").map(Series::finite);
        let rates = rates.unwrap_or_default();
        let largest = self.learning_rate();
        let factor = |step: u64| {
            let until = rates.iter().take_while(|(at, _)| *at <= step).last();
            let (_, rate) = until.or(rates.first())?;
            let factor = largest? / rate;
            factor.is_finite().then_some(factor)
        };
        self.ratios()
            .into_iter()
            .map(|(step, ratio, error)| {
                let factor = factor(step).unwrap_or(1.0);
                (step, factor * ratio, factor * error)
            })
            .max_by(|a, b| (a.1 - a.2).total_cmp(&(b.1 - b.2)))
    }

    /// Returns the measurement with the largest ratio beyond its error.
    pub(crate) fn largest_ratio(&self) -> Option<(u64, f64, f64)> {
        self.ratios()
            .into_iter()
            .max_by(|a, b| (a.1 - a.2).total_cmp(&(b.1 - b.2)))
    }
}
