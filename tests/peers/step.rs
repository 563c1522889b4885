//! Steps of training on one batch: of the optimiser alone, and with SAM.

use anyhow::Result;
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::Device;
use landscape::Batch as _;
use models::Classifier;
use sam::SamConfig;
use tests::{ImageBatch, image_loss};

use crate::problem::Problem;
use crate::training::BATCH;

/// Small, for the weights are not to move away.
const RATE: f64 = 1e-6;

/// The first examples, where a model trains.
pub(crate) fn batch<M>(problem: &Problem<M>) -> ImageBatch {
    let batch = problem.batch.clone().narrow(0..BATCH);
    batch.on_device(&Device::flex().autodiff())
}

/// One step of SGD.
pub(crate) fn base<M: Classifier>(model: &M, batch: &ImageBatch) -> M {
    let model = model.clone();
    let gradients = image_loss(&model, batch).backward();
    let gradients = GradientsParams::from_grads(gradients, &model);
    SgdConfig::new().init().step(RATE, model, gradients)
}

/// The same step with SAM.
pub(crate) fn sharpness_aware<M: Classifier + Sync + 'static>(
    model: &M,
    batch: &ImageBatch,
) -> Result<M> {
    let mut optimiser = SgdConfig::new().init();
    let mut sam = SamConfig::new().init()?;
    let loss = |model: &M| image_loss(model, batch);
    Ok(sam.step(&mut optimiser, RATE, model.clone(), loss)?.model)
}
