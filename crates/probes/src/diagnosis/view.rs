//! The facts as the rules look at them: how far the loss has come, and what the steps could do.
//!
//! A training *has learnt* the part `F = 1 − L / L₀` of what there is to learn. L is the mean
//! training loss over the last tenth of the recorded points, `L₀ = ln C` the cross-entropy of a
//! model that knows nothing of C equally frequent classes, or without classes the loss at the
//! start. F is McFadden's R² (McFadden 1974) with the uniform distribution as the null model. Half
//! of it is the line between a training that is harmed and one that is not.

use super::facts::Facts;
use super::finding::Evidence;
use super::series::Series;
use super::words::number;
use crate::tag;

/// Standard errors that a difference of two means must have to count: a false-positive rate of
/// 0.1 % on one side of a normal distribution.
pub(crate) const SIGNIFICANT: f64 = 3.09;

/// The false-positive rate that belongs to it.
pub(crate) const LEVEL: f64 = 0.001;

/// The part that a training must have learnt not to count as harmed.
pub(crate) const HALF: f64 = 0.5;

/// The part below which nothing was learnt that is worth mentioning: a twentieth.
pub(crate) const NOTHING: f64 = 0.05;

/// The mean of some points of a scalar.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mean {
    pub(crate) step: u64,
    pub(crate) value: f64,
    /// The standard error of the mean; 0 for one point.
    pub(crate) error: f64,
}

impl Mean {
    fn of(points: &[(u64, f64)]) -> Option<Self> {
        let step = points.last()?.0;
        let count = points.len() as f64;
        let value: f64 = points.iter().map(|(_, value)| value / count).sum();
        let squares: f64 = points.iter().map(|(_, x)| (x - value).powi(2)).sum();
        let error = if points.len() > 1 {
            (squares / (count - 1.0) / count).sqrt()
        } else {
            0.0
        };
        let mean = Self { step, value, error };
        mean.value.is_finite().then_some(mean)
    }
}

/// The facts, and what several rules need of them.
pub(crate) struct View<'a> {
    pub(crate) facts: &'a Facts,
    /// The share of the run that is over.
    pub(crate) share: f64,
    /// The tag and the points of the training loss, or of the validation loss where there is none.
    training: Option<(&'a str, &'a Series)>,
    /// The loss at the start.
    pub(crate) first: Option<Mean>,
    /// The loss over the last tenth of the points.
    pub(crate) last: Option<Mean>,
    /// The loss of a model that has learnt nothing: `ln C`, or else the loss at the start.
    pub(crate) chance: Option<f64>,
    /// The part that was learnt.
    pub(crate) learnt: Option<f64>,
    /// Whether the loss of the last quarter of the points lies significantly below the third.
    pub(crate) falls: bool,
    /// The first point of a loss or a gradient that is not finite.
    pub(crate) not_finite: Option<Evidence>,
}

impl<'a> View<'a> {
    pub(crate) fn of(facts: &'a Facts, goes_on: bool) -> Self {
        let known = &facts.known;
        let named = |told: &'a Option<String>, usual: &'a str| {
            let tag = told.as_deref().unwrap_or(usual);
            Some((tag, facts.series.get(tag)?))
        };
        let validation = named(&known.validation_loss, "loss/valid");
        let training = named(&known.training_loss, "loss/train").or(validation);
        let finite = training.map(|(_, series)| series.finite());
        let finite = finite.unwrap_or_default();
        let count = finite.len();
        let first = Mean::of(finite.get(..1).unwrap_or_default());
        let tail = (count / 10).max(8).min(count.div_ceil(2));
        let last = Mean::of(&finite[count - tail..]);
        let quarter = count / 4;
        let third = Mean::of(&finite[count - 2 * quarter..count - quarter]);
        let fourth = Mean::of(&finite[count - quarter..]);
        let falls = match (third, fourth) {
            (Some(third), Some(fourth)) if quarter > 1 => {
                third.value - fourth.value > SIGNIFICANT * third.error.hypot(fourth.error)
            }
            _ => false,
        };
        let chance = known.classes.filter(|classes| *classes > 1);
        let chance = chance.map(|classes| (classes as f64).ln());
        let chance = chance
            .or(first.map(|first| first.value))
            .filter(|chance| *chance > 0.0);
        let learnt = chance
            .zip(last)
            .map(|(chance, last)| 1.0 - last.value / chance);
        let share = match (known.total_steps, facts.step) {
            (Some(total), Some(step)) if total > 0 => (step as f64 / total as f64).min(1.0),
            _ if goes_on => 0.0,
            _ => 1.0,
        };
        let gradient = facts
            .series
            .get(tag::GRADIENT_NORM)
            .map(|series| (tag::GRADIENT_NORM, series));
        let watched = [training, validation, gradient];
        let not_finite = watched.into_iter().flatten().filter_map(|(tag, series)| {
            let (step, value) = series.not_finite()?;
            let sentence = format!("{tag} is {value} at step {step}");
            Some(evidence(tag, step, value, None, sentence))
        });
        let not_finite = not_finite.min_by_key(|evidence| evidence.step);
        Self {
            facts,
            share,
            training,
            first,
            last,
            chance,
            learnt,
            falls,
            not_finite,
        }
    }

