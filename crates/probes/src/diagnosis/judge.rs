//! The order of findings: rules are asked one by one, and consequences are put after their causes.

use super::facts::Facts;
use super::finding::{Finding, Severity, Symptom};
use super::report::{Diagnosis, NotLookedAt};
use super::rule::{Outcome, ask, seeds};
use super::view::View;

/// Layers from which on depth alone takes the gradient away, and with it the units' inputs.
const DEEP: usize = 9;

/// Returns the findings of all rules.
pub(crate) fn judge(facts: &Facts, goes_on: bool) -> Diagnosis {
    let view = View::of(facts, goes_on);
    let mut found: Vec<Finding> = Vec::new();
    let mut not_looked_at = Vec::new();
    for symptom in Symptom::ALL {
        match ask(symptom, &view, &found) {
            Outcome::Found(finding) => found.push(*finding),
            Outcome::Absent => {}
            Outcome::Missing(missing) => not_looked_at.push(NotLookedAt {
                symptom,
                missing: missing.to_owned(),
            }),
        }
    }
    Diagnosis {
        step: facts.step,
        findings: ordered(explained(&view, found)),
        not_looked_at,
    }
}

/// Returns the findings of several runs that differ in their seeds alone.
pub(crate) fn judge_runs(runs: &[Facts]) -> Diagnosis {
    let mut diagnosis = Diagnosis {
        step: runs.iter().filter_map(|facts| facts.step).max(),
        ..Diagnosis::default()
    };
    match seeds(runs) {
        Outcome::Found(finding) => diagnosis.findings.push(*finding),
        Outcome::Absent => {}
        Outcome::Missing(missing) => diagnosis.not_looked_at.push(NotLookedAt {
            symptom: Symptom::ChaoticLandscape,
            missing: missing.to_owned(),
        }),
    }
    diagnosis
}

/// Says of each finding which other one explains it. A consequence is no more severe than its
/// cause.
fn explained(view: &View<'_>, mut found: Vec<Finding>) -> Vec<Finding> {
    let causes: Vec<Option<Symptom>> = found
        .iter()
        .map(|finding| cause(view, finding, &found))
        .collect();
    for (index, cause) in causes.into_iter().enumerate() {
        let severity = found.iter().find(|other| Some(other.symptom) == cause);
        if let Some(severity) = severity.map(|cause| cause.severity) {
            found[index].severity = found[index].severity.min(severity);
            found[index].consequence_of = cause;
        }
    }
    found
}

fn cause(view: &View<'_>, finding: &Finding, found: &[Finding]) -> Option<Symptom> {
    use Symptom::{
        DeadUnits, ExplodingGradients, IllConditionedCurvature, LearningRateTooHigh,
        PastEdgeOfStability, SaddleOrFlat, SaturatedUnits, VanishingGradients,
    };
    let get = |symptom| {
        let above = |other: &&Finding| other.symptom == symptom && other.severity > Severity::Note;
        found.iter().find(above)
    };
    let has = |symptom| get(symptom).map(|finding: &Finding| finding.symptom);
    // A network that explodes from its start does so at any rate.
    let from_start = |finding: &&Finding| {
        let first = finding.evidence.first();
        first.is_some_and(|evidence| evidence.tag != crate::tag::GRADIENT_NORM)
    };
    let exploding = get(ExplodingGradients).filter(from_start);
    let step = finding.evidence.first().map_or(0, |evidence| evidence.step);
    let layers = view.first_layers().map_or(0, |(_, layers)| layers.len());
    let weights = view.first_weights();
    let no_weights = view
        .first_of("parameters/norm")
        .is_some_and(|(_, norm)| norm == 0.0)
        || !weights.is_empty() && weights.iter().all(|(_, (_, norm))| *norm == 0.0);
    match finding.symptom {
        ExplodingGradients if !from_start(&finding) => has(LearningRateTooHigh),
        LearningRateTooHigh => exploding.map(|cause| cause.symptom),
        PastEdgeOfStability => has(LearningRateTooHigh).or(exploding.map(|cause| cause.symptom)),
        DeadUnits | SaturatedUnits if step > 0 && has(LearningRateTooHigh).is_some() => {
            has(LearningRateTooHigh)
        }
        // Without weights nothing is active; through many layers nothing arrives.
        DeadUnits | SaturatedUnits if no_weights || layers >= DEEP => has(VanishingGradients),
        VanishingGradients if !(no_weights || layers >= DEEP) => {
            has(DeadUnits).or(has(SaturatedUnits))
        }
        // Layers that get no gradient have no curvature either.
        IllConditionedCurvature => has(VanishingGradients),
        VanishingGradients if step > 0 => has(LearningRateTooHigh),
        SaddleOrFlat => [
            ExplodingGradients,
            LearningRateTooHigh,
            SaturatedUnits,
            DeadUnits,
            VanishingGradients,
        ]
        .into_iter()
        .find_map(has),
        _ => None,
    }
}

/// Puts the most severe findings first; among those causes before consequences, then the surer ones
/// first.
fn ordered(mut found: Vec<Finding>) -> Vec<Finding> {
    // Sorting is stable: what is equal stays in the order of the symptoms.
    found.sort_by_key(|finding| {
        (
            std::cmp::Reverse(finding.severity),
            finding.consequence_of.is_some(),
            std::cmp::Reverse(finding.confidence),
        )
    });
    found
}
