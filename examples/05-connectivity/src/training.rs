//! The networks and their training.

use anyhow::Result;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::{Device, Int, Tensor};
use datasets::{ImageDataset, batch, epoch_order};
use models::{Mlp, MlpConfig, he_normal};

/// Images `[N, 1, 8, 8]` and their classes `[N]`.
pub type Batch = (Tensor<4>, Tensor<1, Int>);

/// Returns the scores `[N, 10]` of a batch before the softmax.
#[must_use]
pub(crate) fn scores(model: &Mlp, (images, _): &Batch) -> Tensor<2> {
    model.forward(images.clone())
}

/// Returns the mean cross entropy of scores, in nats.
#[must_use]
pub(crate) fn loss_of_scores(scores: Tensor<2>, (_, labels): &Batch) -> Tensor<1> {
    let cross_entropy = CrossEntropyLossConfig::new().init(&scores.device());
    cross_entropy.forward(scores, labels.clone())
}

/// Returns the mean cross entropy of a batch, in nats.
#[must_use]
pub(crate) fn loss(model: &Mlp, batch: &Batch) -> Tensor<1> {
    loss_of_scores(scores(model, batch), batch)
}

/// Returns the share of a batch that is classified rightly.
#[must_use]
pub(crate) fn accuracy(model: &Mlp, batch: &Batch) -> Tensor<1> {
    let chosen = scores(model, batch).argmax(1).reshape([-1]);
    chosen.equal(batch.1.clone()).float().mean()
}

/// Returns images as batches of so many.
///
/// # Errors
/// No image.
pub(crate) fn batches(data: &ImageDataset, size: usize, device: &Device) -> Result<Vec<Batch>> {
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
