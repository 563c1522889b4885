//! The rules, one for each symptom.

mod batch_norm_gap;
mod chaotic_landscape;
mod dead_units;
mod exploding_gradients;
mod ill_conditioned;
mod labels;
mod learning_rate_too_high;
mod learning_rate_too_low;
mod past_edge;
mod saddle_or_flat;
mod saturated_units;
mod seeds;
mod sharp_minimum;
mod units;
mod vanishing_gradients;

pub(crate) use seeds::seeds;

use super::finding::{Confidence, Evidence, Finding, Severity, Symptom};
use super::remedy::Remedy;
use super::view::View;

/// The outcome of a rule.
pub(crate) enum Outcome {
    /// The symptom is there.
    Found(Box<Finding>),
    /// It is not.
    Absent,
    /// Its numbers are missing: which, and what to switch on.
    Missing(&'static str),
}

/// Asks the rule of `symptom`, given what was found before it.
pub(crate) fn ask(symptom: Symptom, view: &View<'_>, before: &[Finding]) -> Outcome {
    match symptom {
        Symptom::ExplodingGradients => exploding_gradients::find(view),
        Symptom::LearningRateTooHigh => learning_rate_too_high::find(view),
        Symptom::VanishingGradients => vanishing_gradients::find(view, before),
        Symptom::SaturatedUnits => saturated_units::find(view),
        Symptom::DeadUnits => dead_units::find(view),
        Symptom::LearningRateTooLow => learning_rate_too_low::find(view, before),
        Symptom::BatchNormGap => batch_norm_gap::find(view),
        Symptom::UnfittableLabels => labels::find(view, before),
        Symptom::PastEdgeOfStability => past_edge::find(view),
        Symptom::IllConditionedCurvature => ill_conditioned::find(view, before),
        Symptom::SaddleOrFlat => saddle_or_flat::find(view, before),
        Symptom::ChaoticLandscape => chaotic_landscape::find(view),
        Symptom::SharpMinimum => sharp_minimum::find(view),
    }
}

/// Returns whether something above a note was found that keeps the gradient from doing its work,
/// so that the loss says nothing of learning rate or labels.
fn is_blocked(before: &[Finding]) -> bool {
    before.iter().any(|finding| {
        finding.severity > Severity::Note
            && matches!(
                finding.symptom,
                Symptom::LearningRateTooHigh
                    | Symptom::ExplodingGradients
                    | Symptom::VanishingGradients
                    | Symptom::SaturatedUnits
                    | Symptom::DeadUnits
                    | Symptom::BatchNormGap
            )
    })
}

impl Finding {
    fn new(
        symptom: Symptom,
        (severity, confidence): (Severity, Confidence),
        sentence: String,
    ) -> Self {
        Self {
            symptom,
            severity,
            confidence,
            level: None,
            sentence,
            evidence: Vec::new(),
            meaning: String::new(),
            remedies: Vec::new(),
            consequence_of: None,
        }
    }

    fn because(self, evidence: impl IntoIterator<Item = Evidence>) -> Self {
        Self {
            evidence: evidence.into_iter().collect(),
            ..self
        }
    }

    fn tested_at(self, level: f64) -> Self {
        Self {
            level: Some(level),
            ..self
        }
    }

    fn meaning(self, meaning: impl Into<String>) -> Self {
        Self {
            meaning: meaning.into(),
            ..self
        }
    }

    fn remedied_by(self, remedies: impl IntoIterator<Item = Remedy>) -> Outcome {
        Outcome::Found(Box::new(Self {
            remedies: remedies.into_iter().collect(),
            ..self
        }))
    }
}
