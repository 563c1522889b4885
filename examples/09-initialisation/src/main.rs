//! Where trainings start from weights that are zero, too small, He's and too large.
#![allow(clippy::print_stdout, reason = "a program")]

mod start;

use anyhow::Result;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::{DType, Device, Int, Tensor};
use datasets::{Digits, batch};
use landscape::critical::{CriticalConfig, critical_point};
use landscape::Risk;
use models::Mlp;
use start::Start;

type Batch = (Tensor<4>, Tensor<1, Int>);

/// The mean cross entropy of a batch.
fn loss(model: &Mlp, (images, labels): &Batch) -> Tensor<1> {
    let cross_entropy = CrossEntropyLossConfig::new().init(&images.device());
    cross_entropy.forward(model.forward(images.clone()), labels.clone())
}

fn main() -> Result<()> {
    let options = (&Device::flex().autodiff(), DType::F64);
    let indices: Vec<usize> = (0..500).collect();
    let batch = batch(&Digits::load()?.images, &indices, options).into_pair();
    let risk = Risk::mean(batch.clone(), loss);
    let config = CriticalConfig::new().with_dense_limit(2000);
    for (rate, beta) in [(0.1, 0.0), (0.05, 0.9), (0.02, 0.9), (0.01,0.9)] {
        for start in Start::ALL {
            for seed in 0..3 {
                let mut model = start.model(seed, options)?;
                if rate == 0.1 {
                    let point = critical_point(&model, &risk, &config)?;
                    println!("{} {seed}: {point}", start.name());
                }
                let momentum = MomentumConfig::new().with_momentum(beta).with_dampening(0.0);
                let mut optimiser = SgdConfig::new().with_momentum((beta > 0.0).then_some(momentum)).init();
                print!("{} {rate} {beta} {seed}: ", start.name());
                for step in 0..=100 {
                    if step % 10 == 0 || step < 5 { print!("{:.3} ", risk.value(&model)?); }
                    let gradients = GradientsParams::from_grads(loss(&model, &batch).backward(), &model);
                    model = optimiser.step(rate, model, gradients);
                }
                println!();
            }
        }
    }
    Ok(())
}
