//! A training loop.

use anyhow::Result;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::{Device, Int, Tensor};
use datasets::{Digits, batch, epoch_order};
use models::{Mlp, MlpConfig};

type Batch = (Tensor<4>, Tensor<1, Int>);

/// The loss, and the scores of the classes.
fn classify(model: &Mlp, (images, labels): &Batch) -> (Tensor<1>, Tensor<2>) {
    let output = model.forward(images.clone());
    let cross_entropy = CrossEntropyLossConfig::new().init(&output.device());
    (
        cross_entropy.forward(output.clone(), labels.clone()),
        output,
    )
}

/// Counts the examples that are classified right.
fn right(output: Tensor<2>, (_, labels): &Batch) -> f64 {
    let classes = output.argmax(1).reshape([-1]);
    classes.equal(labels.clone()).float().sum().into_scalar()
}

/// Trains a network on the digits, prints its accuracy on the way, and gives its loss on all of
/// them.
#[allow(clippy::print_stdout, reason = "a program")]
pub(crate) fn train() -> Result<f64> {
    let device = Device::flex().autodiff();
    let data = Digits::load()?.images;
    let mut model = MlpConfig::new(vec![64, 32, 10]).init_seeded(1, &device)?;
    let mut optim = SgdConfig::new().init();
    let lr = 0.1;
    for epoch in 0..15 {
        let mut correct = 0.0;
        for indices in epoch_order(7, epoch, data.len()).chunks(64) {
            let batch = batch(&data, indices, &device).into_pair();
            let (loss, output) = classify(&model, &batch);
            let gradients = GradientsParams::from_grads(loss.backward(), &model);
            model = optim.step(lr, model, gradients);
            correct += right(output, &batch);
        }
        println!("epoch {epoch}: {:.3} right", correct / data.len() as f64);
    }
    let all: Vec<usize> = (0..data.len()).collect();
    let (loss, _) = classify(&model, &batch(&data, &all, &device).into_pair());
    Ok(loss.into_scalar())
}
