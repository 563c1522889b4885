//! Past the edge of stability: curvature above what the optimiser's steps can follow.
//!
//! Training with a fixed rate drives the ratio of `λ₁` to the optimiser's threshold up to 1 and
//! keeps it there (Cohen et al. 2021): a ratio up to 1.1 is the edge, and no finding. Past it is a
//! ratio above 1.1 beyond its error at two measurements or more, or above 2 at one, from where not
//! even a flatter place catches the weights (Lewkowycz et al. 2020). It is a note while the loss
//! falls all the same, and a problem with a loss that is not finite. It is a warning with a run
//! that is harmed, or with a loss that rises again by a tenth of what there was to learn above an
//! earlier low (means of five neighbouring points): the weights were thrown out of a valley.
//!
//! Smaller batches come first among the remedies, unless they are small already or the loss is not
//! finite: they keep the curvature lower (Jastrzębski et al. 2020, section 4) and make more steps
//! of an epoch. A smaller rate keeps the steps stable too, but as many of them get less far.

use super::Outcome;
use super::learning_rate_too_high::CATAPULT;
use crate::diagnosis::finding::{Confidence, Finding, Severity, Symptom};
use crate::diagnosis::remedy::{OptimiserKind, Remedy};
use crate::diagnosis::view::{View, evidence};
use crate::diagnosis::words::number;
use crate::tag;

/// The ratio up to which training hovers at the edge.
const EDGE: f64 = 1.1;

/// Batches of so many examples count as small.
const SMALL_BATCH: usize = 32;

/// The part of what there is to learn by which a loss that rises again counts as thrown back.
const REBOUND: f64 = 0.1;

pub(super) fn find(view: &View<'_>) -> Outcome {
    let ratios = view.ratios();
    if ratios.is_empty() {
        return Outcome::Missing(
            "`stability/sharpness_ratio` (probe eigenvalues; the optimiser has to be known)",
        );
    }
    let past = ratios
        .iter()
        .filter(|(_, ratio, error)| ratio - error > EDGE);
    let far = ratios
        .iter()
        .any(|(_, ratio, error)| ratio - error > CATAPULT);
    let count = past.clone().count();
    let mut sizes: Vec<f64> = past.clone().map(|(_, ratio, _)| *ratio).collect();
    sizes.sort_by(f64::total_cmp);
    // Below the edge as it was met for most of the time.
    let median = sizes.get(sizes.len() / 2).copied().unwrap_or(1.0);
    let Some((step, ratio, error)) = past.max_by(|a, b| a.1.total_cmp(&b.1)).copied() else {
        return Outcome::Absent;
    };
    if count < 2 && !far {
        return Outcome::Absent;
    }
    let rebound = view.rebound().zip(view.chance);
    let rebound = rebound.filter(|((_, rise), chance)| *rise > REBOUND * chance);
    let severity = match (&view.not_finite, view.is_harmed()) {
        (Some(_), _) => Severity::Problem,
        (None, true) => Severity::Warning,
        (None, false) if rebound.is_some() => Severity::Warning,
        (None, false) => Severity::Note,
    };
    let mut worst = evidence(
        tag::SHARPNESS_RATIO,
        step,
        ratio,
        Some(EDGE),
        format!(
            "lambda_1 is {} times the optimiser's threshold at step {step} (error {}), above it at {count} of {} measurements",
            number(ratio, 3),
            number(error, 1),
            ratios.len()
        ),
    );
    worst.error = Some(error);
    let sentence = worst.sentence.clone();
    let rebound = rebound.map(|((step, rise), chance)| {
        evidence(
            view.training_tag(),
            step,
            rise,
            Some(REBOUND * chance),
            format!(
                "the loss rises again by {} up to step {step}",
                number(rise, 2)
            ),
        )
    });
    let warning = view.facts.stability_warning.as_ref();
    let warning =
        warning.map(|(step, text)| evidence("stability/warning", *step, ratio, None, text.clone()));
    let rate = Remedy::LearningRate {
        factor: (0.8 / median).clamp(1e-30, 0.8),
    };
    let batches = Remedy::BatchSize { factor: 0.25 };
    let batch_size = view.facts.known.batch_size;
    let is_batch_small = batch_size.is_some_and(|examples| examples <= SMALL_BATCH);
    let first = if view.not_finite.is_some() || is_batch_small {
        [rate, batches]
    } else {
        [batches, rate]
    };
    let others = [
        Remedy::Warmup { steps: 100 },
        Remedy::Sam { rho: 0.05 },
        Remedy::Optimiser {
            kind: OptimiserKind::Adam,
        },
    ];
    let remedies = first.into_iter().chain(others);
    Finding::new(
        Symptom::PastEdgeOfStability,
        (severity, Confidence::Sure),
        sentence,
    )
    .because(std::iter::once(worst).chain(rebound).chain(warning))
    .meaning(
        "Along the sharpest direction each step lands higher on the other side of the valley than it began. Either the weights find a flatter place, or the loss diverges.",
    )
    .remedied_by(remedies)
}
