//! Networks of 20 layers on UCI digits: what residual connections, BatchNorm and width do to the
//! surface of the loss around the trained weights.
#![allow(clippy::print_stdout, reason = "a program")]

mod report;

use anyhow::Result;
use architectures::{Architecture, Plan, comparisons, outcome};
use burn::tensor::Device;
use clap::Parser;
use datasets::{Digits, SplitConfig};
use indicatif::ProgressBar;

/// Trains plain and residual networks, with and without BatchNorm, narrow and wide, and compares
/// their surfaces.
#[derive(Parser)]
struct Arguments {
    /// Trainings of each network, with initial weights and orders of seeds 0, 1, ...
    #[arg(long, default_value_t = 3)]
    seeds: u64,
    /// Two epochs, and coarse surfaces.
    #[arg(long)]
    small: bool,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let device = Device::flex().autodiff();

    // One division of the data for all, so that the seeds differ in weights and orders alone.
    let split = Digits::load()?.split(&SplitConfig::new())?;
    let plan = Plan::new(arguments.small);

    // The same training and the same plane for all networks.
    let architectures = Architecture::all(&[8, 16]);
    let progress = ProgressBar::new(architectures.len() as u64 * arguments.seeds);
    let mut found = Vec::new();
    for &architecture in &architectures {
        let mut outcomes = Vec::new();
        for seed in 0..arguments.seeds {
            outcomes.push(outcome(architecture, seed, &split, plan, &device)?);
            progress.inc(1);
        }

        found.push((architecture, outcomes));
    }
    progress.finish_and_clear();

    // A table over the seeds, and pictures of the first one.
    println!("{}", report::table(&comparisons(&found)));
    for path in report::pictures(&found)? {
        println!("{path}");
    }
    Ok(())
}
