//! `landscape critical RUN..`: whether the weights are a minimum, a saddle, or no critical point at
//! all, with the evidence.

use clap::Args;

use super::analysis::Task;
use super::context::Context;
use super::points::Points;
use crate::config::bounded::{Bounded, Count, Share};
use crate::config::limits;
use crate::engine::analysis::{Analysis, CriticalSettings};
use crate::engine::measure_dir::Kind;
use crate::engine::source::Source;
use crate::interrupt::Interrupt;

pub(super) const EXAMPLE: &str = "Example:
  landscape critical runs/quickstart/sgd
  landscape critical runs/quickstart --gradient-tolerance 1e-3
  landscape critical runs/quickstart/sgd --step all --starts 20

The verdict is one of local minimum, local maximum, saddle, degenerate, not critical
(the gradient is not small) and undecided (the evidence does not reach). Where the
Hessian has a negative eigenvalue, a step along its vector checks that the loss falls.";

const KIND: Kind = Kind {
    file: "critical.json",
    schema: "landscape-critical/1",
    name: "a verdict on a point",
};

const LEGEND: [&str; 1] = [
    "Index: number of negative eigenvalues. After ± is the error: of an eigenvalue its residual, of an estimate one standard error.",
];

const WHAT: &str = "Settings of the verdict";

/// The arguments of the command.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    points: Points,

    /// Norm up to which a gradient is small, over that of the Hessian times the length of the
    /// weights
    #[arg(long, value_name = "X", default_value = "1e-6", help_heading = WHAT)]
    gradient_tolerance: Bounded<Share>,
    /// Parameters up to which all eigenvalues are computed
    #[arg(long, value_name = "N", default_value = "1000", help_heading = WHAT)]
    dense_limit: Count<{ limits::DENSE }>,
    /// Above it: start vectors for the index
    #[arg(long, value_name = "N", default_value = "10", help_heading = WHAT)]
    starts: Count<{ limits::DENSITY_STARTS }>,
    /// Above it: Lanczos steps from each of them
    #[arg(long, value_name = "N", default_value = "50", help_heading = WHAT)]
    steps: Count<{ limits::LANCZOS_STEPS }>,
    /// Take no step along the escape direction
    #[arg(long, help_heading = WHAT)]
    no_escape: bool,
}

impl Arguments {
    fn settings(&self, seed: u64) -> CriticalSettings {
        CriticalSettings {
            gradient_tolerance: self.gradient_tolerance.get(),
            dense_limit: self.dense_limit.get(),
            starts: self.starts.get(),
            steps: self.steps.get(),
            escape: !self.no_escape,
            seed,
        }
    }
}

/// Finds the verdicts, prints the table, and writes the document.
///
/// # Errors
/// A sentence for the user.
pub(super) fn carry_out(
    arguments: &Arguments,
    context: &Context,
    source: &dyn Source,
    interrupt: &Interrupt,
) -> anyhow::Result<u8> {
    let gathered = arguments.points.gather("critical", context, source)?;
    Task {
        analysis: &Analysis::Critical(arguments.settings(gathered.seed)),
        gathered: &gathered,
        kind: KIND,
        title: "Kind of the point".to_owned(),
        matrix: "Hessian",
        legend: &LEGEND,
        overwrite: arguments.points.overwrite,
        json: context.json,
        interrupt,
    }
    .carry_out()
}
