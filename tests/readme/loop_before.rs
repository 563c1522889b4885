//! A training loop.

use anyhow::Result;
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::{Device, Int, Tensor, activation::log_softmax};
use datasets::{Digits, batch, epoch_order};
use models::{Mlp, MlpConfig};

fn loss(model: &Mlp, (images, labels): &(Tensor<4>, Tensor<1, Int>)) -> Tensor<1> {
    let log_probabilities = log_softmax(model.forward(images.clone()), 1);
    let picked = log_probabilities.gather(1, labels.clone().unsqueeze_dim(1));
    picked.mean().neg()
}

/// Trains a network on the digits and gives its loss on all of them.
pub(crate) fn train() -> Result<f64> {
    let device = Device::flex().autodiff();
    let data = Digits::load()?.images;
    let mut model = MlpConfig::new(vec![64, 32, 10]).init_seeded(1, &device);
    let mut optim = SgdConfig::new().init();
    let lr = 0.1;
    for epoch in 0..15 {
        for indices in epoch_order(7, epoch, data.len()).chunks(64) {
            let batch = batch(&data, indices, &device).into_pair();
            let gradients = GradientsParams::from_grads(loss(&model, &batch).backward(), &model);
            model = optim.step(lr, model, gradients);
        }
    }
    let all: Vec<usize> = (0..data.len()).collect();
    Ok(loss(&model, &batch(&data, &all, &device).into_pair()).into_scalar())
}
