//! The networks and their training.

use anyhow::Result;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::{Device, Int, Tensor};
use datasets::{ImageDataset, batch, epoch_order};
use landscape::Risk;
use models::{Mlp, MlpConfig, he_normal};

/// Images `[N, 1, 8, 8]` and their classes `[N]`.
pub type Batch = (Tensor<4>, Tensor<1, Int>);

/// Returns the mean cross entropy of a batch, in nats.
#[must_use]
pub fn loss(model: &Mlp, (images, labels): &Batch) -> Tensor<1> {
    let cross_entropy = CrossEntropyLossConfig::new().init(&images.device());
    cross_entropy.forward(model.forward(images.clone()), labels.clone())
}

/// Returns the share of a batch that is classified rightly.
#[must_use]
pub fn accuracy(model: &Mlp, (images, labels): &Batch) -> Tensor<1> {
    let chosen = model.forward(images.clone()).argmax(1).reshape([-1]);
    chosen.equal(labels.clone()).float().mean()
}

/// Returns images as batches of so many.
///
/// # Errors
/// No image.
pub fn batches(data: &ImageDataset, size: usize, device: &Device) -> Result<Vec<Batch>> {
    let batches = datasets::batches(data, size, device)?;
    Ok(batches.into_iter().map(|batch| batch.into_pair()).collect())
}

/// Trains an MLP of two hidden layers by SGD with momentum 0.9 on batches of 32: initial weights
/// and order follow from the seed.
///
/// # Errors
/// No network of this width.
pub fn train(
    width: usize,
    data: &ImageDataset,
    epochs: u64,
    seed: u64,
    device: &Device,
) -> Result<Mlp> {
    let model = MlpConfig::new(vec![64, width, width, 10]).init(device)?;
    let mut model = he_normal(model, seed, 1.0);
    let momentum = MomentumConfig::new().with_momentum(0.9).with_dampening(0.0);
    let mut optimiser = SgdConfig::new().with_momentum(Some(momentum)).init();
    for epoch in 0..epochs {
        for indices in epoch_order(seed, epoch, data.len()).chunks(32) {
            let batch = batch(data, indices, device).into_pair();
            let gradients = GradientsParams::from_grads(loss(&model, &batch).backward(), &model);
            model = optimiser.step(0.05, model, gradients);
        }
    }
    Ok(model)
}

/// Returns the loss over some data.
#[must_use]
pub fn risk(batches: &[Batch]) -> Risk<Mlp, Batch> {
    Risk::mean(batches.to_vec(), loss)
}
