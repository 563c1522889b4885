//! The figures of a finished training, from what the probes found after its last step.

use probes::{Eigenvalues, Observation};

use super::instruments::tag;
use crate::config::Plan;
use crate::report::number::Number;
use crate::results::summary::{Eigenvalue, Figures, HessianNote, Sharpness, TraceFigure};

const FAILED: Number = Number(f64::NAN);

/// Returns the figures of an observation. What failed to be measured in it is NaN; what was not
/// asked for, or left out for the budget, is absent.
pub(crate) fn figures(observed: &Observation, plan: &Plan, has_accuracy: bool) -> Figures {
    let scalar = |tag: &str| Number(observed.scalar(tag).unwrap_or(f64::NAN));
    let accuracy = |tag: &str| has_accuracy.then(|| scalar(tag));
    let has_failed = plan.probes.enabled && !observed.failed.is_empty();
    let eigenvalues = observed.eigenvalues();
    let first = eigenvalues.and_then(|Eigenvalues { largest, .. }| largest.first());
    let lambda_1 = first.map(|first| Eigenvalue {
        value: Number(first.value),
        residual: Number(first.residual),
        converged: first.converged,
    });
    let trace = observed.trace().map(|trace| TraceFigure {
        value: Number(trace.mean),
        standard_error: Number(trace.standard_error),
    });
    let sharpness = |value| Sharpness {
        value,
        rho: Number(plan.probes.sharpness_rho.get()),
    };
    let sam_sharpness = observed.sam_sharpness();
    Figures {
        training_loss: scalar(tag::TRAINING_LOSS),
        training_accuracy: accuracy(tag::TRAINING_ACCURACY),
        validation_loss: scalar(tag::VALIDATION_LOSS),
        validation_accuracy: accuracy(tag::VALIDATION_ACCURACY),
        test_loss: scalar(tag::TEST_LOSS),
        test_accuracy: accuracy(tag::TEST_ACCURACY),
        lambda_1: lambda_1.or(has_failed.then_some(Eigenvalue {
            value: FAILED,
            residual: FAILED,
            converged: false,
        })),
        trace: trace.or(has_failed.then_some(TraceFigure {
            value: FAILED,
            standard_error: FAILED,
        })),
        sam_sharpness: sam_sharpness
            .map(|(value, _)| sharpness(Number(value)))
            .or_else(|| has_failed.then(|| sharpness(FAILED))),
    }
}

/// Returns how the Hessian products of an observation were made. Where there should be some, the
/// reason is told in place of the method.
pub(crate) fn hessian_note(observed: &Observation, curvature_examples: usize) -> HessianNote {
    let Some(products) = observed.products().next() else {
        let none = HessianNote::none(curvature_examples);
        return match observed.failed.first() {
            Some((probe, error)) => HessianNote {
                method: format!("none: {probe} failed: {error}"),
                ..none
            },
            None => none,
        };
    };
    HessianNote {
        method: products.method.to_string(),
        examples: products.examples,
        unresolved_products: observed
            .products()
            .map(|products| products.unresolved as u64)
            .sum(),
    }
}

/// Returns whether the loss over the training data was measured and is no finite number.
pub(crate) fn has_diverged(observed: &Observation) -> bool {
    let loss = observed.scalar(tag::TRAINING_LOSS);
    loss.is_some_and(|loss| !loss.is_finite())
}
