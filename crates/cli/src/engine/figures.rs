//! The figures of a finished training, from the last points of its scalars.

use std::collections::BTreeMap;

use landscape::{Hessian, LanczosConfig};

use super::data::Data;
use super::instruments::{risk, tag};
use super::network::Network;
use crate::config::Plan;
use crate::report::number::Number;
use crate::report::summary::{
    Eigenvalue, Figures, HessianNote, LastScalar, Sharpness, TraceFigure,
};

/// The figures measured at `step`. What could not be measured there is NaN.
pub(crate) fn figures(
    last_scalars: &BTreeMap<String, LastScalar>,
    step: usize,
    plan: &Plan,
) -> Figures {
    let at_end = |tag: &str| {
        let point = last_scalars.get(tag);
        let point = point.filter(|point| point.step == step as u64);
        point.map_or(Number(f64::NAN), |point| point.value)
    };
    let lambda_1 = at_end("curvature/lambda_1");
    let residual = at_end("curvature/lambda_1_residual");
    // The instrument's own criterion: the tolerance is relative to the largest magnitude of the spectrum.
    let largest = lambda_1.0.abs().max(at_end("curvature/lambda_min").0.abs());
    Figures {
        training_loss: at_end(tag::TRAINING_LOSS),
        training_accuracy: at_end(tag::TRAINING_ACCURACY),
        validation_loss: at_end(tag::VALIDATION_LOSS),
        validation_accuracy: at_end(tag::VALIDATION_ACCURACY),
        test_loss: at_end(tag::TEST_LOSS),
        test_accuracy: at_end(tag::TEST_ACCURACY),
        lambda_1: plan.probes.enabled.then(|| Eigenvalue {
            value: lambda_1,
            residual,
            converged: residual.0 <= LanczosConfig::new().tolerance * largest,
        }),
        trace: plan.probes.enabled.then(|| TraceFigure {
            value: at_end("curvature/trace"),
            standard_error: at_end("curvature/trace_standard_error"),
        }),
        sam_sharpness: plan.probes.enabled.then(|| Sharpness {
            value: at_end("sharpness/sam"),
            rho: Number(plan.probes.sharpness_rho.get()),
        }),
    }
}

/// How the Hessian products at the weights of `model` are made. Where there are none, the reason is told in place of the method.
pub(crate) fn hessian_note<M: Network>(
    model: &M,
    data: &Data,
    device: &burn::tensor::Device,
    last_scalars: &BTreeMap<String, LastScalar>,
    step: usize,
) -> HessianNote {
    let hessian = data
        .curvature_batches(device)
        .and_then(|batches| Ok(Hessian::at(model, &risk::<M>(batches))?));
    let unresolved = last_scalars
        .iter()
        .filter(|(tag, point)| tag.ends_with("unresolved_products") && point.step == step as u64)
        .map(|(_, point)| point.value.0)
        .sum::<f64>();
    HessianNote {
        method: match &hessian {
            Ok(hessian) => hessian.method().to_string(),
            Err(error) => format!("none: {error:#}"),
        },
        examples: data.curvature_examples(),
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a sum of counts"
        )]
        unresolved_products: unresolved as u64,
    }
}

/// Whether the loss over the training data after the last step was measured and is no finite number.
pub(crate) fn has_diverged(last_scalars: &BTreeMap<String, LastScalar>, step: usize) -> bool {
    last_scalars
        .get(tag::TRAINING_LOSS)
        .is_some_and(|point| point.step == step as u64 && !point.value.0.is_finite())
}
