//! A sharp minimum: a small step raises the loss a lot.
//!
//! `sharpness/sam` is the rise of the loss one step of length ρ up the gradient (Foret et al.
//! 2021), and `½ λ₁ ρ²` the rise along the sharpest direction to second order. The finding is a
//! rise of more than `ln 2` nats, which halves the likelihood of a label (geometric mean), at the
//! end of a run. For ρ = 0.05 that is a `λ₁` above 555.
//!
//! It is a note in any case. Rescaling the layers of a ReLU network changes both numbers as one
//! likes, and the function not at all (Dinh et al. 2017); over many networks neither predicts
//! generalisation reliably (Jiang et al. 2020; Andriushchenko et al. 2023).

use super::Outcome;
use crate::diagnosis::finding::{Confidence, Finding, Severity, Symptom};
use crate::diagnosis::remedy::Remedy;
use crate::diagnosis::view::{View, evidence};
use crate::diagnosis::words::number;
use crate::tag;

/// The radius where none was told: that of the SAM paper.
const RHO: f64 = 0.05;

pub(super) fn find(view: &View<'_>) -> Outcome {
    let rho = view.facts.known.sharpness_rho.unwrap_or(RHO);
    let rise = view.last_of(tag::SAM_SHARPNESS);
    let lambda = view.last_of(tag::LAMBDA_1);
    if rise.is_none() && lambda.is_none() {
        return Outcome::Missing(
            "`sharpness/sam` or `curvature/lambda_1` (probes sharpness, eigenvalues)",
        );
    }
    if view.share < 1.0 {
        return Outcome::Absent;
    }
    let bound = std::f64::consts::LN_2;
    let mut found = Vec::new();
    if let Some((step, rise)) = rise.filter(|(_, rise)| *rise > bound) {
        found.push(evidence(
            tag::SAM_SHARPNESS,
            step,
            rise,
            Some(bound),
            format!(
                "a step of length {} up the gradient raises the loss by {}",
                number(rho, 2),
                number(rise, 3)
            ),
        ));
    }
    let curved = lambda.map(|(step, lambda)| (step, lambda, 0.5 * lambda * rho * rho));
    if let Some((step, lambda, rise)) = curved.filter(|(.., rise)| *rise > bound) {
        let mut top = evidence(
            tag::LAMBDA_1,
            step,
            lambda,
            Some(2.0 * bound / (rho * rho)),
            format!(
                "lambda_1 is {}: a step of {} along its direction raises the loss by {}",
                number(lambda, 3),
                number(rho, 2),
                number(rise, 3)
            ),
        );
        let residual = view.last_of("curvature_check/lambda_1_residual");
        top.error = residual.map(|(_, residual)| residual);
        found.push(top);
    }
    if found.is_empty() {
        return Outcome::Absent;
    }
    let confidence = match found.len() {
        1 => Confidence::Likely,
        _ => Confidence::Sure,
    };
    let sentence = found[0].sentence.clone();
    let invariant = view.last_of("sharpness/asam").map(|(step, rise)| {
        evidence(
            "sharpness/asam",
            step,
            rise,
            None,
            format!(
                "the sharpness that does not change with the scale of layers is {}",
                number(rise, 3)
            ),
        )
    });
    Finding::new(
        Symptom::SharpMinimum,
        (Severity::Note, confidence),
        sentence,
    )
    .because(found.into_iter().chain(invariant))
    .meaning(
        "The minimum is a narrow valley as the weights are scaled. That says nothing reliable of generalisation: the same function with other scales of its layers is as flat as one likes.",
    )
    .remedied_by([
        Remedy::Sam { rho: RHO },
        Remedy::Normalisation,
        Remedy::BatchSize { factor: 0.25 },
    ])
}
