//! Full-batch training of an MLP on UCI digits: the sharpness rises to the largest that the
//! optimiser is stable at, and stays there.
#![allow(clippy::print_stdout, reason = "a program")]

mod course;
mod digits;
mod method;
mod report;

use anyhow::Result;
use burn::tensor::{DType, Device, Tensor};
use clap::Parser;
use course::{Plan, train};
use indicatif::ProgressBar;
use models::{Activation, Mlp, MlpConfig};

/// Images `[N, 64]` and the unit vectors of their classes, `[N, 10]`.
type Batch = (Tensor<2>, Tensor<2>);

/// Trains on all digits at once, by six methods, and measures the sharpness on the way.
#[derive(Parser)]
struct Arguments {
    /// Trainings of each method, from initial weights of seeds 0, 1, ...
    #[arg(long, default_value_t = 1)]
    seeds: u64,
    /// Stops after a tenth of the steps.
    #[arg(long)]
    small: bool,
}

/// Half the squared distance from the outputs to the unit vector of the class, averaged over the
/// images.
fn loss(model: &Mlp, (images, targets): &Batch) -> Tensor<1> {
    let error = model.forward(images.clone()) - targets.clone();
    error.square().sum_dim(1).mean() * 0.5
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let device = Device::flex().autodiff();

    // In f64: the instability grows from differences of the weights that f32 rounds away.
    let options = (&device, DType::F64);
    let batch = digits::first(500, options)?;
    let mlp = MlpConfig::new(vec![64, 32, 32, 10]).with_activation(Activation::Tanh);

    // An odd number of steps between two measurements, for the weights oscillate with a period of
    // two steps.
    let plan = Plan {
        steps: if arguments.small { 150 } else { 1500 },
        every: 15,
    };
    let methods = method::all()?;
    let progress = ProgressBar::new(methods.len() as u64 * arguments.seeds);
    let mut courses = Vec::new();
    for method in &methods {
        for seed in 0..arguments.seeds {
            let model = mlp.init_seeded(seed, options)?;
            courses.push(train(method, model, &batch, &plan)?);
            progress.inc(1);
        }
    }
    progress.finish_and_clear();

    // A table over the seeds, and pictures of the first one.
    println!("{}", report::table(&methods, &courses));
    for path in report::pictures(&methods, &courses)? {
        println!("{path}");
    }
    Ok(())
}
