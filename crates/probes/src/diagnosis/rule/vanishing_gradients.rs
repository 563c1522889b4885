//! Vanishing gradients, or a plateau.
//!
//! *Vanishing.* At the first measurement the norm of the gradient of some layer is 0, or below
//! 1/1,000 of the largest. Weights that keep variances keep the norms of all layers equal but for
//! the square root of the ratio of widths (He et al. 2015, section 2.2), and a factor of 1,000
//! would need widths that differ a million times. The usual cause is depth: uniform weights in
//! `±1/√n` have variance `1 / (3n)`, a ReLU halves it, and so the gradient shrinks by
//! `√(1/6) = 0.41` in each layer: to 1/1,000 after 8 of them.
//!
//! Layers that are only scaled against each other, so that the products of their weights and
//! gradients are of one size, are [`ill_conditioned`](super::ill_conditioned)'s.
//!
//! *Weights too small.* The product of the layers' largest singular values at the start is below
//! 1/1,000, so that the outputs hardly depend on the inputs, and no layer but one gets a tenth of
//! the largest gradient. Around zero weights the loss of a network of L layers is flat to order
//! L − 1 but for the biases (a saddle; Baldi and Hornik 1989 for two linear layers), and the steps
//! first have to grow the weights out of it. It counts while the loss is at chance.
//!
//! *Plateau.* At least half of the run is over, nothing was learnt within the sampling error of
//! the loss, the loss does not fall significantly any more, and the gradient has become so small
//! that a whole run with it, even at the largest stable rate, would remove less than a twentieth of
//! the loss to first order.
//!
//! Where half of the loss was learnt all the same, vanishing gradients are a note.

use super::exploding_gradients::SPAN;
use super::{Outcome, is_blocked};
use crate::diagnosis::finding::{Confidence, Finding, Severity, Symptom};
use crate::diagnosis::remedy::{InitialisationScheme, OptimiserKind, Remedy};
use crate::diagnosis::view::{View, evidence};
use crate::diagnosis::words::number;
use crate::tag;

/// Layers from which on uniform weights and ReLU alone take the gradient away: the smallest n with
/// `6^(−(n − 1) / 2) < 1/1,000`.
const DEEP: usize = 9;

pub(super) fn find(view: &View<'_>, before: &[Finding]) -> Outcome {
    let layers = view.first_layers();
    let gradient = view.last_of(tag::GRADIENT_NORM);
    if layers.is_none() && gradient.is_none() {
        return Outcome::Missing("`gradient/norm` and `gradient/layer/..` (probe gradient)");
    }
    let mut found = Vec::new();
    let mut depth = 0;
    let mut is_zero = false;
    let is_told = |layers: &[(&str, f64)]| layers.len() > 1 && !view.is_scale(layers, SPAN);
    if let Some((step, layers)) = layers.filter(|(_, layers)| is_told(layers)) {
        depth = layers.len();
        let finite = layers.iter().filter(|(_, norm)| norm.is_finite());
        let largest = finite.clone().map(|(_, norm)| *norm).fold(0.0, f64::max);
        let zero = finite.clone().filter(|(_, norm)| *norm == 0.0).count();
        let smallest = finite.min_by(|a, b| a.1.total_cmp(&b.1));
        if let Some((path, smallest)) = smallest
            && *smallest < largest / SPAN
        {
            is_zero = zero > 0;
            let sentence = if is_zero {
                format!(
                    "{zero} of {depth} layers get a gradient of exactly 0 at step {step}, for example {path}"
                )
            } else {
                format!(
                    "at step {step} the gradient of {path} is {}, {} of the largest of any layer",
                    number(*smallest, 2),
                    number(smallest / largest, 2)
                )
            };
            found.push(evidence(
                &format!("gradient/layer/{path}"),
                step,
                smallest / largest,
                Some(1.0 / SPAN),
                sentence,
            ));
        } else if largest == 0.0 && !layers.is_empty() {
            is_zero = true;
            let sentence = format!("the gradient of every layer is exactly 0 at step {step}");
            let tag = format!("gradient/layer/{}", layers[0].0);
            found.push(evidence(&tag, step, 0.0, Some(0.0), sentence));
        }
    }
    let weak = view.weak_signal(SPAN).filter(|_| view.is_at_chance());
    if let Some((step, product)) = weak {
        found.push(evidence(
            "weights/",
            step,
            product,
            Some(1.0 / SPAN),
            format!(
                "the weights of step {step} are so small that the outputs change by at most {} of what the inputs do",
                number(product, 2)
            ),
        ));
    }
    let is_vanishing = !found.is_empty();
    let is_stuck = view.is_judged() && view.is_harmed() && view.is_at_chance() && !view.falls;
    if let Some((step, norm)) = gradient.filter(|_| is_stuck) {
        let reach = view.reach(norm);
        if view.is_small(norm) {
            found.push(evidence(
                tag::GRADIENT_NORM,
                step,
                norm,
                None,
                format!(
                    "the gradient is down to {} at step {step}, which in a whole run would remove {} of the loss",
                    number(norm, 2),
                    number(reach.unwrap_or(0.0), 2)
                ),
            ));
        }
    }
    // A plateau that something else explains is a consequence, and says nothing new.
    if found.is_empty() || !is_vanishing && is_blocked(before) {
        return Outcome::Absent;
    }
    let severity = match (view.is_judged(), view.is_harmed()) {
        (_, true) => Severity::Problem,
        (false, false) => Severity::Warning,
        (true, false) => Severity::Note,
    };
    let confidence = if is_vanishing && (is_zero || found.len() > 1) {
        Confidence::Sure
    } else if is_vanishing {
        Confidence::Likely
    } else {
        Confidence::Possible
    };
    let sentence = found[0].sentence.clone();
    let he = Remedy::Initialisation {
        scheme: InitialisationScheme::He,
    };
    let remedies = if is_vanishing && !is_zero && depth >= DEEP {
        // In the order in which they lowered the loss of trainings with 40 plain layers
        // (tests/evidence).
        vec![
            Remedy::FewerLayers,
            Remedy::Residual,
            Remedy::Normalisation,
            he,
        ]
    } else {
        let adam = Remedy::Optimiser {
            kind: OptimiserKind::Adam,
        };
        vec![he, Remedy::Normalisation, Remedy::Residual, adam]
    };
    let meaning = if is_vanishing {
        "The landscape is flat along the weights of some layers: they get no signal and stay as they are, whatever the other layers learn."
    } else {
        "The weights lie on a plateau: the loss is high, and hardly changes in any direction in which the steps go."
    };
    let loss = view.loss_evidence();
    Finding::new(
        Symptom::VanishingGradients,
        (severity, confidence),
        sentence,
    )
    .because(found.into_iter().chain(loss))
    .meaning(meaning)
    .remedied_by(remedies)
}
