//! The training before everything is measured: a network is no initialisation.

use anyhow::Result;
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::Device;
use datasets::{ImageDataset, batch, epoch_order};
use models::Classifier;
use tests::image_loss;

/// Examples in a step, of the training and of those that are timed.
pub(crate) const BATCH: usize = 64;
const STEPS: usize = 300;
const RATE: f64 = 0.05;

/// Returns the network after 300 steps of SGD on the first `examples`, in orders of a fixed seed.
pub(crate) fn trained<M: Classifier>(
    mut model: M,
    data: &ImageDataset,
    examples: usize,
) -> Result<M> {
    let device = Device::flex().autodiff();
    let mut optimiser = SgdConfig::new().init();
    let mut left: Vec<usize> = Vec::new();
    let mut epoch = 0;
    for _ in 0..STEPS {
        if left.len() < BATCH {
            left = epoch_order(1, epoch, examples);
            epoch += 1;
        }
        let chosen = left.split_off(left.len() - BATCH);
        let batch = batch(data, &chosen, &device).into_pair();
        let gradients = image_loss(&model, &batch).backward();
        let gradients = GradientsParams::from_grads(gradients, &model);
        model = optimiser.step(RATE, model, gradients);
    }
    Ok(model)
}
