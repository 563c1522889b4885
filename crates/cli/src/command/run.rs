//! `landscape run NAME`: carries out a run of workspace.toml.

use clap::Args;

use super::context::Context;
use super::session::Session;
use crate::config::Settings;
use crate::engine::run_dir::Existing;
use crate::engine::source::Source;
use crate::interrupt::Interrupt;

pub(super) const EXAMPLE: &str = "Example:\n  landscape run quickstart\n  landscape run mnist-cnn-sam --rho 0.1 --output runs/wider\n  landscape run quickstart --resume\n  landscape run quickstart --dry-run";

/// The same below the short help, with where to find the rest.
pub(super) const EXAMPLE_AND_MORE: &str = "Example:\n  landscape run quickstart\n  landscape run quickstart --resume\n\nMore flags: landscape run --help, landscape help probes, landscape help methods";

/// The arguments of the command.
#[derive(Args)]
pub(crate) struct Arguments {
    /// The run, one of workspace.toml's [runs.NAME]
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    existing: ExistingFlags,
    /// Say what it would take (steps, probes, disk, time) and write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    settings: Settings,
}

/// The flags for a run that is there already.
#[derive(Args)]
pub(super) struct ExistingFlags {
    /// Go on with an unfinished run in the output directory
    #[arg(long, conflicts_with = "overwrite")]
    resume: bool,
    /// Remove an earlier run from the output directory first
    #[arg(long)]
    overwrite: bool,
}

impl ExistingFlags {
    pub(super) const fn existing(&self) -> Existing {
        match (self.resume, self.overwrite) {
            (true, _) => Existing::Resume,
            (_, true) => Existing::Overwrite,
            _ => Existing::Keep,
        }
    }
}

/// Carries out all trainings of the run, and prints their figures side by side.
///
/// # Errors
/// A sentence for the user.
pub(super) fn carry_out(
    arguments: &Arguments,
    context: &Context,
    source: &dyn Source,
    interrupt: &Interrupt,
) -> anyhow::Result<u8> {
    let workspace = context.read_workspace(source.own())?;
    let trainings = workspace.trainings(&arguments.name, &arguments.settings)?;
    let session = Session::new(&workspace, source, trainings, arguments.existing.existing())?;
    if arguments.dry_run {
        return session.estimate(context);
    }
    session.carry_out(context, interrupt)
}
