//! The program `landscape`: trains, measures and compares, driven by workspace.toml.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program prints; the libraries do not"
)]

mod command;
mod config;
mod engine;
mod failure;
mod interrupt;
mod report;

use std::process::ExitCode;

use clap::Parser;
use command::{Command, Context};
use interrupt::Interrupt;
use report::paint::Paint;

/// Trains small networks on real data and shows how sharp their minima are.
#[derive(Parser)]
#[command(name = "landscape", version, after_help = EXAMPLE, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    context: Context,
}

const EXAMPLE: &str =
    "Example:\n  landscape run quickstart\n  tensorboard --logdir runs/quickstart";

fn main() -> ExitCode {
    let Cli { command, context } = Cli::parse();
    let outcome =
        Interrupt::install().and_then(|interrupt| command.carry_out(&context, &interrupt));
    ExitCode::from(outcome.unwrap_or_else(|error| {
        let code = failure::exit_code(&error);
        if context.json {
            let report =
                serde_json::json!({"error": {"code": code, "message": format!("{error:#}")}});
            println!("{report}");
        }
        eprintln!("{} {error:#}", Paint::stderr().alarm("error:"));
        code
    }))
}
