//! Six trainings made to fail, each diagnosed from its records and repaired by a remedy of the
//! diagnosis.
#![allow(clippy::print_stdout, reason = "a program")]

mod data;
mod failure;
mod network;
mod report;
mod setting;
mod training;

use anyhow::Result;
use clap::Parser;
use data::Data;
use failure::FAILURES;
use indicatif::ProgressBar;
use training::train;

/// Trains six networks that fail, and each again with the first remedy of its first finding.
#[derive(Parser)]
struct Arguments {
    /// Trainings of each failure, with the random numbers of seeds 0, 1, ...
    #[arg(long, default_value_t = 3)]
    seeds: u64,
    /// A fifth of the examples.
    #[arg(long)]
    small: bool,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let data = Data::load(if arguments.small { 100 } else { 500 })?;
    let progress = ProgressBar::new(FAILURES.len() as u64 * arguments.seeds);
    let mut found = Vec::new();
    for failure in &FAILURES {
        let mut pairs = Vec::new();
        for seed in 0..arguments.seeds {
            let setting = (failure.setting)();
            let before = train(&setting, seed, &data)?;
            // The remedies of the first finding, the most promising first, and of those the first
            // that this program can carry out.
            let finding = before.diagnosis.above_note().next();
            let remedies = finding.iter().flat_map(|finding| &finding.remedies);
            let repaired = remedies
                .filter_map(|remedy| Some((*remedy, setting.with(remedy)?)))
                .next();
            let after = match &repaired {
                Some((_, setting)) => Some(train(setting, seed, &data)?),
                None => None,
            };
            let remedy = repaired.map(|(remedy, _)| remedy);
            pairs.push(report::Pair {
                before,
                remedy,
                after,
            });
            progress.inc(1);
        }
        found.push(pairs);
    }
    progress.finish_and_clear();

    // All that the diagnosis of the first seed says, then the figures over the seeds.
    for (failure, pairs) in FAILURES.iter().zip(&found) {
        println!("# {}\n\n{}\n", failure.name, pairs[0].before.diagnosis);
    }
    println!("{}", report::table(&found));
    println!("{}", report::picture(&found)?);
    Ok(())
}
