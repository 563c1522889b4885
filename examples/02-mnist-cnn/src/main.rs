//! A CNN with BatchNorm on MNIST: train it with SAM in a hand-written loop, then look at the
//! minimum it found.
#![allow(clippy::print_stdout, reason = "a program")]

use anyhow::{Context, Result};
use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::AdamConfig;
use burn::tensor::{Device, Int, Tensor};
use datasets::{MnistSubset, SplitConfig, batch, batches, epoch_order};
use landscape::slice::linspace;
use landscape::spectrum::{LanczosConfig, TraceConfig, hutchinson_trace, top_eigenpairs};
use landscape::{
    Hessian, LinearOperator, ParameterSpace, Risk, filter_normalize, line, random_direction,
};
use models::{Cnn, CnnConfig};
use pictures::{Series, loss_line};
use sam::SamConfig;

type Batch = (Tensor<4>, Tensor<1, Int>);

/// The mean cross entropy of a batch.
fn loss(model: &Cnn, (images, labels): &Batch) -> Tensor<1> {
    let cross_entropy = CrossEntropyLossConfig::new().init(&images.device());
    cross_entropy.forward(model.forward(images.clone()), labels.clone())
}

/// The share of a batch that is classified right.
fn accuracy(model: &Cnn, (images, labels): &Batch) -> f64 {
    let classes = model.forward(images.clone()).argmax(1).reshape([-1]);
    classes.equal(labels.clone()).float().mean().into_scalar()
}

fn main() -> Result<()> {
    let (epochs, batch_size, seed) = (1, 64, 7);
    let device = Device::flex().autodiff();
    let split = MnistSubset::load()?.split(&SplitConfig::new())?;
    let data = split.train;
    let tensors = |indices: &[usize]| batch(&data, indices, &device).into_pair();

    // A training loop that knows nothing of what is measured afterwards.
    let mut model = CnnConfig::new(28)
        .with_batch_norm(true)
        .init_seeded(seed, &device)?;
    let mut optimiser = AdamConfig::new().init();
    let mut sam = SamConfig::new().with_rho(0.05).init()?;
    for epoch in 0..epochs {
        for indices in epoch_order(seed, epoch, data.len()).chunks(batch_size) {
            let batch = tensors(indices);
            let step = sam.step(&mut optimiser, 1e-3, model, |model| loss(model, &batch))?;
            model = step.model;
        }
    }
    let test = batches(&split.test, split.test.len(), &device.clone().inner())?.remove(0);
    println!(
        "{} steps, accuracy {:.4} on the test data",
        sam.state().steps(),
        accuracy(&model.valid(), &test.into_pair())
    );

    // The loss over a fixed sample of the training data, in four batches.
    let sample: Vec<usize> = (0..512).collect();
    let batches: Vec<Batch> = sample.chunks(128).map(tensors).collect();
    let risk = Risk::mean(&batches, loss);
    println!(
        "loss {:.4} on {} examples",
        risk.value(&model)?,
        sample.len()
    );

    // Its curvature.
    let hessian = Hessian::at(&model, &risk)?;
    println!(
        "{} parameters; products by {}",
        hessian.dim(),
        hessian.method()
    );
    let lanczos = LanczosConfig::new().with_seed(seed).with_tolerance(1e-3);
    let pairs = top_eigenpairs(&hessian, 3, &lanczos)?;
    for pair in &pairs {
        println!(
            "lambda = {:+.4e}  residual {:.1e}",
            pair.value, pair.residual
        );
    }
    let trace = TraceConfig::new().with_relative_error(0.1).with_seed(seed);
    let trace = hutchinson_trace(&hessian, &trace)?;
    println!(
        "trace = {:.3} +- {:.3}",
        trace.estimate.mean, trace.estimate.standard_error
    );

    // The loss along a filter-normalised random direction and along the sharpest one.
    let space = ParameterSpace::of(&model)?;
    let a = linspace(-1.0..=1.0, 21);
    let random = filter_normalize(&space, &model, random_direction(&space, seed))?;
    let random = line(&model, &risk, &random, &a)?;
    let sharpest = line(&model, &risk, &pairs[0].vector, &a)?;
    std::fs::create_dir_all("runs").context("cannot create the folder runs")?;
    let series = [
        Series {
            name: "random, filter-normalised",
            x: &random.a,
            y: &random.loss,
        },
        Series {
            name: "first eigenvector, norm 1",
            x: &sharpest.a,
            y: &sharpest.loss,
        },
    ];
    let picture = loss_line(&series, "MNIST CNN: the loss around its minimum")?;
    std::fs::write("runs/example-mnist-cnn.png", picture.png()?)?;
    println!("runs/example-mnist-cnn.png");
    Ok(())
}
