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
use probes::diagnosis::{Diagnosis, Facts};
use training::{Run, train};

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
        let setting = (failure.setting)();
        let mut runs = Vec::new();
        for seed in 0..arguments.seeds {
            runs.push(train(&setting, seed, &data)?);
        }
        if failure.together {
            let facts: Vec<Facts> = runs.iter().map(Run::facts).collect();
            let all = Diagnosis::of_runs(&facts);
            for run in &mut runs {
                run.diagnosis = all.clone();
            }
        }
        let mut pairs = Vec::new();
        for (seed, before) in (0..).zip(runs) {
            // The remedies of the first finding, the most promising first, and of those the first
            // that this program can carry out.
            let finding = before.diagnosis.above_note().next();
            let mut remedies = finding.iter().flat_map(|finding| &finding.remedies);
            let repaired = remedies.find_map(|remedy| Some((*remedy, setting.with(remedy)?)));
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
