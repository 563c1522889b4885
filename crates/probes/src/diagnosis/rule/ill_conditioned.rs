//! Ill-conditioned curvature: one learning rate does not serve all directions.
//!
//! Every network's Hessian has eigenvalues over many orders of magnitude, so a condition number
//! says nothing by itself. The finding is one of two:
//!
//! 1. *Unbalanced layers.* The largest curvature of one layer's weights is more than 1,000 times
//!    that of another's, at the start. Where it was not measured, the largest singular values σ of
//!    the layers' weights tell: in a network of ReLU layers the curvature of a block goes with
//!    `1/σ²`, so that a ratio above `√1,000` is meant. Layers can be rescaled against each other
//!    without any change of the function (multiplying one by α and dividing the next moves the
//!    ratio by `α⁴`), gradient descent keeps the imbalance it begins with (Du, Hu and Lee 2018),
//!    and it trains badly (Neyshabur, Salakhutdinov and Srebro 2015). With the rate at the edge of
//!    the sharpest layer the flattest contracts by `1/e` in 1,000 steps along its sharpest
//!    direction.
//! 2. *Slow at the edge.* The loss is harmed but still falls significantly, while the stability
//!    ratio is between 1/2 and 1.1: the sharpest direction forbids longer steps, and the others
//!    need them (the rate of convergence is `1 − 1/κ`; Nocedal and Wright 2006, section 3.3).
//!
//! 1 without harm is a note.

use super::{Outcome, is_blocked};
use crate::diagnosis::finding::{Confidence, Finding, Severity, Symptom};
use crate::diagnosis::remedy::{OptimiserKind, Remedy};
use crate::diagnosis::series::Series;
use crate::diagnosis::view::{View, evidence};
use crate::diagnosis::words::number;
use crate::tag;

/// The ratio of curvatures between layers.
const UNBALANCED: f64 = 1e3;

/// The stability ratio up to which it is the edge, and not past it.
const EDGE: f64 = 1.1;

/// The stability ratio from which on steps cannot become much longer.
const AT_EDGE: f64 = 0.5;

pub(super) fn find(view: &View<'_>, before: &[Finding]) -> Outcome {
    let layers = view.family("curvature/lambda_1/", "", Series::first);
    let ratios = view.ratios();
    if layers.len() < 2 && ratios.is_empty() && !view.has_area("weights/") {
        return Outcome::Missing(
            "`weights/..`, `curvature/lambda_1/..` by layer, or `stability/sharpness_ratio` (probes weights, layers, stability)",
        );
    }
    let mut found = Vec::new();
    let positive = layers
        .iter()
        .filter(|(_, (_, value))| *value > 0.0 && value.is_finite());
    let sharpest = positive.clone().max_by(|a, b| a.1.1.total_cmp(&b.1.1));
    let flattest = positive.min_by(|a, b| a.1.1.total_cmp(&b.1.1));
    if let (Some((sharp, (step, top))), Some((flat, (_, bottom)))) = (sharpest, flattest)
        && top / bottom > UNBALANCED
    {
        found.push(evidence(
            &format!("curvature/lambda_1/{sharp}"),
            *step,
            top / bottom,
            Some(UNBALANCED),
            format!(
                "the curvature of {sharp} is {}, {} times that of {flat}",
                number(*top, 2),
                number(top / bottom, 2)
            ),
        ));
    }
    let weights = view.first_weights();
    let positive = weights.iter().filter(|(_, (_, norm))| *norm > 0.0);
    let largest = positive.clone().max_by(|a, b| a.1.1.total_cmp(&b.1.1));
    let smallest = positive.min_by(|a, b| a.1.1.total_cmp(&b.1.1));
    if let (Some((large, (step, top))), Some((small, (_, bottom)))) = (largest, smallest)
        && top / bottom > UNBALANCED.sqrt()
    {
        found.push(evidence(
            &format!("weights/{large}/spectral_norm"),
            *step,
            top / bottom,
            Some(UNBALANCED.sqrt()),
            format!(
                "the weights of {large} are {} times as large as those of {small} (largest singular values)",
                number(top / bottom, 2)
            ),
        ));
    }
    let is_unbalanced = !found.is_empty();
    let mut late = ratios
        .iter()
        .filter(|(_, ratio, error)| ratio - error > AT_EDGE && *ratio <= EDGE);
    let slow = view.is_judged()
        && view.is_harmed()
        && view.not_finite.is_none()
        && view.falls
        && !is_blocked(before);
    if let Some((step, ratio, error)) = late.next_back().filter(|_| slow) {
        let mut edge = evidence(
            tag::SHARPNESS_RATIO,
            *step,
            *ratio,
            Some(AT_EDGE),
            format!(
                "the loss still falls, slowly, while lambda_1 is {} of the threshold: longer steps are not stable",
                number(*ratio, 2)
            ),
        );
        edge.error = Some(*error);
        found.push(edge);
    }
    if found.is_empty() {
        return Outcome::Absent;
    }
    let severity = match (view.is_harmed(), is_unbalanced) {
        (true, true) => Severity::Problem,
        (true, false) => Severity::Warning,
        (false, _) => Severity::Note,
    };
    let confidence = match (is_unbalanced, found.len()) {
        (_, 2..) => Confidence::Sure,
        (true, _) => Confidence::Likely,
        _ => Confidence::Possible,
    };
    let spread = view.last_of(tag::LAMBDA_1).zip(view.last_of(tag::TRACE));
    found.extend(spread.map(|((step, lambda), (_, trace))| {
        evidence(
            tag::LAMBDA_1,
            step,
            lambda,
            None,
            format!(
                "lambda_1 is {} of a trace of {}",
                number(lambda, 3),
                number(trace, 3)
            ),
        )
    }));
    let sentence = found[0].sentence.clone();
    Finding::new(
        Symptom::IllConditionedCurvature,
        (severity, confidence),
        sentence,
    )
    .because(found)
    .meaning(
        "The landscape is a long, narrow valley: across it short steps are needed, along it long ones. No measure of it predicts generalisation.",
    )
    .remedied_by([
        Remedy::Optimiser {
            kind: OptimiserKind::Adam,
        },
        Remedy::Normalisation,
        Remedy::ScaleInputs,
        Remedy::LongerTraining { factor: 3.0 },
    ])
}
