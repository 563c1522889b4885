//! Trainings from weights that are zero, too small, He's and too large: the surface around the
//! starts, and the first hundred steps over it.
#![allow(clippy::print_stdout, reason = "a program")]

mod course;
mod report;
mod start;

use anyhow::Result;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::tensor::{DType, Device, Int, Tensor};
use clap::Parser;
use course::courses;
use datasets::{Digits, batch};
use indicatif::ProgressBar;
use models::Mlp;

type Batch = (Tensor<4>, Tensor<1, Int>);

/// Starts from four initialisations and follows the first hundred steps.
#[derive(Parser)]
struct Arguments {
    /// Trainings from each start, with the random numbers of seeds 0, 1, ...
    #[arg(long, default_value_t = 3)]
    seeds: u64,
    /// Fewer examples, and coarser surfaces.
    #[arg(long)]
    small: bool,
}

/// The mean cross entropy of a batch, in nats.
fn loss(model: &Mlp, (images, labels): &Batch) -> Tensor<1> {
    let cross_entropy = CrossEntropyLossConfig::new().init(&images.device());
    cross_entropy.forward(model.forward(images.clone()), labels.clone())
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let (examples, points) = if arguments.small { (100, 9) } else { (500, 41) };

    // In f64, where eigenvalues down to 1e-8 of the largest have a sign.
    let options = (&Device::flex().autodiff(), DType::F64);
    let indices: Vec<usize> = (0..examples).collect();
    let batch = batch(&Digits::load()?.images, &indices, options).into_pair();

    // Four starts for each seed: the same random numbers, times 0, 0.1, 1 and 3.
    let progress = ProgressBar::new(arguments.seeds);
    let mut found = Vec::new();
    for seed in 0..arguments.seeds {
        found.push(courses(seed, &batch, points)?);
        progress.inc(1);
    }
    progress.finish_and_clear();

    // A table over the seeds, and pictures of the first one.
    println!("{}", report::table(&found));
    for path in report::pictures(&found[0])? {
        println!("{path}");
    }
    Ok(())
}
