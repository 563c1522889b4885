//! `landscape connect RUN RUN..`: lines and trained curves between models, and the barriers on
//! them.

use clap::Args;

use super::context::Context;
use super::paths::Course;
use super::points::Points;
use super::slices::Shown;
use crate::config::bounded::{AtLeastOne, Bounded, Count, Positive};
use crate::config::limits;
use crate::config::slice_choice::{PathKind, Split, Statistics};
use crate::engine::measure_dir::Kind;
use crate::engine::slices::PathSettings;
use crate::engine::source::Source;
use crate::failure::usage;
use crate::interrupt::Interrupt;

pub(super) const EXAMPLE: &str = "Example:
  landscape connect runs/quickstart/sgd runs/quickstart/sam
  landscape connect runs/quickstart/sgd runs/quickstart/sam --path line,bezier,chain
  landscape connect runs/seeds --path line --align
  landscape connect runs/mine --step 0,34 --path line --no-plane

The barrier is how far the loss rises above the straight line between the losses of
the ends. A path is connected where the loss never exceeds --threshold times that of
the worse end. Several models give the matrix of the barriers of all pairs, and the
loss of the average of their weights.";

const KIND: Kind = Kind {
    file: "connect.json",
    schema: "landscape-connect/1",
    name: "connected runs",
};

const PATHS: &str = "Paths";

/// The arguments of the command.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    points_of: Points,
    #[command(flatten)]
    shown: Shown,

    /// Paths, with commas between them: line, bezier (one bend), chain (several)
    #[arg(long, value_enum, value_name = "PATH,..", value_delimiter = ',', hide_possible_values = true, default_value = "line,bezier", help_heading = PATHS)]
    path: Vec<PathKind>,
    /// Bends of a chain
    #[arg(long, value_name = "N", default_value = "3", help_heading = PATHS)]
    bends: Count<{ limits::BENDS }>,
    /// Passes over the training data that train the bends
    #[arg(long, value_name = "N", default_value = "30", help_heading = PATHS)]
    epochs: Count<{ limits::EPOCHS }>,
    /// Learning rate of Adam for the bends
    #[arg(long, value_name = "X", default_value = "0.01", help_heading = PATHS)]
    learning_rate: Bounded<Positive>,
    /// Examples of a step
    #[arg(long, value_name = "N", default_value = "128", help_heading = PATHS)]
    batch_size: Count,
    /// Permute the units of the second model to be near those of the first, for one more line
    #[arg(long, help_heading = PATHS)]
    align: bool,
    /// Points at which a path is measured
    #[arg(long, value_name = "N", default_value = "41", help_heading = PATHS)]
    points: Count<{ limits::GRID }>,
    /// Loss of a connected path over that of its worse end, at most
    #[arg(long, value_name = "X", default_value = "1.1", help_heading = PATHS)]
    threshold: Bounded<AtLeastOne>,
    /// Running statistics of BatchNorm on the way: recompute (at each point, from the sample of
    /// the training data), interpolate or keep
    #[arg(long, value_enum, value_name = "HOW", hide_possible_values = true, default_value_t = Statistics::Recompute, help_heading = PATHS)]
    statistics: Statistics,
    /// Points along each side of the plane through both models and the bend of a Bezier curve
    #[arg(long, value_name = "N", default_value = "25", help_heading = PATHS)]
    plane: Count<{ limits::GRID }>,
    /// Draw no such plane
    #[arg(long, conflicts_with = "plane", help_heading = PATHS)]
    no_plane: bool,
}

/// Trains and measures the paths, prints the tables, and writes document, pictures and numbers.
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
        points_of, shown, ..
    } = arguments;
    if arguments.points.get() < 3 {
        return Err(usage(format!(
            "--points: {} points show no barrier; allowed: 3 to {}",
            arguments.points.get(),
            limits::GRID
        )));
    }
    let gathered = points_of.gather("connect", context, source)?;
    let count = gathered.points.len();
    if count < 2 {
        return Err(usage(
            "a path has two ends, and there is one model; give two runs, or two steps of one: --step 0,34",
        ));
    }
    let all = [PathKind::Line, PathKind::Bezier, PathKind::Chain];
    let paths = all.into_iter().filter(|kind| arguments.path.contains(kind));
    let settings = PathSettings {
        paths: paths.collect(),
        bends: arguments.bends.get(),
        epochs: arguments.epochs.get(),
        batch_size: arguments.batch_size.get(),
        learning_rate: arguments.learning_rate.get(),
        align: arguments.align,
        statistics: arguments.statistics,
        splits: shown.splits(&[Split::Training, Split::Validation]),
        accuracy: shown.accuracy(),
        points: arguments.points.get(),
        threshold: arguments.threshold.get(),
        seed: gathered.seed,
    };
    Course {
        kind: KIND,
        gathered: &gathered,
        settings: &settings,
        shown,
        plane: (!arguments.no_plane).then(|| arguments.plane.get()),
        overwrite: points_of.overwrite,
        json: context.json,
        interrupt,
    }
    .carry_out()
}
