//! Labels that cannot be fitted: the inputs do not determine them.
//!
//! *Memorised* (Zhang et al. 2017): the training loss has fallen below chance, and the validation
//! loss has not. With classes and the number n of validation examples it is tested: the validation
//! accuracy lies below `1/C + 3.09 √(1/C (1 − 1/C) / n)`, under which a classifier that guesses
//! stays 99.9 % of the time. An accuracy above it that is still less than a tenth of the way from
//! guessing to perfect counts as guessing too, but not as tested: inputs of one class lie close to
//! each other whatever their labels. A training that has learnt half of its own labels and has a
//! validation loss above chance is a warning even where its accuracy is better than guessing.
//!
//! *Not even that*: both losses are at chance, although nothing was found that keeps the gradient
//! from doing its work, and the gradient of the start could have removed the loss at least once
//! (the reach of [`learning_rate_too_low`](super::learning_rate_too_low)). That is said at the end
//! of a run, and not of a loss that still falls. It becomes sure where
//! the gradient's noise scale `B = tr Σ / ‖g‖²` (McCandlish et al. 2018, equation 2.9) is at least
//! a third of the number N of measured examples: independent labels give a mean gradient with
//! `E N ‖g‖² = tr Σ`, that is `B ≈ N`.

use super::{Outcome, is_blocked};
use crate::diagnosis::finding::{Confidence, Finding, Severity, Symptom};
use crate::diagnosis::remedy::{OptimiserKind, Remedy};
use crate::diagnosis::view::{HALF, LEVEL, NOTHING, SIGNIFICANT, View, evidence};
use crate::diagnosis::words::number;
use crate::tag;

pub(super) fn find(view: &View<'_>, before: &[Finding]) -> Outcome {
    let (Some((tag, validation)), Some(chance), Some(learnt)) =
        (view.validation(), view.chance, view.learnt)
    else {
        return Outcome::Missing(
            "the training loss and the validation loss (`loss/train`, `loss/valid`; probe loss)",
        );
    };
    let low = |finding: &Finding| finding.symptom == Symptom::LearningRateTooLow;
    let Some((step, loss)) = validation.last().filter(|(_, loss)| loss.is_finite()) else {
        return Outcome::Absent;
    };
    if !view.is_judged()
        || is_blocked(before)
        || before.iter().any(low)
        || view.training_tag() == tag
    {
        return Outcome::Absent;
    }
    let classes = view.facts.known.classes.filter(|classes| *classes > 1);
    let tested = classes.and_then(|classes| {
        let examples = view.facts.known.validation_examples.filter(|n| *n > 0)?;
        let told = view.facts.known.validation_accuracy.as_deref();
        let tag = told.unwrap_or("accuracy/valid");
        let (step, accuracy) = view.last_of(tag)?;
        let guess = 1.0 / classes as f64;
        let spread = (guess * (1.0 - guess) / examples as f64).sqrt();
        let bound = guess + SIGNIFICANT * spread;
        let sentence = format!(
            "validation accuracy {}, and guessing gives up to {} on {examples} examples",
            number(accuracy, 3),
            number(bound, 3)
        );
        let mut found = evidence(tag, step, accuracy, Some(bound), sentence);
        found.error = Some(spread);
        // A tenth of what there is to know.
        let little = guess + 0.1 * (1.0 - guess);
        Some((accuracy <= bound.max(little), accuracy <= bound, found))
    });
    let guesses = tested.as_ref().map(|(guesses, ..)| *guesses);
    let is_tested = tested.as_ref().is_some_and(|(_, tested, _)| *tested);
    let above = evidence(
        tag,
        step,
        loss,
        Some(chance),
        format!(
            "validation loss {} at step {step}, where a model that knows nothing has {}",
            number(loss, 3),
            number(chance, 3)
        ),
    );
    let no_better = loss >= (1.0 - NOTHING) * chance;
    let below = view.last.is_some() && !view.is_at_chance();
    let mut found = vec![above];
    found.extend(tested.map(|(.., found)| found));
    let (severity, confidence, level, sentence) = if below && no_better && guesses != Some(false) {
        let sentence = format!(
            "the training loss has fallen by {} of chance, the validation loss not at all",
            number(learnt, 2)
        );
        match guesses {
            Some(true) if is_tested => (Severity::Problem, Confidence::Sure, Some(LEVEL), sentence),
            _ => (Severity::Problem, Confidence::Likely, None, sentence),
        }
    } else if learnt > HALF && loss > chance {
        let sentence = format!(
            "the training loss has fallen by {} of chance, the validation loss is above it",
            number(learnt, 2)
        );
        (Severity::Warning, Confidence::Possible, None, sentence)
    } else if view.is_at_chance()
        && no_better
        && guesses != Some(false)
        && view.share >= 1.0
        && !view.falls
    {
        let gradient = view.first_of(tag::GRADIENT_NORM);
        let reach = gradient.and_then(|(step, norm)| Some((step, view.reach(norm)?)));
        if let Some((step, reach)) = reach {
            if reach < 1.0 {
                return Outcome::Absent;
            }
            found.push(evidence(
                tag::GRADIENT_NORM,
                step,
                reach,
                Some(1.0),
                format!(
                    "the steps of the run could have removed the loss {} times, to first order",
                    number(reach, 2)
                ),
            ));
        }
        let noisy = view.drowned();
        if let Some((step, scale, examples)) = noisy {
            found.push(evidence(
                tag::NOISE_SCALE,
                step,
                scale,
                Some(examples as f64 / 3.0),
                format!(
                    "the gradient's noise scale is {}, of {examples} examples: they pull in as many directions",
                    number(scale, 3)
                ),
            ));
        }
        // Without a look at layers and units a gradient that does not arrive is not excluded.
        let excluded = view.first_layers().is_some() || view.has_area("activation/");
        let confidence = match (noisy.is_some(), reach.is_some() && excluded) {
            (true, _) => Confidence::Sure,
            (false, true) => Confidence::Likely,
            (false, false) => Confidence::Possible,
        };
        let sentence = format!(
            "neither loss is below that of guessing ({}), although gradients and steps are sound",
            number(chance, 3)
        );
        (
            Severity::Problem,
            confidence,
            is_tested.then_some(LEVEL),
            sentence,
        )
    } else {
        return Outcome::Absent;
    };
    let finding = Finding::new(Symptom::UnfittableLabels, (severity, confidence), sentence);
    let finding = match level {
        Some(level) => finding.tested_at(level),
        None => finding,
    };
    finding
        .because(found.into_iter().chain(view.loss_evidence()))
        .meaning(
            "The examples' gradients cancel: what lowers the loss of one raises that of another, and the only way down leads to memorising them one by one.",
        )
        .remedied_by([
            Remedy::CleanLabels,
            Remedy::ScaleInputs,
            Remedy::MoreRegularisation,
            Remedy::Optimiser {
                kind: OptimiserKind::Adam,
            },
        ])
}
