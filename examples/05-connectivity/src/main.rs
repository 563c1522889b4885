//! Two networks trained from different seeds: the line between them crosses a barrier, a curve that
//! is trained goes around it, and renumbering the hidden units of one lowers it.
#![allow(clippy::print_stdout, reason = "a program")]

mod report;

use anyhow::Result;
use burn::tensor::Device;
use clap::Parser;
use connectivity::{Data, distance_of_copy, paths, train};
use datasets::{Digits, SplitConfig};
use indicatif::ProgressBar;

/// Trains pairs of networks, and measures the paths between the two of each.
#[derive(Parser)]
struct Arguments {
    /// Pairs of networks, from the seeds 0 and 1, 2 and 3, ...
    #[arg(long, default_value_t = 3)]
    seeds: u64,
    /// Narrower networks, a tenth of the epochs and of the steps.
    #[arg(long)]
    small: bool,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let (width, epochs, steps) = if arguments.small {
        (64, 3, 100)
    } else {
        (512, 30, 1000)
    };
    let device = Device::flex().autodiff();
    let split = Digits::load()?.split(&SplitConfig::new())?;
    let data = Data::of(&split, &device)?;

    let progress = ProgressBar::new(arguments.seeds);
    let mut pairs = Vec::new();
    let mut networks = Vec::new();
    for pair in 0..arguments.seeds {
        // Initial weights and orders differ, the data are the same.
        let [a, b] = [2 * pair, 2 * pair + 1];
        let a = train(width, &split.train, epochs, a, &device)?;
        let b = train(width, &split.train, epochs, b, &device)?;

        // The line, the trained curve, and the line to the second network with its units
        // renumbered: loss and accuracy along each, on training and test images.
        pairs.push(paths(&a, &b, &data, steps)?);
        networks.push([a, b]);
        progress.inc(1);
    }
    progress.finish_and_clear();
    println!("{}", report::table(&pairs));

    // Of a copy with its units in another order, the order is found exactly.
    for (number, [a, _]) in networks.iter().enumerate() {
        let [before, after] = distance_of_copy(a, &data, 7)?;
        println!("{number} a renumbered copy: squared distance {before:.1}, aligned {after}");
    }
    for file in report::pictures(&networks[0], &pairs[0], &data)? {
        println!("{file}");
    }
    Ok(())
}
