//! Learning rate too low: the run ends before the loss could fall.
//!
//! Four numbers together:
//!
//! 1. at least half of the run is over, and less than half of what there is to learn was learnt;
//! 2. the *reach* of the run, `R = Σ η ‖g₀‖² / L₀`, is below 1: to first order, with the gradient
//!    of the start all the time, its steps would not even remove the loss once (the descent lemma;
//!    Nesterov 2004, section 1.2.3, gives it as the most that a step achieves). Momentum counts as
//!    the factor `1 / (1 − β)`. Trainings that learn have a reach above 1, because the gradient
//!    shrinks on the way;
//! 3. the stability ratio stays below 1/10: ten times the rate would still be stable. The largest
//!    rate that a quadratic allows is the best one for its sharpest direction (LeCun, Simard and
//!    Pearlmutter 1993), so a rate far below is slow everywhere. Where the rate changes, each
//!    curvature is compared with what the largest rate of the run can follow.
//!
//! 4. the gradient has not fallen to a tenth: weights that hardly move keep their gradient.
//!
//! 2 or 3 may be missing (`parameters/relative_update` can stand in for 2: weights whose updates
//! add up to less than a hundredth of their own length have not moved). It is not looked for where
//! something was found that takes the gradient away, because a gradient of nothing makes every
//! rate look small.

use super::{Outcome, is_blocked};
use crate::diagnosis::finding::{Confidence, Finding, Severity, Symptom};
use crate::diagnosis::remedy::{OptimiserKind, Remedy};
use crate::diagnosis::view::{View, evidence};
use crate::diagnosis::words::number;
use crate::tag;

/// Ten times the rate would still be stable.
const SLACK: f64 = 0.1;

/// The part of the first gradient that is left where nothing has moved.
const KEPT: f64 = 0.1;

/// The part of their length by which weights have to move to have moved.
const MOVED: f64 = 0.01;

pub(super) fn find(view: &View<'_>, before: &[Finding]) -> Outcome {
    if view.first.is_none() {
        return Outcome::Missing("the training loss: log it as `loss/train`");
    }
    let gradient = view.first_of(tag::GRADIENT_NORM);
    let reach = gradient.and_then(|(step, norm)| Some((step, view.reach(norm)?)));
    let largest = view.ratio_at_largest_rate();
    let start = view.first_of("parameters/norm");
    let distance = view.last_of("parameters/distance_from_start");
    let moved = start
        .zip(distance)
        .filter(|((_, norm), _)| *norm > 0.0)
        .map(|((_, norm), (step, distance))| (step, distance / norm));
    if reach.is_none() && largest.is_none() && moved.is_none() {
        return Outcome::Missing(
            "`gradient/norm` with the learning rate and the optimiser, or `stability/sharpness_ratio` (probes gradient, eigenvalues)",
        );
    }
    if !view.is_judged() || !view.is_harmed() || view.not_finite.is_some() || is_blocked(before) {
        return Outcome::Absent;
    }
    // Weights that hardly move keep their gradient.
    let last = view.last_of(tag::GRADIENT_NORM);
    if let Some(((_, first), (_, last))) = gradient.zip(last)
        && last < KEPT * first
    {
        return Outcome::Absent;
    }
    let mut found = Vec::new();
    if let Some((step, reach)) = reach {
        if reach >= 1.0 {
            return Outcome::Absent;
        }
        found.push(evidence(
            tag::GRADIENT_NORM,
            step,
            reach,
            Some(1.0),
            format!(
                "with the gradient of step {step}, all steps of the run together could remove {} of the loss, to first order",
                number(reach, 2)
            ),
        ));
    }
    if let Some((step, ratio, error)) = largest {
        if ratio - error >= SLACK {
            return Outcome::Absent;
        }
        let mut ratio = evidence(
            tag::SHARPNESS_RATIO,
            step,
            ratio,
            Some(SLACK),
            format!(
                "the curvature is at most {} of what the steps could follow: a rate {} times as large would be stable",
                number(ratio, 2),
                number(1.0 / ratio.abs().max(f64::MIN_POSITIVE), 2)
            ),
        );
        ratio.error = Some(error);
        found.push(ratio);
    }
    if let Some((step, moved)) = moved.filter(|(_, moved)| *moved < MOVED) {
        found.push(evidence(
            "parameters/distance_from_start",
            step,
            moved,
            Some(MOVED),
            format!(
                "the weights have moved by {} of their length since the start",
                number(moved, 2)
            ),
        ));
    }
    if found.is_empty() {
        return Outcome::Absent;
    }
    let confidence = match found.len() {
        1 => Confidence::Possible,
        2 => Confidence::Likely,
        _ => Confidence::Sure,
    };
    let learnt = view.learnt.unwrap_or(0.0);
    // A loss that has fallen by a fifth is on its way.
    let severity = if learnt < 0.2 {
        Severity::Problem
    } else {
        Severity::Warning
    };
    // To a quarter of the threshold at most: curvature grows while a network trains (Cohen et al.
    // 2021). To a reach of four where that is less: the gradient shrinks on the way.
    let stable = largest.map(|(_, ratio, _)| 0.25 / ratio);
    let enough = reach.map(|(_, reach)| 4.0 / reach);
    let factors = [stable, enough].into_iter().flatten();
    let factor = factors.filter(|factor| factor.is_finite() && *factor > 0.0);
    let factor = factor.reduce(f64::min).unwrap_or(10.0);
    let sentence = found[0].sentence.clone();
    let loss = view.loss_evidence();
    Finding::new(Symptom::LearningRateTooLow, (severity, confidence), sentence)
        .because(found.into_iter().chain(loss))
        .meaning(
            "The weights creep along the slope on which they began; the landscape there is smooth enough for far longer steps.",
        )
        .remedied_by([
            Remedy::LearningRate {
                factor: factor.clamp(2.0, 1e4),
            },
            Remedy::LongerTraining { factor: 10.0 },
            Remedy::Optimiser {
                kind: OptimiserKind::Adam,
            },
        ])
}
