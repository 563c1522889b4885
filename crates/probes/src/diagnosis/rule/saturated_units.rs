//! Saturated units: their activation hardly changes with its input.
//!
//! The share of units whose derivative is below a hundredth of the largest possible for nearly all
//! examples, at the start and at the end, the worse of both. Severity follows from the passage of
//! [`units`](super::units): below 1/10 the gradient is blocked (Glorot and Bengio 2010, section 3:
//! saturation stalls the layers below). Inputs of variance 1 into a tanh saturate 0.3 % of the
//! entries (`|z| > 3` for a normal z), so that a network begins with next to none.
//!
//! A network that was saturated from its first step and learns all the same does it with its last
//! layers alone: that is a warning. Units that become saturated while it learns are a note.

use super::Outcome;
use super::units::{BLOCKED, Blockage};
use crate::diagnosis::finding::{Confidence, Finding, Severity, Symptom};
use crate::diagnosis::remedy::{ActivationFunction, InitialisationScheme, Remedy};
use crate::diagnosis::series::Series;
use crate::diagnosis::view::{HALF, View};

pub(super) fn find(view: &View<'_>) -> Outcome {
    let of = |pick: fn(&Series) -> Option<(u64, f64)>| {
        Blockage::of(view, "saturated_share", "saturated", pick)
    };
    let (Some(start), Some(end)) = (of(Series::first), of(Series::last)) else {
        // Other kinds of units cannot be so.
        if view.has_area("activation/") {
            return Outcome::Absent;
        }
        return Outcome::Missing("`activation/saturated_share` (probe activations)");
    };
    let grew = end.share > start.share;
    let blocked_at_start = start.passage < BLOCKED || start.share > HALF;
    let worst = if blocked_at_start || end.passage > start.passage {
        start
    } else {
        end
    };
    let blocked = worst.passage < BLOCKED;
    if !(blocked || worst.share > HALF) {
        return Outcome::Absent;
    }
    let severity = match (blocked, view.is_harmed()) {
        (true, true) => Severity::Problem,
        (false, true) => Severity::Warning,
        _ if blocked_at_start => Severity::Warning,
        _ => Severity::Note,
    };
    // The share tells where it is large, and otherwise what passes.
    let telling = if worst.share > HALF {
        worst.evidence.first()
    } else {
        worst.evidence.last()
    };
    let sentence = telling.map_or_else(String::new, |evidence| evidence.sentence.clone());
    let glorot = Remedy::Initialisation {
        scheme: InitialisationScheme::Glorot,
    };
    let relu = Remedy::Activation {
        function: ActivationFunction::Relu,
    };
    let remedies = if blocked_at_start {
        vec![glorot, Remedy::ScaleInputs, relu, Remedy::Normalisation]
    } else if grew {
        vec![
            Remedy::LearningRate { factor: 0.1 },
            Remedy::MoreRegularisation,
            relu,
            Remedy::Normalisation,
        ]
    } else {
        vec![glorot, relu, Remedy::Normalisation]
    };
    Finding::new(Symptom::SaturatedUnits, (severity, Confidence::Sure), sentence)
        .because(worst.evidence.into_iter().chain(view.loss_evidence()))
        .meaning(
            "The landscape is a terrace: nearly flat along the weights of saturated units, with steep steps between, where a unit changes its sign.",
        )
        .to_try(remedies)
}
