//! Learning rate too high: the loss grows although each step goes downhill.
//!
//! On a quadratic of largest curvature `λ₁` a step of gradient descent lowers the loss if
//! `η < 2 / λ₁` and raises it without bounds otherwise (LeCun, Simard and Pearlmutter 1993;
//! thresholds of other optimisers: Cohen et al. 2021, 2022). Networks forgive more: up to twice
//! the threshold they can be thrown to a flatter place and train on (the catapult; Lewkowycz et
//! al. 2020, section 2: `η < 4 / λ₁`). So the evidence is
//!
//! 1. a loss that is not finite, or above twice the larger of its start and `ln C`, after the first
//!    update: worse than a model that knows nothing, by as much as there was to learn;
//! 2. a stability ratio `λ₁ / threshold` above 2 at the first measurement, beyond its error;
//! 3. an update as long as the weights themselves (You, Gitman and Ginsburg 2017, section 4: the
//!    ratio of update to weights that trains is below 1 by orders of magnitude);
//! 4. a loss that ends significantly above its start;
//! 5. units that were alive at the start and of which so many have died that the gradient is
//!    blocked ([`units`](super::units)), or more than half, in a run that is harmed: an update that
//!    throws a unit's bias or weights so far that no example activates it (Lu et al. 2020).
//!
//! A run of which 1, 4 or 5 holds has shown it; 2 and 3 alone count only if the loss has not
//! fallen.

use super::Outcome;
use super::exploding_gradients::SPAN;
use super::units::{BLOCKED, Blockage};
use crate::diagnosis::finding::{Confidence, Evidence, Finding, Severity, Symptom};
use crate::diagnosis::remedy::{OptimiserKind, Remedy};
use crate::diagnosis::series::Series;
use crate::diagnosis::view::{HALF, SIGNIFICANT, View, evidence};
use crate::diagnosis::words::{number, percent};
use crate::tag;

/// The ratio up to which a network can be thrown to a flatter place and train on.
pub(super) const CATAPULT: f64 = 2.0;

pub(super) fn find(view: &View<'_>) -> Outcome {
    let Some(first) = view.first.filter(|_| view.chance.is_some()) else {
        // A loss that was never finite says nothing of the steps.
        return match &view.not_finite {
            Some(_) => Outcome::Absent,
            None => Outcome::Missing("the training loss: log it as `loss/train`"),
        };
    };
    let start = first.value.max(view.chance.unwrap_or(first.value));
    let mut shown = Vec::new();
    shown.extend(view.not_finite.clone().filter(|at| at.step > first.step));
    if let Some((step, peak)) = view.peak()
        && peak > 2.0 * start
    {
        shown.push(evidence(
            view.training_tag(),
            step,
            peak,
            Some(2.0 * start),
            format!(
                "the loss rises to {} at step {step}, from {} at the start",
                number(peak, 3),
                number(first.value, 3)
            ),
        ));
    }
    if let Some(last) = view.last
        && last.step > first.step
        && view.is_judged()
        && last.value - SIGNIFICANT * last.error > 1.05 * start
    {
        shown.extend(view.loss_evidence());
    }
    shown.extend(died(view).filter(|_| view.is_harmed()));
    let mut signs = Vec::new();
    let first_ratio = view.ratios().first().copied();
    if let Some((step, ratio, error)) = first_ratio
        && ratio - error > CATAPULT
    {
        let mut sign = evidence(
            tag::SHARPNESS_RATIO,
            step,
            ratio,
            Some(CATAPULT),
            format!(
                "the curvature at step {step} is {} times what the steps can follow; networks survive up to twice",
                number(ratio, 2)
            ),
        );
        sign.error = Some(error);
        signs.push(sign);
    }
    // Weights that begin at zero, or close to it, are moved by more than their size by any step.
    let start_norm = view.first_of("parameters/norm");
    let has_weights = start_norm.is_some_and(|(step, norm)| step == 0 && norm > 0.0)
        && view.weak_signal(SPAN).is_none();
    if let Some((step, update)) = longest_update(view).filter(|_| has_weights)
        && update > 1.0
    {
        signs.push(evidence(
            "parameters/relative_update",
            step,
            update,
            Some(1.0),
            format!(
                "an update up to step {step} is {} times as long as the weights, or longer",
                number(update, 2)
            ),
        ));
    }
    let unlearnt = view.is_judged() && view.is_harmed() && !view.falls;
    if shown.is_empty() && (signs.is_empty() || !unlearnt) {
        return Outcome::Absent;
    }
    let severity = if view.is_harmed() {
        Severity::Problem
    } else if view.is_judged() {
        // It went up and came back.
        Severity::Warning
    } else {
        Severity::Problem
    };
    let confidence = match (shown.is_empty(), signs.is_empty()) {
        (false, false) => Confidence::Sure,
        (false, true) => Confidence::Likely,
        _ => Confidence::Possible,
    };
    // To a quarter of the threshold at the largest curvature that was seen, or a power of ten
    // below.
    let ratio = view.largest_ratio().map_or(1.0, |(_, ratio, _)| ratio);
    let factor = (0.25 / ratio).clamp(1e-30, 0.1);
    let all: Vec<_> = shown.into_iter().chain(signs).collect();
    let sentence = all[0].sentence.clone();
    Finding::new(Symptom::LearningRateTooHigh, (severity, confidence), sentence)
        .because(all)
        .meaning(
            "Steps overshoot the valley: along the sharpest direction each lands higher on the other side, until the weights leave the region in which the loss falls, or units die there.",
        )
        .remedied_by([
            Remedy::LearningRate { factor },
            Remedy::Warmup { steps: 100 },
            Remedy::GradientClip { norm: 1.0 },
            Remedy::Optimiser {
                kind: OptimiserKind::Adam,
            },
        ])
}

/// Returns the largest mean length of an update over that of the weights. A difference over several
/// updates is at most their sum, so that one of them is at least as long as the mean.
fn longest_update(view: &View<'_>) -> Option<(u64, f64)> {
    let steps = view.scalar("parameters/update_steps");
    let updates = view.scalar("parameters/relative_update")?.finite();
    let means = updates.into_iter().map(|(step, update)| {
        let between = steps.and_then(|steps| steps.points().find(|(at, _)| *at == step));
        (
            step,
            update / between.map_or(1.0, |(_, count)| count.max(1.0)),
        )
    });
    means.max_by(|a, b| a.1.total_cmp(&b.1))
}

/// Returns the units that have died since the start, if the gradient is blocked by them or they are
/// more than half.
fn died(view: &View<'_>) -> Option<Evidence> {
    let of =
        |pick: fn(&Series) -> Option<(u64, f64)>| Blockage::of(view, "dead_share", "dead", pick);
    let (start, end) = (of(Series::first)?, of(Series::last)?);
    let were_alive = start.passage >= BLOCKED && start.share <= HALF;
    let died = were_alive && (end.passage < BLOCKED || end.share > HALF);
    let mut evidence = end.evidence.into_iter().next().filter(|_| died)?;
    evidence.sentence = format!(
        "units died while it trained: {} at step {}, from {} at the start",
        percent(evidence.value),
        evidence.step,
        percent(start.share)
    );
    Some(evidence)
}
