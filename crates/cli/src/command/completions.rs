//! `landscape completions SHELL`: the script with which a shell completes commands and flags.

use clap::Args;
use clap_complete::{Shell, generate};

use crate::failure::SUCCESS;
use crate::report::output::print;
use crate::report::program;

pub(super) const EXAMPLE: &str = "Example:
  landscape completions bash > ~/.local/share/bash-completion/completions/landscape
  landscape completions zsh > ~/.zfunc/_landscape     # with ~/.zfunc in fpath
  landscape completions fish > ~/.config/fish/completions/landscape.fish";

/// The arguments of the command.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the script.
///
/// # Errors
/// When it cannot be printed.
pub(super) fn carry_out(arguments: &Arguments, mut program: clap::Command) -> anyhow::Result<u8> {
    let mut script = Vec::new();
    let name = program::name();
    generate(arguments.shell, &mut program, &name, &mut script);
    print(String::from_utf8_lossy(&script).trim_end())?;
    Ok(SUCCESS)
}
