//! `landscape sharpness RUN..`: how the loss rises around one model, or around several beside each
//! other.

use clap::Args;

use super::analysis::Task;
use super::context::Context;
use super::points::Points;
use crate::config::bounded::{Bounded, Count, Positive};
use crate::config::limits;
use crate::engine::analysis::{Analysis, SharpnessSettings};
use crate::engine::measure_dir::Kind;
use crate::engine::source::Source;
use crate::interrupt::Interrupt;

pub(super) const EXAMPLE: &str = "Example:
  landscape sharpness runs/quickstart/sgd runs/quickstart/sam
  landscape sharpness runs/quickstart --rho 0.1 --directions 200
  landscape sharpness --torch mlp.safetensors --dataset digits --hidden 64,32

In each ball: the rise after the step of SAM, the mean and the largest of random points,
and the largest that projected ascent finds. The table says which numbers the rescaling
of ReLU layers leaves as they are. None of them is claimed to predict generalisation.";

const KIND: Kind = Kind {
    file: "sharpness.json",
    schema: "landscape-sharpness/1",
    name: "a measurement of sharpness",
};

const LEGEND: [&str; 4] = [
    "l2: Euclidean ball of that radius. ASAM: scaled by |w| + 0.01 on matrices. |w|: scaled by |w| on all tensors, as ball, as box and as displacement of standard deviation sigma.",
    "Rise of the loss: step, at SAM's point; mean and worst, of random points; ascent, the largest that was found; average, under random displacements, and to 2nd order.",
    "inv.: whether the rescaling of ReLU layers leaves the number as it is. ≥ is a lower bound; after ± is the error: of an eigenvalue its residual, of anything else one standard error.",
    "None of these numbers is claimed to predict generalisation.",
];

const WHAT: &str = "Settings of the measures";

/// The arguments of the command.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    points: Points,

    /// Radius of the Euclidean ball
    #[arg(long, value_name = "X", default_value = "0.05", help_heading = WHAT)]
    rho: Bounded<Positive>,
    /// Radius of the balls that are scaled by the weights
    #[arg(long, value_name = "X", default_value = "0.5", help_heading = WHAT)]
    adaptive_rho: Bounded<Positive>,
    /// Half a side of the box that is scaled by the weights
    #[arg(long, value_name = "X", default_value = "0.01", help_heading = WHAT)]
    adaptive_box: Bounded<Positive>,
    /// Standard deviation of the average displacement
    #[arg(long, value_name = "X", default_value = "0.01", help_heading = WHAT)]
    sigma: Bounded<Positive>,
    /// The same in units of the weights
    #[arg(long, value_name = "X", default_value = "0.1", help_heading = WHAT)]
    adaptive_sigma: Bounded<Positive>,
    /// Random points of each ball, each a forward pass
    #[arg(long, value_name = "N", default_value = "100", help_heading = WHAT)]
    directions: Count<{ limits::DIRECTIONS }>,
    /// Gradients of each of the two starts of the ascent
    #[arg(long, value_name = "N", default_value = "50", help_heading = WHAT)]
    gradients: Count<{ limits::DIRECTIONS }>,
    /// Pairs of displacements of each average, each two forward passes
    #[arg(long, value_name = "N", default_value = "50", help_heading = WHAT)]
    pairs: Count<{ limits::DIRECTIONS }>,
    /// Leave eigenvalues, trace and Frobenius norm out
    #[arg(long, help_heading = WHAT)]
    no_curvature: bool,
}

impl Arguments {
    fn settings(&self, seed: u64) -> SharpnessSettings {
        SharpnessSettings {
            rho: self.rho.get(),
            adaptive_rho: self.adaptive_rho.get(),
            adaptive_box: self.adaptive_box.get(),
            sigma: self.sigma.get(),
            adaptive_sigma: self.adaptive_sigma.get(),
            directions: self.directions.get(),
            gradients: self.gradients.get(),
            pairs: self.pairs.get(),
            curvature: !self.no_curvature,
            seed,
        }
    }
}

/// Measures, prints the table, and writes the document.
///
/// # Errors
/// A sentence for the user.
pub(super) fn carry_out(
    arguments: &Arguments,
    context: &Context,
    source: &dyn Source,
    interrupt: &Interrupt,
) -> anyhow::Result<u8> {
    let gathered = arguments.points.gather("sharpness", context, source)?;
    Task {
        analysis: &Analysis::Sharpness(arguments.settings(gathered.seed)),
        gathered: &gathered,
        kind: KIND,
        title: "Sharpness".to_owned(),
        matrix: "Hessian",
        legend: &LEGEND,
        overwrite: arguments.points.overwrite,
        json: context.json,
        interrupt,
    }
    .carry_out()
}
