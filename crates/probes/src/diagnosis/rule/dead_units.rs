//! Dead units: no example activates them, so that no gradient reaches their weights.
//!
//! Looked at at the start and at the end, the worse of both. Severity follows from the passage of
//! [`units`](super::units): below 1/10 the gradient is blocked. Units with symmetric weights are
//! dead on N different examples with a probability that vanishes with N; many dead units at the
//! start come from biases or depth (Lu et al. 2020, *Dying ReLU and Initialization*), later from
//! updates that were too long.
//!
//! More than half of the units dead in a run that is harmed is a warning: the network has less
//! than half of its width.

use super::Outcome;
use super::units::{BLOCKED, Blockage};
use crate::diagnosis::finding::{Confidence, Finding, Severity, Symptom};
use crate::diagnosis::remedy::{ActivationFunction, InitialisationScheme, Remedy};
use crate::diagnosis::series::Series;
use crate::diagnosis::view::{HALF, View};

pub(super) fn find(view: &View<'_>) -> Outcome {
    let of =
        |pick: fn(&Series) -> Option<(u64, f64)>| Blockage::of(view, "dead_share", "dead", pick);
    let (Some(start), Some(end)) = (of(Series::first), of(Series::last)) else {
        // Other kinds of units cannot be so.
        if view.has_area("activation/") {
            return Outcome::Absent;
        }
        return Outcome::Missing("`activation/dead_share` (probe activations)");
    };
    // What was there from the start is told from there.
    let is_old = start.passage < BLOCKED || start.share > HALF;
    let grew = !is_old && end.share > start.share;
    let worst = if is_old || end.passage >= start.passage {
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
        (true, false) if !view.is_judged() => Severity::Warning,
        (false, true) => Severity::Warning,
        // The rest of the network does the work.
        _ => Severity::Note,
    };
    let sentence = worst.evidence[0].sentence.clone();
    let leaky = Remedy::Activation {
        function: ActivationFunction::LeakyRelu,
    };
    let he = Remedy::Initialisation {
        scheme: InitialisationScheme::He,
    };
    let remedies = if grew {
        vec![
            Remedy::LearningRate { factor: 0.1 },
            leaky,
            he,
            Remedy::Normalisation,
        ]
    } else {
        vec![he, leaky, Remedy::Normalisation, Remedy::ScaleInputs]
    };
    Finding::new(Symptom::DeadUnits, (severity, Confidence::Sure), sentence)
        .because(worst.evidence.into_iter().chain(view.loss_evidence()))
        .meaning(
            "The loss does not depend on the weights of dead units at all, near where they are: the landscape is exactly flat along them, and no step brings them back.",
        )
        .to_try(remedies)
}
