//! `landscape train`: one training, or one for each of several seeds, from workspace.toml's defaults, with flags over them.

use clap::Args;

use super::Context;
use super::run::ExistingFlags;
use crate::config::Settings;
use crate::engine::session::Session;
use crate::interrupt::Interrupt;

pub(super) const EXAMPLE: &str = "Example:\n  landscape train --dataset digits --model mlp --hidden 128,64 --method sam --rho 0.1 --output runs/wide";

/// What the command takes.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    existing: ExistingFlags,
    #[command(flatten)]
    settings: Settings,
}

/// Trains, and prints the figures.
///
/// # Errors
///
/// A sentence for the user.
pub(super) fn carry_out(
    arguments: &Arguments,
    context: &Context,
    interrupt: &Interrupt,
) -> anyhow::Result<u8> {
    let workspace = context.read_workspace()?;
    let trainings = workspace.trainings_from_flags(&arguments.settings)?;
    Session::new(&workspace, trainings, arguments.existing.existing())?
        .carry_out(context, interrupt)
}
