//! Named experiments that are too long for the test suite: each writes its table as JSON and
//! markdown.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program")]

mod analyze;
mod architectures;
mod budget;
mod composition;
mod connectivity;
mod cost;
mod diagnosis;
mod differences;
mod divergence;
mod edge;
mod effect;
mod eigenspace;
mod estimators;
mod explicit_matrix;
mod filter_normalization;
mod large;
mod large_slice;
mod memory;
mod method;
mod moments;
mod refinement;
mod table;
mod training;

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Parser;
use table::Table;

/// Runs named experiments and writes the table of each as JSON and markdown.
#[derive(Parser)]
#[command(after_help = "Example:\n  evidence digits-sgd-sam --output-dir target/evidence")]
struct Arguments {
    /// Experiments to run; all of them if none is named.
    names: Vec<String>,
    /// Shows the experiments and what each asks.
    #[arg(long)]
    list: bool,
    /// A form short enough for continuous integration: fewer seeds, fewer steps.
    #[arg(long)]
    small: bool,
    /// Where `NAME.json` and `NAME.md` go.
    #[arg(long, default_value = "target/evidence")]
    output_dir: PathBuf,
    /// Reruns this case of `composition` by itself.
    #[arg(long)]
    case: Option<u64>,
    /// Looks at so many cases of `composition` from `--case` on.
    #[arg(long, default_value_t = 1, requires = "case")]
    count: u64,
}

/// An experiment: its name, what it asks, and how to answer.
type Experiment = (&'static str, &'static str, fn(bool) -> Result<Table>);

const EXPERIMENTS: [Experiment; 20] = [
    (
        "analyze",
        "How long does an analysis take at each depth, and what does it leave out?",
        analyze::run,
    ),
    (
        "digits-sgd-sam",
        "Do SAM and its relatives find flatter minima than SGD on the digits MLP, and are they better?",
        effect::digits,
    ),
    (
        "mnist-sgd-sam",
        "Do SAM and ASAM find flatter minima than SGD on the MNIST CNN, and are they better?",
        effect::mnist,
    ),
    (
        "sam-cost",
        "What does a step of each sharpness-aware method cost beside a step of SGD?",
        cost::run,
    ),
    (
        "probe-budget",
        "What do probes take of a training under a budget, and what do they find for it?",
        budget::run,
    ),
    (
        "hessian-products",
        "How exact is a Hessian product, exact and by differences, by float type and step?",
        differences::run,
    ),
    (
        "moments",
        "Does quadrature from every coordinate vector give the moments of the Hessian's spectrum?",
        moments::run,
    ),
    (
        "large",
        "What do eigenvalues, trace and density of ten million parameters take in time and memory?",
        large::run,
    ),
    (
        "large-slice",
        "How many vectors do a plane and a trajectory of a million parameters hold?",
        large_slice::run,
    ),
    (
        "edge-of-stability",
        "Does the sharpness of full-batch training stay at the optimiser's threshold once it is there?",
        edge::run,
    ),
    (
        "divergence-warning",
        "Does the stability monitor warn before a training diverges, and stay silent at the edge of stability?",
        divergence::run,
    ),
    (
        "top-eigenspace",
        "Where is the gap in the spectrum of a trained net, and is the space above it Gauss-Newton's?",
        eigenspace::run,
    ),
    (
        "architectures",
        "Do residual connections and BatchNorm flatten the surface of a network of 20 layers?",
        architectures::run,
    ),
    (
        "connectivity",
        "Are trained networks connected by a line, by a trained curve, by a line after alignment?",
        connectivity::run,
    ),
    (
        "filter-normalisation",
        "Do slices depend on the scale of the weights, along raw and filter-normalised directions?",
        filter_normalization::run,
    ),
    (
        "estimators",
        "How large are the errors of Hutchinson's estimator, Hutch++ and XTrace at one number of products?",
        estimators::errors,
    ),
    (
        "estimator-intervals",
        "How often do the intervals of the estimators cover the truth?",
        estimators::intervals,
    ),
    (
        "refinement",
        "How many evaluations does a refined surface take, and does it keep the error it states?",
        refinement::run,
    ),
    (
        "composition",
        "Are there silent wrong numbers? Random models and losses against differences of the value.",
        composition::run,
    ),
    (
        "diagnosis",
        "Does the diagnosis name why a training fails, is it quiet where none does, do its remedies help?",
        diagnosis::run,
    ),
];

fn main() -> Result<()> {
    // Panics that the library answers by itself are no messages.
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !derivatives::in_trial() {
            before(info);
        }
    }));
    let arguments = Arguments::parse();
    if let Some(first) = arguments.case {
        return composition::cases(first..first.saturating_add(arguments.count));
    }
    if arguments.list {
        for (name, question, _) in EXPERIMENTS {
            println!("{name:24} {question}");
        }
        return Ok(());
    }
    let known = EXPERIMENTS.map(|(name, _, _)| name);
    if let Some(unknown) = arguments
        .names
        .iter()
        .find(|name| !known.contains(&name.as_str()))
    {
        bail!(
            "no experiment is called `{unknown}`; there are {}",
            known.join(", ")
        );
    }
    std::fs::create_dir_all(&arguments.output_dir)
        .with_context(|| format!("cannot create {}", arguments.output_dir.display()))?;
    for (name, question, run) in EXPERIMENTS {
        if !arguments.names.is_empty() && !arguments.names.iter().any(|chosen| chosen == name) {
            continue;
        }
        println!("## {name}\n\n{question}\n");
        let table = run(arguments.small).with_context(|| format!("experiment {name}"))?;
        table.check()?;
        table.write(&arguments.output_dir, name, question)?;
        println!("{}", table.markdown());
    }
    Ok(())
}
