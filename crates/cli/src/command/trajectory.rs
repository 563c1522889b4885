//! `landscape trajectory RUN`: the path of a training through parameter space, over the loss.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use landscape::trajectory::Centre;

use super::context::Context;
use super::devices::DeviceFlags;
use super::points::{Steps, the_run};
use super::slices::Shown;
use super::traces::Course;
use crate::config::bounded::{Bounded, Count, NonNegative};
use crate::config::choice::DeviceKind;
use crate::config::reach::Mesh;
use crate::config::settings::device_help;
use crate::config::slice_choice::Split;
use crate::engine::measure_dir::Kind;
use crate::engine::source::Source;
use crate::interrupt::Interrupt;

pub(super) const EXAMPLE: &str = "Example:
  landscape train --keep all --checkpoint-every 20 --output runs/mine
  landscape trajectory runs/mine
  landscape trajectory runs/mine --step 0,100,200,300 --grid 51 --centre mean
  landscape trajectory runs/mine --splits training,test --theme dark

A run keeps its last two checkpoints unless --keep all keeps every one; three make a
plane. After Ctrl-C or a kill the same command goes on where it stopped.";

const KIND: Kind = Kind {
    file: "trajectory.json",
    schema: "landscape-trajectory/1",
    name: "a trajectory",
};

const HOW: &str = "The plane";

/// The arguments of the command.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Directory of the run; a bare NAME is looked up in runs/ too
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Checkpoints: steps with commas between them, or `all`
    #[arg(long, value_name = "N,N|all", default_value = "all")]
    step: Steps,
    /// Training examples of the sample (otherwise the run's); a smaller one is the beginning of a
    /// larger one
    #[arg(long, value_name = "N")]
    examples: Option<Count>,
    /// Device
    #[arg(long, value_enum, hide_possible_values = true, help = device_help())]
    device: Option<DeviceKind>,
    #[command(flatten)]
    several: DeviceFlags,
    /// Folder for document, pictures and numbers (otherwise RUN/trajectory)
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Replace what the command found earlier in that folder
    #[arg(long)]
    overwrite: bool,
    #[command(flatten)]
    shown: Shown,

    /// Centre of the deviations whose principal components span the plane: last or mean
    #[arg(long, value_enum, value_name = "last|mean", hide_possible_values = true, default_value_t = AtCentre::Last, help_heading = HOW)]
    centre: AtCentre,
    /// Points along each side
    #[arg(long, value_name = "N|NxM", default_value = "31", help_heading = HOW)]
    grid: Mesh,
    /// Margin around the trajectory, over its extent
    #[arg(long, value_name = "X", default_value = "0.25", help_heading = HOW)]
    margin: Bounded<NonNegative>,
}

/// The centre of the deviations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum AtCentre {
    /// The last checkpoint
    Last,
    /// The mean of all
    Mean,
}

/// Finds the plane, measures, prints the tables, and writes document, pictures and numbers.
///
/// # Errors
/// A sentence for the user.
pub(super) fn carry_out(
    arguments: &Arguments,
    context: &Context,
    source: &dyn Source,
    interrupt: &Interrupt,
) -> anyhow::Result<u8> {
    let run = the_run(&arguments.run, &arguments.step)?;
    let spread = arguments.several.connect()?;
    Course {
        kind: KIND,
        output: arguments
            .output
            .clone()
            .unwrap_or_else(|| run.directory.join("trajectory")),
        run: &run,
        examples: arguments.examples.map(Count::get),
        device: arguments.device,
        spread: spread.as_ref(),
        centre: match arguments.centre {
            AtCentre::Last => Centre::Last,
            AtCentre::Mean => Centre::Mean,
        },
        splits: arguments.shown.splits(&[Split::Training]),
        grid: arguments.grid.0,
        margin: arguments.margin.get(),
        shown: &arguments.shown,
        overwrite: arguments.overwrite,
        json: context.json,
        interrupt,
        source,
    }
    .carry_out()
}
