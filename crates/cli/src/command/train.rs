//! `landscape train`: one training, or one for each of several seeds, from workspace.toml's
//! defaults, with flags over them.

use clap::Args;

use super::context::Context;
use super::run::ExistingFlags;
use super::session::Session;
use crate::config::Settings;
use crate::engine::source::Source;
use crate::interrupt::Interrupt;

pub(super) const EXAMPLE: &str = "Example:\n  landscape train --dataset digits --model mlp --hidden 128,64 --method sam --rho 0.1 --output runs/wide\n  landscape train --epochs 3 --no-probes --dry-run";

/// The same for a workload of its own.
pub(super) const OWN_EXAMPLE: &str = "Example:\n  landscape train --method sam --rho 0.1 --output runs/sam\n  landscape train --epochs 3 --no-probes --dry-run\n\nTopics: landscape help probes, landscape help methods";

/// The same below the short help, with where to find the rest.
pub(super) const EXAMPLE_AND_MORE: &str = "Example:\n  landscape train --hidden 128,64 --method sam --rho 0.1 --output runs/wide\n\nMore flags: landscape train --help, landscape help probes, landscape help methods";

/// The arguments of the command.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    existing: ExistingFlags,
    /// Say what it would take (steps, probes, disk, time) and write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    settings: Settings,
}

/// Trains, and prints the figures.
///
/// # Errors
/// A sentence for the user.
pub(super) fn carry_out(
    arguments: &Arguments,
    context: &Context,
    source: &dyn Source,
    interrupt: &Interrupt,
) -> anyhow::Result<u8> {
    let workspace = context.read_workspace_or_built_in(source.own())?;
    let trainings = workspace.trainings_from_flags(&arguments.settings)?;
    let session = Session::new(&workspace, source, trainings, arguments.existing.existing())?;
    if arguments.dry_run {
        return session.estimate(context);
    }
    session.carry_out(context, interrupt)
}
