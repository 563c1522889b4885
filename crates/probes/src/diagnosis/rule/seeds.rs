//! Inconsistent seeds: trainings that differ in their seeds alone end differently.
//!
//! 1. Some of them are harmed (less than half of the loss learnt, or not finite) and others not.
//! 2. Their validation accuracies differ by more than the validation examples explain. With n
//!    examples the sum `Σ (a − ā)² n / (ā (1 − ā))` over k seeds is at most `χ²(k − 1)` distributed
//!    (the seeds share their examples, which makes it smaller); the test is made at 0.1 %. It
//!    counts where the worst also makes twice the errors of the best.

use super::Outcome;
use crate::diagnosis::facts::Facts;
use crate::diagnosis::finding::{Confidence, Finding, Severity, Symptom};
use crate::diagnosis::remedy::{OptimiserKind, Remedy};
use crate::diagnosis::view::{LEVEL, SIGNIFICANT, View, evidence};
use crate::diagnosis::words::number;

/// Looks at runs that differ in their seeds alone.
pub(crate) fn seeds(runs: &[Facts]) -> Outcome {
    if runs.len() < 2 {
        return Outcome::Missing("a second run with another seed");
    }
    let views: Vec<View<'_>> = runs.iter().map(|facts| View::of(facts, false)).collect();
    if views
        .iter()
        .any(|view| view.learnt.is_none() && view.not_finite.is_none())
    {
        return Outcome::Missing("the training loss of each run");
    }
    let harmed = views.iter().filter(|view| view.is_harmed()).count();
    let mut found = Vec::new();
    if harmed > 0 && harmed < runs.len() {
        let losses = views.iter().filter_map(|view| Some((view, view.last?)));
        let worst = losses.max_by(|a, b| a.1.value.total_cmp(&b.1.value));
        if let Some((view, last)) = worst {
            found.push(evidence(
                view.training_tag(),
                last.step,
                last.value,
                view.chance,
                format!(
                    "{harmed} of {} seeds fail, the worst with a training loss of {}",
                    runs.len(),
                    number(last.value, 3)
                ),
            ));
        }
    }
    let fails = !found.is_empty();
    let accuracies: Vec<(u64, f64)> = views
        .iter()
        .filter_map(|view| {
            let told = view.facts.known.validation_accuracy.as_deref();
            view.last_of(told.unwrap_or("accuracy/valid"))
        })
        .collect();
    let examples = runs[0].known.validation_examples;
    if let Some(examples) = examples.filter(|_| accuracies.len() == runs.len()) {
        let count = accuracies.len() as f64;
        let mean = accuracies.iter().map(|(_, a)| a).sum::<f64>() / count;
        let squares: f64 = accuracies.iter().map(|(_, a)| (a - mean).powi(2)).sum();
        let statistic = squares * examples as f64 / (mean * (1.0 - mean));
        let bound = chi_squared(count - 1.0);
        let best = accuracies.iter().map(|(_, a)| *a).fold(0.0, f64::max);
        let worst = accuracies.iter().map(|(_, a)| *a).fold(1.0, f64::min);
        if statistic > bound && 1.0 - worst > 2.0 * (1.0 - best) {
            found.push(evidence(
                "accuracy/valid",
                accuracies[0].0,
                statistic,
                Some(bound),
                format!(
                    "validation accuracies from {} to {}: chi-squared {} against {}",
                    number(worst, 3),
                    number(best, 3),
                    number(statistic, 3),
                    number(bound, 3)
                ),
            ));
        }
    }
    let Some(first) = found.first() else {
        return Outcome::Absent;
    };
    let (severity, sentence) = (
        if fails {
            Severity::Problem
        } else {
            Severity::Warning
        },
        first.sentence.clone(),
    );
    let confidence = if fails && found.len() == 1 {
        Confidence::Likely
    } else {
        Confidence::Sure
    };
    let tested = found
        .iter()
        .any(|evidence| evidence.tag == "accuracy/valid");
    let finding = Finding::new(Symptom::ChaoticLandscape, (severity, confidence), sentence);
    let finding = if tested {
        finding.tested_at(LEVEL)
    } else {
        finding
    };
    finding
        .because(found)
        .meaning(
            "From some starts the way leads to a good minimum and from others it does not: the result of one run says little.",
        )
        .remedied_by([
            Remedy::LearningRate { factor: 0.3 },
            Remedy::Normalisation,
            Remedy::Optimiser {
                kind: OptimiserKind::Adam,
            },
            Remedy::MoreSeeds,
        ])
}

/// Returns the 99.9 % quantile of the chi-squared distribution (Wilson and Hilferty 1931), which
/// is at most 4 % too high from one degree of freedom on.
fn chi_squared(degrees: f64) -> f64 {
    let part = 2.0 / (9.0 * degrees);
    degrees * (1.0 - part + SIGNIFICANT * part.sqrt()).powi(3)
}
