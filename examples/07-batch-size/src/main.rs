//! An MLP on UCI digits trained with small and with large batches: how sharp are the minima, and
//! does it show in the validation loss?
#![allow(clippy::print_stdout, reason = "a program")]

mod outcome;
mod report;

use anyhow::Result;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::{Device, Int, Tensor};
use clap::Parser;
use datasets::{Digits, ImageDataset, SplitConfig, batch, batches, epoch_order};
use indicatif::ProgressBar;
use landscape::Risk;
use models::{Mlp, MlpConfig};
use outcome::measure;

type Batch = (Tensor<4>, Tensor<1, Int>);

/// Trains with batches of 16 and of 256 examples and compares the minima.
#[derive(Parser)]
struct Arguments {
    /// Trainings of each kind, with initial weights and orders of seeds 0, 1, ...
    #[arg(long, default_value_t = 3)]
    seeds: u64,
    /// Trains for a tenth of the epochs.
    #[arg(long)]
    small: bool,
}

/// A kind of training.
struct Setting {
    name: &'static str,
    batch_size: usize,
    epochs: u64,
}

/// The mean cross entropy of a batch.
fn loss(model: &Mlp, (images, labels): &Batch) -> Tensor<1> {
    let cross_entropy = CrossEntropyLossConfig::new().init(&images.device());
    cross_entropy.forward(model.forward(images.clone()), labels.clone())
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let (learning_rate, device) = (0.1, Device::flex().autodiff());

    // One division of the data for all, so that the seeds differ in weights and orders alone.
    let split = Digits::load()?.split(&SplitConfig::new())?;
    let data = split.train;
    let whole = |data: &ImageDataset| {
        Ok::<_, datasets::Error>(batches(data, data.len(), &device)?.remove(0).into_pair())
    };
    let risk = Risk::mean([whole(&data)?], loss);
    let validation = risk.over([whole(&split.validation)?]);

    // 16 times larger batches see the data as often, or take as many steps: 1,078 examples are 68
    // batches of 16 and 5 of 256.
    let epochs = if arguments.small { 3 } else { 30 };
    let setting = |name, batch_size, epochs| Setting {
        name,
        batch_size,
        epochs,
    };
    let settings = [
        setting("batches of 16", 16, epochs),
        setting("256, same epochs", 256, epochs),
        setting("256, same steps", 256, epochs * 68 / 5),
    ];

    // The same loop for all of them, and the measurements of its end.
    let progress = ProgressBar::new(settings.len() as u64 * arguments.seeds);
    let mut outcomes = Vec::new();
    for setting in &settings {
        for seed in 0..arguments.seeds {
            let mut model = MlpConfig::new(vec![64, 64, 10]).init_seeded(seed, &device)?;
            let mut optimiser = SgdConfig::new().init();
            for epoch in 0..setting.epochs {
                for indices in epoch_order(seed, epoch, data.len()).chunks(setting.batch_size) {
                    let batch = batch(&data, indices, &device).into_pair();
                    let gradients = loss(&model, &batch).backward();
                    let gradients = GradientsParams::from_grads(gradients, &model);
                    model = optimiser.step(learning_rate, model, gradients);
                }
            }
            outcomes.push(measure(&model, &risk, &validation)?);
            progress.inc(1);
        }
    }
    progress.finish_and_clear();

    // A table over the seeds, and a picture of the first one.
    let names = settings.map(|setting| setting.name);
    println!("{}", report::table(&names, &outcomes));
    println!("{}", report::picture(&names, &outcomes)?);
    Ok(())
}
