//! The training that all networks of the comparison go through.

use std::f64::consts::PI;

use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::{Device, Int, Tensor};
use datasets::{ImageDataset, batch, epoch_order};

use crate::network::Network;

/// Images `[N, 1, 8, 8]` and their classes `[N]`.
pub(crate) type Batch = (Tensor<4>, Tensor<1, Int>);

/// Examples of a step.
pub(crate) const BATCH_SIZE: usize = 64;
/// The learning rate of the first step; it falls to 0 as a cosine.
const LEARNING_RATE: f64 = 0.002;

/// Returns the mean cross entropy of a batch, in nats.
pub(crate) fn loss(model: &Network, (images, labels): &Batch) -> Tensor<1> {
    let cross_entropy = CrossEntropyLossConfig::new().init(&images.device());
    cross_entropy.forward(model.forward(images.clone()), labels.clone())
}

/// Trains `model` by Adam on batches of 64, in an order that follows from the seed.
pub(crate) fn train(
    mut model: Network,
    data: &ImageDataset,
    epochs: u64,
    seed: u64,
    device: &Device,
) -> Network {
    let mut optimiser = AdamConfig::new().with_epsilon(1e-8).init();
    let steps = epochs * data.len().div_ceil(BATCH_SIZE) as u64;
    let mut step = 0_u64;
    for epoch in 0..epochs {
        for indices in epoch_order(seed, epoch, data.len()).chunks(BATCH_SIZE) {
            let progress = step as f64 / steps as f64;
            let rate = LEARNING_RATE * 0.5 * (1.0 + (PI * progress).cos());
            let batch = batch(data, indices, device).into_pair();
            let gradients = GradientsParams::from_grads(loss(&model, &batch).backward(), &model);
            model = optimiser.step(rate, model, gradients);
            step += 1;
        }
    }
    model
}
