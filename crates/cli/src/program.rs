//! The program from its command line to its exit code.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use crate::command::Cli;
use crate::failure::{self, SUCCESS, USAGE};
use crate::interrupt::Interrupt;
use crate::report::output::{print, printable, say, unless_closed};
use crate::report::paint::Paint;

/// The program `landscape`, with the bundled networks and data sets.
pub fn landscape() -> ExitCode {
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
