//! The figures of a finished training: losses and accuracies of all three parts, curvature and sharpness of the sample.

use burn::tensor::{Device, Int, Tensor};
use landscape::sharpness::sam_sharpness;
use landscape::spectrum::{LanczosConfig, TraceConfig, hutchinson_trace, top_eigenpairs};
use landscape::{Hessian, Risk};

use super::data::{Batch, Data};
use super::network::Network;
use super::step::loss;
use crate::config::Plan;
use crate::report::number::Number;
use crate::report::summary::{Eigenvalue, Figures, HessianNote, Sharpness, TraceFigure};

/// The mean loss over batches as a function of the network.
pub(crate) fn risk<M: Network>(batches: Vec<Batch>) -> Risk<M, Batch> {
    Risk::mean(batches, loss::<M>)
}

/// Share of the examples whose largest logit is that of their label.
pub(crate) fn accuracy<M: Network>(model: &M, batches: &[Batch]) -> f64 {
    let model = model.valid();
    let (mut right, mut examples) = (0, 0);
    for (images, labels) in batches {
        let [count] = labels.dims();
        let guesses: Tensor<1, Int> = model.logits(images.clone()).argmax(1).reshape([count]);
        right += guesses
            .equal(labels.clone())
            .int()
            .sum()
            .into_scalar::<i64>();
        examples += count;
    }
    right as f64 / examples as f64
}

/// All figures at the weights of `model`. `device` is the one without autodiff.
///
/// The test images are read here and nowhere else.
///
/// # Errors
///
/// When something cannot be measured.
pub(crate) fn figures<M: Network>(
    model: &M,
    plan: &Plan,
    data: &Data,
    device: &Device,
) -> anyhow::Result<(Figures, HessianNote)> {
    let part = |batches: Vec<Batch>| -> anyhow::Result<(Number, Number)> {
        let accuracy = accuracy(model, &batches);
        Ok((Number(risk::<M>(batches).value(model)?), Number(accuracy)))
    };
    let (training_loss, training_accuracy) = part(data.training_batches(device)?)?;
    let (validation_loss, validation_accuracy) = part(data.validation_batches(device)?)?;
    let (test_loss, test_accuracy) = part(data.test_batches(device)?)?;

    let seed = u64::from(plan.seed);
    let sample = risk::<M>(data.curvature_batches(device)?);
    let hessian = Hessian::at(model, &sample)?;
    let note = HessianNote {
        method: hessian.method().to_string(),
        examples: hessian.objective().examples(),
    };
    let pairs = top_eigenpairs(&hessian, 1, &LanczosConfig::new().with_seed(seed))?;
    let lambda_1 = pairs.first().map_or(
        Eigenvalue {
            value: Number(f64::NAN),
            residual: Number(f64::NAN),
            converged: false,
        },
        |pair| Eigenvalue {
            value: Number(pair.value),
            residual: Number(pair.residual),
            converged: pair.converged,
        },
    );
    let config = TraceConfig::new().with_relative_error(0.05).with_seed(seed);
    let trace = hutchinson_trace(&hessian, &config)?;
    let sharpness = sam_sharpness(model, &sample, plan.probes.sharpness_rho.get())?;
    let figures = Figures {
        training_loss,
        training_accuracy,
        validation_loss,
        validation_accuracy,
        test_loss,
        test_accuracy,
        lambda_1,
        trace: TraceFigure {
            value: Number(trace.mean),
            standard_error: Number(trace.standard_error),
            products: trace.products,
        },
        sam_sharpness: Sharpness {
            value: Number(sharpness.value),
            rho: Number(sharpness.rho),
        },
    };
    Ok((figures, note))
}
