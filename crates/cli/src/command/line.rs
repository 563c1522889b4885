//! `landscape line RUN..`: the loss and the accuracy along a direction, of several models in one
//! frame.

use clap::Args;

use super::context::Context;
use super::points::Points;
use super::slices::{Course, Shown, Slicing, line};
use crate::config::bounded::Count;
use crate::config::limits;
use crate::config::slice_choice::Split;
use crate::engine::measure_dir::Kind;
use crate::engine::slices::SliceSettings;
use crate::engine::source::Source;
use crate::failure::usage;
use crate::interrupt::Interrupt;

pub(super) const EXAMPLE: &str = "Example:
  landscape line runs/quickstart/sgd
  landscape line runs/quickstart --splits training,test --adapt 20
  landscape line runs/quickstart --directions eigenvectors --range 0.5
  landscape line runs/quickstart/sgd runs/quickstart/sam --through

Several models come into one frame. After Ctrl-C or a kill the same command goes on
where it stopped.";

const KIND: Kind = Kind {
    file: "line.json",
    schema: "landscape-line/1",
    name: "a line",
};

/// The arguments of the command.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    points_of: Points,
    #[command(flatten)]
    slicing: Slicing,
    #[command(flatten)]
    shown: Shown,

    /// Points of the line
    #[arg(
        long,
        value_name = "N",
        default_value = "41",
        help_heading = "Points of the line"
    )]
    points: Count<{ limits::GRID }>,
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
        points_of,
        slicing,
        shown,
        ..
    } = arguments;
    let points = arguments.points.get();
    if points < 2 {
        return Err(usage(format!(
            "--points: {points} point is no line; allowed: 2 to {}",
            limits::GRID
        )));
    }
    let gathered = points_of.gather("line", context, source)?;
    slicing.check(gathered.points.len(), 1)?;
    let settings = SliceSettings {
        place: slicing.place(false, gathered.seed),
        splits: shown.splits(&[Split::Training, Split::Validation]),
        accuracy: shown.accuracy(),
        reach: slicing.reach(points),
        adapt: slicing.adapt(),
        points: vec![points],
        refine: None,
    };
    Course {
        kind: KIND,
        gathered: &gathered,
        settings: &settings,
        shown,
        overwrite: points_of.overwrite,
        json: context.json,
        interrupt,
    }
    .carry_out(&line::Lines)
}
