//! Exploding gradients: signals that grow from layer to layer, or gradients over all bounds.
//!
//! Three kinds of evidence, each of the start of the run, before any update:
//!
//! 1. The first loss is above `2 ln C`. Weights that keep the variance of signals give outputs of
//!    variance `s² ≤ 2` (He et al. 2015, equation 9; Glorot and Bengio 2010), and the expected
//!    cross-entropy of Gaussian outputs is at most `ln C + s² / 2` (Jensen): a loss of `2 ln C`
//!    needs `s² ≥ 2 ln C`, which is 4.6 for ten classes. A batch's sampling error is far below.
//! 2. The gradient's norm by layer spans more than a factor of 1,000, and the largest one belongs
//!    to an early layer. Weights that keep variances keep these norms equal but for the square root
//!    of the ratio of widths, and no network has layers whose widths differ a million times. Layers
//!    that are only scaled against each other are [`ill_conditioned`](super::ill_conditioned)'s.
//! 3. The gradient is not finite while the loss is.
//!
//! Later in the run: a gradient that is 100 times its median, where the loss also rose (a cliff;
//! Pascanu, Mikolov and Bengio 2013, section 2.3).

use super::Outcome;
use crate::diagnosis::finding::{Confidence, Finding, Severity, Symptom};
use crate::diagnosis::remedy::{InitialisationScheme, Remedy};
use crate::diagnosis::view::{NOTHING, View, evidence};
use crate::diagnosis::words::number;
use crate::tag;

/// The factor that no ratio of widths explains.
pub(super) const SPAN: f64 = 1e3;

/// A gradient so many times its median is a cliff.
const CLIFF: f64 = 100.0;

pub(super) fn find(view: &View<'_>) -> Outcome {
    let gradient = view.scalar(tag::GRADIENT_NORM);
    if view.first.is_none() && gradient.is_none() {
        return Outcome::Missing("the training loss and `gradient/norm` (probe gradient)");
    }
    let mut found = Vec::new();
    if let (Some(first), Some(classes)) = (view.first, view.facts.known.classes) {
        let bound = 2.0 * (classes as f64).ln();
        if classes > 1 && first.value > bound {
            found.push(evidence(
                view.training_tag(),
                first.step,
                first.value,
                Some(bound),
                format!(
                    "the first loss is {}, above 2 ln {classes} = {}: the outputs are far too large",
                    number(first.value, 3),
                    number(bound, 3)
                ),
            ));
        }
    }
    let layers = view.first_layers();
    if let Some((step, layers)) = layers.filter(|(_, layers)| !view.is_scale(layers, SPAN)) {
        let norms: Vec<f64> = layers.iter().map(|(_, norm)| *norm).collect();
        let largest = norms.iter().copied().enumerate();
        let largest = largest.filter(|(_, norm)| norm.is_finite());
        let largest = largest.max_by(|a, b| a.1.total_cmp(&b.1));
        let smallest = norms.iter().copied().filter(|norm| *norm > 0.0);
        let smallest = smallest.fold(f64::INFINITY, f64::min);
        if let Some((index, largest)) = largest {
            let span = largest / smallest;
            // Small norms in the late layers beside normal ones would be another matter.
            let early = 2 * index < norms.len();
            if span > SPAN
                && early
                && largest > 1.0
                && view.first.is_some_and(|l| largest > l.value)
            {
                let path = layers[index].0;
                found.push(evidence(
                    &format!("gradient/layer/{path}"),
                    step,
                    span,
                    Some(SPAN),
                    format!(
                        "the gradient of {path} is {}, {} times the smallest of any layer",
                        number(largest, 2),
                        number(span, 2)
                    ),
                ));
            }
        }
    }
    let from_start = !found.is_empty();
    let loss_is_finite = view
        .scalar(view.training_tag())
        .is_some_and(|loss| loss.not_finite().is_none());
    if let Some(series) = gradient {
        if let Some((step, value)) = series.not_finite().filter(|_| loss_is_finite) {
            let sentence = format!("the norm of the gradient is {value} at step {step}");
            found.push(evidence(tag::GRADIENT_NORM, step, value, None, sentence));
        }
        let mut norms: Vec<f64> = series.finite().into_iter().map(|(_, norm)| norm).collect();
        norms.sort_by(f64::total_cmp);
        let median = norms.get(norms.len() / 2).copied().unwrap_or(0.0);
        let rose = view.peak().zip(view.first);
        let rose = rose.is_some_and(|(peak, first)| {
            peak.1 > 2.0 * first.value.max(view.chance.unwrap_or(0.0))
        });
        if let Some((step, highest)) = series.highest()
            && highest > CLIFF * median
            && rose
            && !from_start
        {
            found.push(evidence(
                tag::GRADIENT_NORM,
                step,
                highest,
                Some(CLIFF * median),
                format!(
                    "the norm of the gradient reaches {} at step {step}, its median is {}",
                    number(highest, 2),
                    number(median, 2)
                ),
            ));
        }
    }
    if found.is_empty() {
        return Outcome::Absent;
    }
    let recovered = !view.is_harmed() && view.learnt.is_some_and(|learnt| learnt > NOTHING);
    let severity = match (view.is_harmed(), recovered) {
        (true, _) => Severity::Problem,
        // A network that trains all the same has rescaled itself.
        (false, true) if view.is_judged() => Severity::Note,
        _ => Severity::Warning,
    };
    let confidence = match found.len() {
        1 => Confidence::Likely,
        _ => Confidence::Sure,
    };
    let sentence = found[0].sentence.clone();
    let remedies = if from_start {
        vec![
            Remedy::Initialisation {
                scheme: InitialisationScheme::He,
            },
            Remedy::ScaleInputs,
            Remedy::Normalisation,
            Remedy::GradientClip { norm: 1.0 },
        ]
    } else {
        vec![
            Remedy::LearningRate { factor: 0.1 },
            Remedy::GradientClip { norm: 1.0 },
            Remedy::Normalisation,
        ]
    };
    let loss = view.loss_evidence();
    Finding::new(Symptom::ExplodingGradients, (severity, confidence), sentence)
        .because(found.into_iter().chain(loss))
        .meaning(
            "The loss surface has walls: along the early layers' weights it is steeper by orders of magnitude than along the others', and a step that is right for these is thrown far away by those.",
        )
        .remedied_by(remedies)
}