    /// Returns whether anything was recorded in an area.
    pub(crate) fn has_area(&self, area: &str) -> bool {
        self.facts.series.keys().any(|tag| tag.starts_with(area))
    }

    pub(crate) fn scalar(&self, tag: &str) -> Option<&'a Series> {
        self.facts.series.get(tag)
    }

    /// Returns the last value of a scalar, if it is finite.
    pub(crate) fn last_of(&self, tag: &str) -> Option<(u64, f64)> {
        self.scalar(tag)?
            .last()
            .filter(|(_, value)| value.is_finite())
    }

    /// Returns the first value of a scalar, if it is finite.
    pub(crate) fn first_of(&self, tag: &str) -> Option<(u64, f64)> {
        self.scalar(tag)?
            .first()
            .filter(|(_, value)| value.is_finite())
    }

    pub(crate) fn training_tag(&self) -> &'a str {
        self.training.map_or("loss/train", |(tag, _)| tag)
    }

    pub(crate) fn validation(&self) -> Option<(&'a str, &'a Series)> {
        let tag = self.facts.known.validation_loss.as_deref();
        let tag = tag.unwrap_or("loss/valid");
        Some((tag, self.facts.series.get(tag)?))
    }

    /// Returns whether enough of the run is over to say that a loss should have fallen: half.
    pub(crate) fn is_judged(&self) -> bool {
        self.share >= 0.5
    }

    /// Returns whether the training, as far as it can be judged, has learnt less than half.
    pub(crate) fn is_harmed(&self) -> bool {
        self.not_finite.is_some()
            || self.is_judged() && self.learnt.is_some_and(|learnt| learnt < HALF)
    }

    /// Returns whether nothing was learnt, within the sampling error of the loss.
    pub(crate) fn is_at_chance(&self) -> bool {
        let (Some(chance), Some(last)) = (self.chance, self.last) else {
            return false;
        };
        last.value + SIGNIFICANT * last.error >= chance && last.value > HALF * chance
            || last.value >= (1.0 - NOTHING) * chance
    }

    /// Returns the highest training loss after the first point.
    pub(crate) fn peak(&self) -> Option<(u64, f64)> {
        let (_, series) = self.training?;
        let first = series.first()?.0;
        series.highest().filter(|(step, _)| *step > first)
    }

    /// Returns the step and the size of the largest rise of the training loss above an earlier low,
    /// both as means of five neighbouring points.
    pub(crate) fn rebound(&self) -> Option<(u64, f64)> {
        let points = self.training?.1.finite();
        let mut lowest = f64::INFINITY;
        let means = points.chunks_exact(5).filter_map(Mean::of);
        let rises = means.map(|mean| {
            let rise = mean.value - lowest;
            lowest = lowest.min(mean.value);
            (mean.step, rise)
        });
        let rises = rises.filter(|(_, rise)| rise.is_finite());
        rises.max_by(|a, b| a.1.total_cmp(&b.1))
    }

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
        use landscape::stability::Optimiser;
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
        let slack = self.largest_ratio().map(|(_, ratio, _)| ratio.min(1.0));
        match slack.filter(|slack| *slack > 0.0) {
            Some(slack) => reach / slack < NOTHING,
            None => {
                let first = self.first_of(tag::GRADIENT_NORM);
                let first = first.and_then(|(_, norm)| self.reach(norm));
                reach < NOTHING && first.is_some_and(|reach| reach >= 1.0)
            }
        }
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

    /// Returns the measurement with the largest ratio beyond its error.
    pub(crate) fn largest_ratio(&self) -> Option<(u64, f64, f64)> {
        self.ratios()
            .into_iter()
            .max_by(|a, b| (a.1 - a.2).total_cmp(&(b.1 - b.2)))
    }

    /// Returns the norms of the gradient by layer at the first step at which they were measured,
    /// in the natural order of their paths.
    pub(crate) fn first_layers(&self) -> Option<(u64, Vec<(&'a str, f64)>)> {
        let mut layers = self.family("gradient/layer/", "", Series::first);
        let step = layers.iter().map(|(_, (step, _))| *step).min()?;
        layers.retain(|(_, (at, _))| *at == step);
        Some((
            step,
            layers.into_iter().map(|(path, (_, v))| (path, v)).collect(),
        ))
    }

    /// Returns the largest singular value of each layer's weights at the first step at which they
    /// were measured; layers without a weight matrix are not among them.
    pub(crate) fn first_weights(&self) -> Vec<(&'a str, (u64, f64))> {
        let mut weights = self.family("weights/", "/spectral_norm", Series::first);
        let step = weights.iter().map(|(_, (step, _))| *step).min();
        weights.retain(|(_, (at, norm))| Some(*at) == step && norm.is_finite());
        weights
    }

    /// Returns whether the scale of the layers alone explains that their gradients span more than
    /// `span`. Where a layer's weights are multiplied and another's divided, so that the function
    /// stays, the product of a layer's weights and gradient stays too (Du, Hu and Lee 2018).
    pub(crate) fn is_scale(&self, layers: &[(&str, f64)], span: f64) -> bool {
        let weights = self.first_weights();
        let product = |(path, gradient): &(&str, f64)| {
            let found = weights.iter().find(|(layer, _)| layer == path);
            found.map(|(_, (_, norm))| norm * gradient)
        };
        let products: Vec<f64> = layers.iter().filter_map(product).collect();
        let largest = products.iter().copied().fold(0.0, f64::max);
        let smallest = products.iter().copied().fold(f64::INFINITY, f64::min);
        products.len() > 1 && smallest > 0.0 && largest <= span * smallest
    }

    /// Returns what `pick` gives of all scalars with the prefix and the suffix, by what lies
    /// between, in natural order.
    pub(crate) fn family(
        &self,
        prefix: &str,
        suffix: &str,
        pick: impl Fn(&Series) -> Option<(u64, f64)>,
    ) -> Vec<(&'a str, (u64, f64))> {
        let all = self.facts.series.iter().filter_map(|(tag, series)| {
            let name = tag.strip_prefix(prefix)?.strip_suffix(suffix)?;
            let name = name.strip_suffix('/').unwrap_or(name);
            Some((name, pick(series)?))
        });
        let mut all: Vec<_> = all.filter(|(name, _)| !name.is_empty()).collect();
        all.sort_by_key(|(name, _)| natural(name));
        all
    }

    /// Returns the training loss at the end beside that of a model that knows nothing.
    pub(crate) fn loss_evidence(&self) -> Option<Evidence> {
        let (last, chance) = (self.last?, self.chance?);
        let what = match self.facts.known.classes {
            Some(classes) => format!("ln {classes} = {}", number(chance, 4)),
            None => format!("{} at the start", number(chance, 4)),
        };
        Some(Evidence {
            error: Some(last.error),
            threshold: Some(chance),
            ..evidence(
                self.training_tag(),
                last.step,
                last.value,
                None,
                format!(
                    "training loss {} ± {} over the last tenth of the points, beside {what}",
                    number(last.value, 4),
                    number(last.error, 1)
                ),
            )
        })
    }
}

/// Returns evidence without an error.
pub(crate) fn evidence(
    tag: &str,
    step: u64,
    value: f64,
    threshold: Option<f64>,
    sentence: String,
) -> Evidence {
    Evidence {
        tag: tag.to_owned(),
        step,
        value,
        error: None,
        threshold,
        sentence,
    }
}

/// Returns a path in pieces that compare in the natural order: "layers/2" before "layers/10".
fn natural(path: &str) -> Vec<(u64, String)> {
    path.split(['/', '.'])
        .map(|piece| {
            let letters = piece.trim_end_matches(|letter: char| letter.is_ascii_digit());
            let number = piece[letters.len()..].parse().unwrap_or(0);
            (number, letters.to_owned())
        })
        .map(|(number, letters)| {
            if letters.is_empty() {
                (number, letters)
            } else {
                // Names compare before numbers at their end.
                (0, format!("{letters}{number:020}"))
            }
        })
        .collect()
}
