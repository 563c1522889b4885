//! The program `landscape`: trains, measures and compares, driven by workspace.toml.

mod command;
mod comparison;
mod config;
mod engine;
mod failure;
mod interrupt;
mod panic_hook;
mod report;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use command::{Command, Context};
use failure::{SUCCESS, USAGE};
use interrupt::Interrupt;
use report::output::{print, printable, say, unless_closed};
use report::paint::Paint;

/// Trains small networks on real data and shows how sharp their minima are.
#[derive(Parser)]
#[command(
    name = "landscape",
    version,
    after_help = EXAMPLE,
    propagate_version = true,
    disable_help_subcommand = true
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    context: Context,
}

const EXAMPLE: &str = "Example:\n  landscape run quickstart\n  tensorboard --logdir runs/quickstart\n\nTopics: landscape help probes, landscape help methods, landscape help files";

fn main() -> ExitCode {
    panic_hook::install();
    let code = match Cli::try_parse() {
        Ok(Cli { command, context }) => Interrupt::install()
            .and_then(|interrupt| command.carry_out(&context, &interrupt))
            .unwrap_or_else(|error| tell(&error, context.json)),
        Err(stopped) => answer(&stopped),
    };
    ExitCode::from(code)
}

/// Says what went wrong; the exit code.
fn tell(error: &anyhow::Error, json: bool) -> u8 {
    let code = failure::exit_code(error);
    if json {
        report_as_json(code, &format!("{error:#}"));
    }
    let message = format!("{error:#}");
    say(&format!(
        "{} {}",
        Paint::stderr().alarm("error:"),
        printable(&message)
    ));
    code
}

/// The document for an error. That it cannot be written changes nothing: the error is told on standard error too.
fn report_as_json(code: u8, message: &str) {
    let report = serde_json::json!({"error": {"code": code, "message": message}});
    let _ = print(&report.to_string());
}

/// What clap has to say: help and version on standard output, a mistake on standard error; the exit code.
fn answer(stopped: &clap::Error) -> u8 {
    if !stopped.use_stderr() {
        let written = stopped.print().and_then(|()| std::io::stdout().flush());
        return unless_closed(written).map_or_else(|error| tell(&error, false), |()| SUCCESS);
    }
    // Clap repeats arguments as they are, so it is asked about them as they may be shown.
    let shown =
        std::env::args_os().map(|argument| printable(&argument.to_string_lossy()).into_owned());
    let shown = Cli::try_parse_from(shown).err();
    let stopped = shown
        .as_ref()
        .filter(|error| error.use_stderr())
        .unwrap_or(stopped);
    if std::env::args_os().any(|argument| argument == "--json") {
        let text = stopped.render().to_string();
        let message = text.trim_end();
        report_as_json(USAGE, message.strip_prefix("error: ").unwrap_or(message));
    }
    let _ = stopped.print();
    USAGE
}
