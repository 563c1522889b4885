//! One training, and what is measured of its end.

use anyhow::{Result, anyhow};
use burn::optim::momentum::MomentumConfig;
use burn::optim::{GradientsParams, ModuleOptimizer, SgdConfig};
use burn::tensor::{Device, Tensor, TensorCreationOptions};
use datasets::{ImageDataset, batch, epoch_order};
use landscape::sharpness::sam_sharpness;
use landscape::{Hessian, LanczosConfig, Risk, TraceConfig, hutchinson_trace, top_eigenpairs};
use models::Classifier;
use sam::{AnyMethod, BatchUse, Rows};
use tests::{ImageBatch, cross_entropy, image_loss};

use crate::method::Method;

/// Settings that are the same for all methods of a comparison.
pub(crate) struct Recipe {
    pub(crate) epochs: u64,
    pub(crate) seed: u64,
    pub(crate) learning_rate: f64,
    pub(crate) batch_size: usize,
    /// Training images that curvature is measured on.
    pub(crate) curvature_examples: usize,
}

/// The figures of a trained model.
pub(crate) struct Outcome {
    pub(crate) training_loss: f64,
    pub(crate) validation_loss: f64,
    pub(crate) validation_accuracy: f64,
    pub(crate) lambda_max: f64,
    pub(crate) lambda_residual: f64,
    pub(crate) trace: f64,
    pub(crate) trace_error: f64,
    pub(crate) sam_sharpness: f64,
}

/// The losses of some examples, one number each.
fn terms<M: Classifier>(model: &M, (images, labels): &ImageBatch, rows: Rows<'_>) -> Tensor<1> {
    cross_entropy(model.logits(rows.of(images)), rows.of(labels))
}

/// SGD with momentum 0.9. Burn's default dampening is 0.1; PyTorch's momentum has none.
pub(crate) fn base() -> ModuleOptimizer {
    let momentum = MomentumConfig::new().with_momentum(0.9).with_dampening(0.0);
    SgdConfig::new().with_momentum(Some(momentum)).init()
}

/// A step of a method on a batch.
pub(crate) fn stepped<M: Classifier>(
    method: &mut AnyMethod,
    optimiser: &mut ModuleOptimizer,
    rate: f64,
    model: M,
    batch: &ImageBatch,
) -> Result<sam::Step<M>> {
    let step = if method.batches() == BatchUse::Whole {
        method.step(optimiser, rate, model, |model| image_loss(model, batch))
    } else {
        let examples = batch.0.dims()[0];
        method.step_examples(optimiser, rate, model, examples, |model, rows| {
            terms(model, batch, rows)
        })
    };
    step.map_err(|refused| anyhow!("{}", refused.reason))
}

/// Returns the model after a step of an optimiser on the gradient of a batch.
pub(crate) fn descended<M: Classifier>(
    optimiser: &mut ModuleOptimizer,
    rate: f64,
    model: M,
    batch: &ImageBatch,
) -> M {
    let gradients = GradientsParams::from_grads(image_loss(&model, batch).backward(), &model);
    optimiser.step(rate, model, gradients)
}

/// Returns the first examples of some data as one batch; all of them where there are no more.
pub(crate) fn first(
    data: &ImageDataset,
    examples: usize,
    options: impl Into<TensorCreationOptions>,
) -> ImageBatch {
    let indices: Vec<usize> = (0..examples.min(data.len())).collect();
    batch(data, &indices, options).into_pair()
}

/// Trains `model` by `method` and measures it on the training data.
pub(crate) fn train<M: Classifier + Sync + 'static>(
    method: Method,
    recipe: &Recipe,
    mut model: M,
    train: &ImageDataset,
    validation: &ImageDataset,
) -> Result<Outcome> {
    let device = Device::flex().autodiff();
    let mut optimiser = base();
    let steps_per_epoch = train.len().div_ceil(recipe.batch_size) as u64;
    let total = recipe.epochs * steps_per_epoch;
    let schedule = (0..recipe.epochs).flat_map(|epoch| {
        let order = epoch_order(recipe.seed, epoch, train.len());
        let chunks: Vec<Vec<usize>> = order.chunks(recipe.batch_size).map(<[_]>::to_vec).collect();
        chunks
    });
    let steps = schedule.enumerate().map(|(step, indices)| {
        #[allow(clippy::cast_precision_loss, reason = "some thousand steps")]
        let progress = step as f64 / total as f64;
        let rate = recipe.learning_rate * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos());
        (rate, batch(train, &indices, &device).into_pair())
    });
    let mut sharp = method.sharp(recipe.batch_size)?;
    for (rate, batch) in steps {
        model = if let Some(sharp) = &mut sharp {
            stepped(sharp, &mut optimiser, rate, model, &batch)?.model
        } else {
            descended(&mut optimiser, rate, model, &batch)
        };
    }
    measure(
        &model,
        first(train, recipe.curvature_examples, &device),
        first(validation, usize::MAX, &device),
        recipe.seed,
    )
}

fn measure<M: Classifier + Sync + 'static>(
    model: &M,
    train: ImageBatch,
    validation: ImageBatch,
    seed: u64,
) -> Result<Outcome> {
    let risk = Risk::mean([train], image_loss);
    let hessian = Hessian::at(model, &risk)?;
    let pairs = top_eigenpairs(&hessian, 1, &LanczosConfig::new().with_seed(seed))?;
    let trace = TraceConfig::new().with_relative_error(0.02).with_seed(seed);
    let trace = hutchinson_trace(&hessian, &trace)?;
    Ok(Outcome {
        training_loss: risk.value(model)?,
        validation_loss: risk.over([validation.clone()]).value(model)?,
        validation_accuracy: accuracy(model, &validation),
        lambda_max: pairs[0].value,
        lambda_residual: pairs[0].residual,
        trace: trace.estimate.mean,
        trace_error: trace.estimate.standard_error,
        sam_sharpness: sam_sharpness(model, &risk, 0.05)?.value,
    })
}

#[allow(clippy::cast_precision_loss, reason = "some thousand images")]
fn accuracy<M: Classifier>(model: &M, (images, labels): &ImageBatch) -> f64 {
    let device = images.device().without_autodiff();
    let images = images.clone().to_device(&device);
    let predicted = model.valid().logits(images).argmax(1).reshape([-1]);
    let equal = predicted
        .equal(labels.clone().to_device(&device))
        .int()
        .sum();
    equal.to_data().iter::<f64>().sum::<f64>() / labels.dims()[0] as f64
}
