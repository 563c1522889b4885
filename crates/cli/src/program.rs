//! The program from its command line to its exit code.

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use clap::FromArgMatches;

use crate::bundled::Bundled;
use crate::command::Cli;
use crate::engine::source::{Own, Source};
use crate::failure::{self, SUCCESS, USAGE};
use crate::interrupt::Interrupt;
use crate::panic_hook;
use crate::report::output::{print, printable, say, unless_closed};
use crate::report::paint::Paint;
use crate::workload::Workload;

/// Runs the program with a workload of one's own: reads the command line, carries the command out,
/// returns the exit code.
///
/// `train` needs no workspace.toml; with one it takes `[defaults]` from there, and `run` carries
/// out its runs. The settings `dataset`, `model`, `hidden` and `activation`, which choose a bundled
/// network, are refused.
pub fn main(workload: impl Workload) -> ExitCode {
    run(&Own::new(workload))
}

/// Runs the program `landscape`, with the bundled networks and data sets.
pub fn landscape() -> ExitCode {
    run(&Bundled::default())
}

fn run(source: &dyn Source) -> ExitCode {
    panic_hook::install();
    let code = match parse(source, std::env::args_os()) {
        Ok(Cli { command, context }) => Interrupt::install()
            .and_then(|interrupt| command.carry_out(&context, source, &interrupt))
            .unwrap_or_else(|error| tell(&error, context.json)),
        Err(stopped) => answer(source, &stopped),
    };
    ExitCode::from(code)
}

fn parse<T: Into<OsString> + Clone>(
    source: &dyn Source,
    arguments: impl Iterator<Item = T>,
) -> Result<Cli, clap::Error> {
    let mut command = Cli::of(source);
    let matches = command.try_get_matches_from_mut(arguments)?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

/// Says what went wrong. Returns the exit code.
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

/// Prints the document for an error. That it cannot be written changes nothing: the error is told
/// on standard error too.
fn report_as_json(code: u8, message: &str) {
    let report = serde_json::json!({"error": {"code": code, "message": message}});
    let _ = print(&report.to_string());
}

/// Prints what clap has to say: help and version on standard output, a mistake on standard error.
/// Returns the exit code.
fn answer(source: &dyn Source, stopped: &clap::Error) -> u8 {
    if !stopped.use_stderr() {
        let written = stopped.print().and_then(|()| std::io::stdout().flush());
        return unless_closed(written).map_or_else(|error| tell(&error, false), |()| SUCCESS);
    }
    // Clap repeats arguments as they are, so it is asked about them as they may be shown.
    let shown =
        std::env::args_os().map(|argument| printable(&argument.to_string_lossy()).into_owned());
    let shown = parse(source, shown).err();
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
