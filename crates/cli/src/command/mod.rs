//! The subcommands, one file each.

mod compare;
mod list;
mod measure;
mod run;
mod train;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::config::Workspace;
use crate::interrupt::Interrupt;

/// What every subcommand takes.
#[derive(Args)]
pub(crate) struct Context {
    /// The file with data sets and runs
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        default_value = "workspace.toml"
    )]
    pub(crate) workspace: PathBuf,
    /// Write one JSON document to standard output, for machines; progress stays on standard error
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

impl Context {
    /// The workspace file, read and checked.
    ///
    /// # Errors
    ///
    /// A usage error that says what is wrong and where.
    pub(crate) fn read_workspace(&self) -> anyhow::Result<Workspace> {
        Workspace::read(&self.workspace)
    }
}

/// The subcommands.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Show the runs and data sets of workspace.toml
    #[command(after_help = list::EXAMPLE)]
    List,
    /// Carry out a run of workspace.toml
    #[command(after_help = run::EXAMPLE, allow_negative_numbers = true)]
    Run(run::Arguments),
    /// Train once, with workspace.toml's [defaults] and flags over them
    #[command(after_help = train::EXAMPLE, allow_negative_numbers = true)]
    Train(train::Arguments),
    /// Measure a checkpoint of a run, or the line from it to another run
    #[command(after_help = measure::EXAMPLE, allow_negative_numbers = true)]
    Measure(measure::Arguments),
    /// Show finished runs side by side
    #[command(after_help = compare::EXAMPLE)]
    Compare(compare::Arguments),
}

impl Command {
    /// Carries the command out; the exit code.
    ///
    /// # Errors
    ///
    /// A sentence for the user; [`crate::failure`] knows its exit code.
    pub(crate) fn carry_out(self, context: &Context, interrupt: &Interrupt) -> anyhow::Result<u8> {
        match self {
            Self::List => list::carry_out(context),
            Self::Run(arguments) => run::carry_out(&arguments, context, interrupt),
            Self::Train(arguments) => train::carry_out(&arguments, context, interrupt),
            Self::Measure(arguments) => measure::carry_out(&arguments, context, interrupt),
            Self::Compare(arguments) => compare::carry_out(&arguments, context),
        }
    }
}
