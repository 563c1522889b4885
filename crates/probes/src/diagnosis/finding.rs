//! A finding: a symptom, how bad and how sure it is, its evidence, its meaning and its remedies.

use serde::{Deserialize, Serialize};

use super::number::{self, Number};
use super::remedy::Remedy;

/// A way in which a training can go wrong, or a property of the place where it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Symptom {
    /// Steps that are so long that the loss grows.
    LearningRateTooHigh,
    /// Gradients or outputs that grow from layer to layer, or over all bounds.
    ExplodingGradients,
    /// Gradients that hardly reach some layers, or a loss that has stopped falling.
    VanishingGradients,
    /// Units whose activation hardly changes with its input.
    SaturatedUnits,
    /// Units that no example activates.
    DeadUnits,
    /// Steps that are so short that the run ends before the loss has fallen.
    LearningRateTooLow,
    /// BatchNorm's running statistics that give another loss than those of the batch.
    BatchNormGap,
    /// Labels that the inputs do not determine.
    UnfittableLabels,
    /// Curvature that is above what the optimiser's steps can follow.
    PastEdgeOfStability,
    /// Curvatures of such different size that one learning rate does not serve them all.
    IllConditionedCurvature,
    /// A place with a small gradient and a high loss.
    SaddleOrFlat,
    /// A loss that rises and falls many times along a line, or seeds that end differently.
    ChaoticLandscape,
    /// A minimum at which a small step raises the loss a lot.
    SharpMinimum,
}

impl Symptom {
    /// All symptoms, causes before their consequences.
    pub const ALL: [Self; 13] = [
        Self::ExplodingGradients,
        Self::LearningRateTooHigh,
        Self::SaturatedUnits,
        Self::DeadUnits,
        Self::VanishingGradients,
        Self::BatchNormGap,
        Self::LearningRateTooLow,
        Self::UnfittableLabels,
        Self::PastEdgeOfStability,
        Self::IllConditionedCurvature,
        Self::SaddleOrFlat,
        Self::ChaoticLandscape,
        Self::SharpMinimum,
    ];

    /// Returns the name in words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::LearningRateTooHigh => "learning rate too high",
            Self::ExplodingGradients => "exploding gradients",
            Self::VanishingGradients => "vanishing gradients or plateau",
            Self::SaturatedUnits => "saturated units",
            Self::DeadUnits => "dead units",
            Self::LearningRateTooLow => "learning rate too low",
            Self::BatchNormGap => "BatchNorm gap",
            Self::UnfittableLabels => "labels that cannot be fitted",
            Self::PastEdgeOfStability => "past the edge of stability",
            Self::IllConditionedCurvature => "ill-conditioned curvature",
            Self::SaddleOrFlat => "saddle or flat region",
            Self::ChaoticLandscape => "chaotic landscape or inconsistent seeds",
            Self::SharpMinimum => "sharp minimum",
        }
    }
}

/// The weight of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing; nothing has to be done.
    Note,
    /// Probably harmful.
    Warning,
    /// The training fails, or its result cannot be used.
    Problem,
}

impl Severity {
    /// Returns the name in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}

/// The sureness of a finding, in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// One number speaks for it, and others were not measured or could have another cause.
    Possible,
    /// A number that this symptom explains better than any other.
    Likely,
    /// The symptom itself was measured, or independent numbers agree.
    Sure,
}

impl Confidence {
    /// Returns the name in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Possible => "possible",
            Self::Likely => "likely",
            Self::Sure => "sure",
        }
    }
}

/// A number that speaks for a finding. Two are equal if their numbers have the same bits or are
/// both NaN.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Evidence {
    /// The tag under which the number, or what it was computed from, was recorded.
    pub tag: String,
    /// The step at which it was measured.
    pub step: u64,
    /// The number. It may be infinite or NaN: that is evidence too.
    #[serde(with = "number")]
    pub value: f64,
    /// Its error, where it has one: a standard error or a bound, as the sentence says.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "number::optional"
    )]
    pub error: Option<f64>,
    /// The threshold that it was compared with, where there is one.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "number::optional"
    )]
    pub threshold: Option<f64>,
    /// The number in a sentence.
    pub sentence: String,
}

impl PartialEq for Evidence {
    fn eq(&self, other: &Self) -> bool {
        let numbers = |evidence: &Self| {
            let number = |number: Option<f64>| number.map(Number);
            [Some(evidence.value), evidence.error, evidence.threshold].map(number)
        };
        numbers(self) == numbers(other)
            && (self.step, &self.tag, &self.sentence) == (other.step, &other.tag, &other.sentence)
    }
}

/// A symptom that was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Finding {
    /// The symptom.
    pub symptom: Symptom,
    /// How bad it is.
    pub severity: Severity,
    /// How sure it is.
    pub confidence: Confidence,
    /// The false-positive rate of the test, where a statistical test was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<f64>,
    /// The finding in one short sentence, with its most telling number.
    pub sentence: String,
    /// The numbers behind it, the most telling one first.
    pub evidence: Vec<Evidence>,
    /// The meaning on the loss landscape.
    pub meaning: String,
    /// The remedies, in the order of their likely effect.
    pub remedies: Vec<Remedy>,
    /// The finding that explains this one, if one does. It stands before this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consequence_of: Option<Symptom>,
}
