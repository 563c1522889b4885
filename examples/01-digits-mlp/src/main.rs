//! An MLP on UCI digits, trained with SAM in a hand-written loop, watched live in TensorBoard.
#![allow(clippy::print_stdout, reason = "a program")]

use anyhow::{Result, ensure};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::SgdConfig;
use burn::optim::momentum::MomentumConfig;
use burn::tensor::{Device, Int, Tensor};
use datasets::{Digits, ImageDataset, SplitConfig, batch, batches, epoch_order};
use landscape::{Grid, Risk};
use models::{Mlp, MlpConfig};
use probes::instrument::{AscentSharpness, GradientNorm, LossSurface, MeanLoss, TopEigenvalues};
use probes::{Budget, Probes, Schedule, sink::TensorBoard};
use sam::SamConfig;

type Batch = (Tensor<4>, Tensor<1, Int>);

/// The mean cross entropy of a batch.
fn loss(model: &Mlp, (images, labels): &Batch) -> Tensor<1> {
    let cross_entropy = CrossEntropyLossConfig::new().init(&images.device());
    cross_entropy.forward(model.forward(images.clone()), labels.clone())
}

fn main() -> Result<()> {
    let (epochs, batch_size, learning_rate, seed) = (15, 32, 0.05, 7);
    let device = Device::flex().autodiff();

    // Data, model and optimiser, as in any Burn program.
    let split = Digits::load()?.split(&SplitConfig::new())?;
    let whole = |data: &ImageDataset| {
        Ok::<_, datasets::Error>(batches(data, data.len(), &device)?.remove(0).into_pair())
    };
    let mut model = MlpConfig::new(vec![64, 64, 10]).init_seeded(seed, &device)?;
    let momentum = MomentumConfig::new().with_momentum(0.9).with_dampening(0.0);
    let mut optimiser = SgdConfig::new().with_momentum(Some(momentum)).init();
    let mut sam = SamConfig::new().with_rho(0.05).init()?;

    // What is measured: the mean loss over the training data, and over the validation data.
    let train = Risk::mean([whole(&split.train)?], loss);
    let validation = train.over([whole(&split.validation)?]);
    let steps_per_epoch = split.train.len().div_ceil(batch_size) as u64;
    let run = format!("runs/example-digits-mlp/{}", std::process::id());
    let mut probes = Probes::new()
        .with_budget(Budget::fraction(0.5))
        .with(Schedule::every(20), MeanLoss::of(&train, "loss/train"))
        .with(Schedule::every(20), MeanLoss::of(&validation, "loss/valid"))
        .with(
            Schedule::every(20),
            GradientNorm::of(&train).with_histograms(),
        )
        .with(
            Schedule::log_spaced(8),
            TopEigenvalues::of(&train, 3).with_seed(seed),
        )
        .with(Schedule::log_spaced(8), AscentSharpness::of(&train, 0.05))
        .with(
            Schedule::at_end(),
            LossSurface::of(&train, Grid::square(-1.0..=1.0, 21)),
        )
        .with_total_steps(epochs * steps_per_epoch)
        .with_sink(TensorBoard::create(&run)?);

    // The loop: the step of SAM stands where the gradient and the optimiser's step stood, and one
    // line observes.
    let mut step = 0;
    for epoch in 0..epochs {
        for indices in epoch_order(seed, epoch, split.train.len()).chunks(batch_size) {
            let batch = batch(&split.train, indices, &device).into_pair();
            model = sam
                .step(&mut optimiser, learning_rate, model, |m| loss(m, &batch))?
                .model;
            step += 1;
            probes.observe(step, &model)?;
        }
    }
    let summary = probes.finish().delivered()?;
    ensure!(
        summary.failed == 0,
        "{} measurements failed",
        summary.failed
    );
    println!("training loss   {:.4}", train.value(&model)?);
    println!("validation loss {:.4}", validation.value(&model)?);
    let spent = summary.spent;
    println!(
        "training {:.1} s, probes {:.1} s",
        spent.training.as_secs_f64(),
        spent.probes.as_secs_f64()
    );
    println!("tensorboard --logdir runs/example-digits-mlp");
    Ok(())
}
