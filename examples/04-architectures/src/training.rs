//! The training that all networks of the comparison go through.

use std::f64::consts::PI;

use anyhow::Result;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::{Device, Int, Tensor};
use datasets::{ImageDataset, batch, epoch_order};

use crate::network::Network;

/// Images `[N, 1, 8, 8]` and their classes `[N]`.
pub type Batch = (Tensor<4>, Tensor<1, Int>);

/// Examples of a step.
const BATCH_SIZE: usize = 64;
/// The learning rate of the first step; it falls to 0 as a cosine.
const LEARNING_RATE: f64 = 0.003;

/// Returns the mean cross entropy of a batch, in nats.
#[must_use]
pub fn loss(model: &Network, (images, labels): &Batch) -> Tensor<1> {
    let cross_entropy = CrossEntropyLossConfig::new().init(&images.device());
    cross_entropy.forward(model.forward(images.clone()), labels.clone())
}

/// Trains `model` by Adam on batches of 64, in an order that follows from the seed.
///
/// # Errors
/// None of its own.
pub fn train(
    mut model: Network,
    data: &ImageDataset,
    epochs: u64,
    seed: u64,
    device: &Device,
) -> Result<Network> {
    let mode = std::env::var("MODE").unwrap_or_default();
    let decay = burn::optim::decay::WeightDecayConfig::new(5e-4);
    let mut optimiser = match mode.as_str() {
        "sgd" => burn::optim::SgdConfig::new().with_momentum(Some(burn::optim::momentum::MomentumConfig::new().with_momentum(0.9).with_dampening(0.0))).with_weight_decay(Some(decay)).init(),
        "adamw" => burn::optim::AdamWConfig::new().with_epsilon(1e-8).with_weight_decay(0.1).init(),
        _ => AdamConfig::new().with_epsilon(1e-8).init(),
    };
    let top: f64 = std::env::var("LR").ok().and_then(|x| x.parse().ok()).unwrap_or(LEARNING_RATE);
    let steps = epochs * data.len().div_ceil(BATCH_SIZE) as u64;
    let mut step = 0_u64;
    for epoch in 0..epochs {
        for indices in epoch_order(seed, epoch, data.len()).chunks(BATCH_SIZE) {
            let progress = step as f64 / steps as f64;
            let rate = top * 0.5 * (1.0 + (PI * progress).cos());
            let batch = batch(data, indices, device).into_pair();
            let gradients = GradientsParams::from_grads(loss(&model, &batch).backward(), &model);
            model = optimiser.step(rate, model, gradients);
            step += 1;
        }
    }
    Ok(model)
}
