//! The figures of a finished training, from what the probes found after its last step.

use landscape::Method;
use probes::{Eigenvalues, Observation, Trace};

use super::data::Data;
use super::instruments::tag;
use crate::config::Plan;
use crate::report::number::Number;
use crate::report::summary::{Eigenvalue, Figures, HessianNote, Sharpness, TraceFigure};

const NOT_MEASURED: Number = Number(f64::NAN);

/// The figures of an observation. What was not measured in it is NaN.
pub(crate) fn figures(observed: &Observation, plan: &Plan) -> Figures {
    let scalar = |tag: &str| Number(observed.scalar(tag).unwrap_or(f64::NAN));
    let first = observed
        .eigenvalues()
        .and_then(|Eigenvalues { largest, .. }| largest.first());
    let trace = observed.trace();
    let sharpness = observed.sam_sharpness();
    Figures {
        training_loss: scalar(tag::TRAINING_LOSS),
        training_accuracy: scalar(tag::TRAINING_ACCURACY),
        validation_loss: scalar(tag::VALIDATION_LOSS),
        validation_accuracy: scalar(tag::VALIDATION_ACCURACY),
        test_loss: scalar(tag::TEST_LOSS),
        test_accuracy: scalar(tag::TEST_ACCURACY),
        lambda_1: plan.probes.enabled.then(|| Eigenvalue {
            value: first.map_or(NOT_MEASURED, |first| Number(first.value)),
            residual: first.map_or(NOT_MEASURED, |first| Number(first.residual)),
            converged: first.is_some_and(|first| first.converged),
        }),
        trace: plan.probes.enabled.then(|| TraceFigure {
            value: trace.map_or(NOT_MEASURED, |Trace { value, .. }| Number(*value)),
            standard_error: trace.map_or(NOT_MEASURED, |trace| Number(trace.standard_error)),
        }),
        sam_sharpness: plan.probes.enabled.then(|| Sharpness {
            value: sharpness.map_or(NOT_MEASURED, |(value, _)| Number(value)),
            rho: Number(plan.probes.sharpness_rho.get()),
        }),
    }
}

/// How the Hessian products of an observation were made. Where there are none, the reason is told in place of the method.
pub(crate) fn hessian_note(observed: &Observation, data: &Data) -> HessianNote {
    let products = observed.products().next();
    let method = |method: &Method| method.to_string();
    let none = || match observed.failed.first() {
        Some((probe, error)) => format!("none: {probe} failed: {error}"),
        None => "none: not measured".to_owned(),
    };
    HessianNote {
        method: products.map_or_else(none, |products| method(&products.method)),
        examples: products.map_or(data.curvature_examples(), |products| products.examples),
        unresolved_products: observed
            .products()
            .map(|products| products.unresolved as u64)
            .sum(),
    }
}

/// Whether the loss over the training data was measured and is no finite number.
pub(crate) fn has_diverged(observed: &Observation) -> bool {
    let loss = observed.scalar(tag::TRAINING_LOSS);
    loss.is_some_and(|loss| !loss.is_finite())
}
