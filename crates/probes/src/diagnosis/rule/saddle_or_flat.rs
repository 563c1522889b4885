//! A saddle or a flat region: a small gradient at a high loss.
//!
//! At least half of the run is over, less than half of the loss was learnt, and the gradient is so
//! small that a whole run with it, even at the largest stable rate, would remove less than a
//! twentieth of the loss to first order (the reach of
//! [`learning_rate_too_low`](super::learning_rate_too_low)), or exactly 0. A gradient that cannot
//! be told from 0 by the measured examples is small too: their noise scale `tr Σ / ‖g‖²` is at
//! least a third of their number N (McCandlish et al. 2018, equation 2.9: N is what a gradient of
//! 0 gives on average), while the loss falls no more and nothing else explains it. Then the
//! smallest eigenvalue decides: below zero by more than its residual it is a saddle (Dauphin et
//! al. 2014); a largest eigenvalue so small that all steps of the run along its direction contract
//! nothing, `Σ η λ₁ < 1`, is a flat region; else it is a place that descent does not leave.

use super::Outcome;
use crate::diagnosis::finding::{Confidence, Evidence, Finding, Severity, Symptom};
use crate::diagnosis::remedy::{InitialisationScheme, OptimiserKind, Remedy};
use crate::diagnosis::view::{View, evidence};
use crate::diagnosis::words::number;
use crate::tag;

pub(super) fn find(view: &View<'_>, before: &[Finding]) -> Outcome {
    let Some((step, gradient)) = view.last_of(tag::GRADIENT_NORM) else {
        return match view.scalar(tag::GRADIENT_NORM) {
            Some(_) => Outcome::Absent,
            None => Outcome::Missing("`gradient/norm` (probe gradient)"),
        };
    };
    let reach = view.reach(gradient);
    let is_high = view.is_judged() && view.is_harmed() && view.not_finite.is_none();
    let noise = noise(view).filter(|_| before.iter().all(explains_nothing) && !view.falls);
    if !is_high || !view.is_small(gradient) && noise.is_none() {
        return Outcome::Absent;
    }
    let mut found = vec![evidence(
        tag::GRADIENT_NORM,
        step,
        gradient,
        None,
        format!(
            "the gradient is {} at step {step}, which in a whole run would remove {} of the loss",
            number(gradient, 2),
            number(reach.unwrap_or(0.0), 2)
        ),
    )];
    found.extend(noise);
    let with_residual = |tag: &str, name: &str| {
        let (step, value) = view.last_of(tag)?;
        let residual = view.last_of(&format!("curvature_check/{name}_residual"));
        let residual = residual.map_or(0.0, |(_, residual)| residual);
        Some((step, value, residual))
    };
    let smallest = with_residual(tag::LAMBDA_MIN, "lambda_min");
    let largest = with_residual(tag::LAMBDA_1, "lambda_1");
    let mut what = (
        "the gradient has gone, and the loss has not",
        Confidence::Possible,
    );
    if let Some((step, value, residual)) = largest {
        let flat = view.path().map(|path| path * (value.abs() + residual));
        let mut top = evidence(
            tag::LAMBDA_1,
            step,
            value,
            None,
            format!("lambda_1 = {} ± {}", number(value, 3), number(residual, 1)),
        );
        top.error = Some(residual);
        found.push(top);
        what = if flat.is_some_and(|flat| flat < 1.0) {
            (
                "a flat region: gradient and curvature are too small for the steps",
                Confidence::Likely,
            )
        } else {
            ("a critical point with a high loss", Confidence::Possible)
        };
    }
    let mut is_saddle = false;
    if let Some((step, value, residual)) = smallest {
        is_saddle = value + residual < 0.0;
        let mut bottom = evidence(
            tag::LAMBDA_MIN,
            step,
            value,
            Some(0.0),
            format!(
                "lambda_min = {} ± {}",
                number(value, 3),
                number(residual, 1)
            ),
        );
        bottom.error = Some(residual);
        found.push(bottom);
        if is_saddle {
            what = (
                "a saddle: a small gradient, and curvature below zero",
                Confidence::Sure,
            );
        }
    }
    let (sentence, confidence) = what;
    let he = Remedy::Initialisation {
        scheme: InitialisationScheme::He,
    };
    let adam = Remedy::Optimiser {
        kind: OptimiserKind::Adam,
    };
    let remedies = if is_saddle {
        vec![
            Remedy::Perturbation,
            he,
            adam,
            Remedy::BatchSize { factor: 0.25 },
        ]
    } else {
        vec![he, adam, Remedy::Normalisation]
    };
    Finding::new(
        Symptom::SaddleOrFlat,
        (Severity::Problem, confidence),
        sentence.to_owned(),
    )
    .because(found.into_iter().chain(view.loss_evidence()))
    .meaning(if is_saddle {
        "The weights lie near a saddle: there is a way down along the eigenvector of lambda_min, and the gradient does not point that way yet."
    } else {
        "The weights lie where the landscape is level: the gradient says nothing of where the loss is lower."
    })
    .remedied_by(remedies)
}

/// Returns the noise of the gradient, if the measured examples cannot tell it from 0.
fn noise(view: &View<'_>) -> Option<Evidence> {
    let (step, scale, examples) = view.drowned()?;
    Some(evidence(
        tag::NOISE_SCALE,
        step,
        scale,
        Some(examples as f64 / 3.0),
        format!(
            "the gradient's noise scale is {}, of {examples} examples: it cannot be told from 0",
            number(scale, 3)
        ),
    ))
}

/// Returns whether a finding leaves room for a saddle: it is a note, or the plateau around it.
fn explains_nothing(finding: &Finding) -> bool {
    finding.severity == Severity::Note || finding.symptom == Symptom::VanishingGradients
}
