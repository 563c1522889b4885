//! The program `landscape`: trains, measures and compares, driven by workspace.toml.

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::landscape()
}
