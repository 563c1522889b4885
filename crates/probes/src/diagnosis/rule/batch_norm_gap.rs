//! A BatchNorm gap: the running statistics give another loss than those of the batches.
//!
//! `batch_norm/loss_gap` is the mean loss with batch statistics minus that with running ones. The
//! finding is a loss with the running statistics, as the network will be used, that is more than
//! twice the other one and higher by more than a twentieth of what there is to learn, `L₀ / 20`. It
//! is a problem where half of `L₀` is lost again. Running statistics that follow with momentum m
//! have forgotten their start to `e⁻⁵` after `5 / m` updates, 50 for Burn's 0.1; a gap before that
//! is no finding. Ioffe and Szegedy (2015), section 3.1, on both kinds; Ioffe (2017) on the gap of
//! small batches.

use super::Outcome;
use crate::diagnosis::finding::{Confidence, Finding, Severity, Symptom};
use crate::diagnosis::remedy::Remedy;
use crate::diagnosis::view::{HALF, NOTHING, View, evidence};
use crate::diagnosis::words::number;

const TAG: &str = "batch_norm/loss_gap";

/// Updates after which running statistics have forgotten their start.
const SETTLED: u64 = 50;

pub(super) fn find(view: &View<'_>) -> Outcome {
    if view.facts.known.batch_norm == Some(false) {
        return Outcome::Absent;
    }
    let Some((step, gap)) = view.scalar(TAG).and_then(|series| series.last()) else {
        return Outcome::Missing(
            "`batch_norm/loss_gap` (probe batch_norm_gap; networks with BatchNorm only)",
        );
    };
    let excess = -gap;
    let batch = view.last_of("batch_norm/batch_loss").map(|(_, loss)| loss);
    let trained = batch.or(view.last.map(|last| last.value)).unwrap_or(0.0);
    let chance = view.chance.unwrap_or(f64::INFINITY);
    // A gap that is not a number: one of both losses is not.
    let is_wide = excess > trained && excess > NOTHING * chance || !gap.is_finite();
    if step < SETTLED && view.share < 1.0 || !is_wide {
        return Outcome::Absent;
    }
    // As used, the network has lost half of what there was to learn.
    let severity = if trained + excess > HALF * chance || !gap.is_finite() {
        Severity::Problem
    } else {
        Severity::Warning
    };
    let sentence = if gap.is_finite() {
        format!(
            "with the running statistics the loss is {}, with those of the batches {}",
            number(trained + excess, 3),
            number(trained, 3)
        )
    } else {
        format!("the loss with batch statistics minus that with running ones is {gap}")
    };
    let found = evidence(TAG, step, gap, Some(-NOTHING * chance), sentence.clone());
    Finding::new(Symptom::BatchNormGap, (severity, Confidence::Sure), sentence)
        .because(std::iter::once(found).chain(view.loss_evidence()))
        .meaning(
            "Training descends one landscape, that of batch statistics, and the network is used on another, that of the running ones; at these weights the two differ.",
        )
        .remedied_by([
            Remedy::BatchNormStatistics,
            Remedy::BatchSize { factor: 4.0 },
            Remedy::LearningRate { factor: 0.1 },
        ])
}
