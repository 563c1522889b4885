//! `landscape surface RUN..`: the loss and the accuracy on a plane, of one model or of several on
//! one scale.

use clap::Args;

use super::context::Context;
use super::points::Points;
use super::slices::{Course, Shown, Slicing, surface};
use crate::config::bounded::{Bounded, Percent};
use crate::config::reach::Mesh;
use crate::config::slice_choice::Split;
use crate::engine::measure_dir::Kind;
use crate::engine::slices::SliceSettings;
use crate::engine::source::Source;
use crate::interrupt::Interrupt;

pub(super) const EXAMPLE: &str = "Example:
  landscape surface runs/quickstart/sgd
  landscape surface runs/quickstart --grid 51 --adapt 10
  landscape surface runs/quickstart/sgd --directions eigenvectors --refine 1
  landscape surface runs/mine --step 0,17,34 --through
  landscape surface --torch mlp.safetensors --dataset digits --hidden 64,32

Several models come into one picture with one scale, beside that of each. After
Ctrl-C or a kill the same command goes on where it stopped. Biases and norm layers
are at rest in random directions unless --vectors copy moves them.";

const KIND: Kind = Kind {
    file: "surface.json",
    schema: "landscape-surface/1",
    name: "a surface",
};

const WHAT: &str = "Points of the plane";

/// The arguments of the command.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    points: Points,
    #[command(flatten)]
    slicing: Slicing,
    #[command(flatten)]
    shown: Shown,

    /// Make the second direction orthogonal to the first
    #[arg(long, conflicts_with = "through", help_heading = WHAT)]
    orthogonal: bool,
    /// Points along each side
    #[arg(long, value_name = "N|NxM", default_value = "31", help_heading = WHAT)]
    grid: Mesh,
    /// Compute only points that the pictures need, to PERCENT of the range of their values; the
    /// others of the grid are interpolated. Losses only
    #[arg(long, value_name = "PERCENT", help_heading = WHAT)]
    refine: Option<Bounded<Percent>>,
}

/// Measures, prints the table, and writes document, pictures and numbers.
///
/// # Errors
/// A sentence for the user.
pub(super) fn carry_out(
    arguments: &Arguments,
    context: &Context,
    source: &dyn Source,
    interrupt: &Interrupt,
) -> anyhow::Result<u8> {
    let Arguments {
        points,
        slicing,
        shown,
        ..
    } = arguments;
    let gathered = points.gather("surface", context, source)?;
    slicing.check(gathered.points.len(), 2)?;
    let settings = SliceSettings {
        place: slicing.place(arguments.orthogonal, gathered.seed),
        splits: shown.splits(&[Split::Training]),
        // Accuracy has steps, which no interpolation meets.
        accuracy: shown.accuracy() && arguments.refine.is_none(),
        reach: slicing.reach(arguments.grid.0[0]),
        adapt: slicing.adapt(),
        points: arguments.grid.0.to_vec(),
        refine: arguments.refine.map(|percent| percent.get() / 100.0),
    };
    Course {
        kind: KIND,
        gathered: &gathered,
        settings: &settings,
        shown,
        overwrite: points.overwrite,
        json: context.json,
        interrupt,
    }
    .carry_out(&surface::Surfaces)
}
