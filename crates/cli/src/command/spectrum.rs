//! `landscape spectrum RUN..`: eigenvalues, trace and spectral density, of one model or of several
//! beside each other.

use clap::Args;
use landscape::{LanczosConfig, TraceConfig};

use super::analysis::Task;
use super::context::Context;
use super::points::Points;
use crate::config::bounded::{Bounded, Count, Fraction, Positive};
use crate::config::choice::{Curvature, TraceBy};
use crate::config::limits;
use crate::engine::analysis::{Analysis, SpectrumSettings};
use crate::engine::measure_dir::Kind;
use crate::engine::source::Source;
use crate::failure::usage;
use crate::interrupt::Interrupt;

pub(super) const EXAMPLE: &str = "Example:
  landscape spectrum runs/quickstart/sgd
  landscape spectrum runs/quickstart --top 10 --starts 8
  landscape spectrum runs/quickstart/sgd --step all --matrix gauss-newton
  landscape spectrum --torch mlp.safetensors --dataset digits --hidden 64,32

Several models come into one table and one picture, over the same examples and with the
same random vectors.";

const KIND: Kind = Kind {
    file: "spectrum.json",
    schema: "landscape-spectrum/1",
    name: "a spectrum",
};

const LEGEND: [&str; 1] =
    ["After ± is the error: of an eigenvalue its residual, of anything else one standard error."];

const WHAT: &str = "What of the spectrum";

/// Most products of a trace whose error is asked for: the error falls as one over the root of their
/// number.
const TRACE_PRODUCTS: usize = 100_000;

/// The arguments of the command.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    points: Points,

    /// The matrix of second derivatives
    #[arg(long, value_enum, default_value_t = Curvature::Hessian, help_heading = WHAT)]
    matrix: Curvature,
    /// The K largest eigenvalues; 0 for none
    #[arg(long, value_name = "K", default_value = "5", help_heading = WHAT)]
    top: Few,
    /// The K smallest eigenvalues; 0 for none
    #[arg(long, value_name = "K", default_value = "1", help_heading = WHAT)]
    bottom: Few,
    /// Residual of an eigenvalue over the largest one [default: 1e-5]
    #[arg(long, value_name = "X", help_heading = WHAT)]
    tolerance: Option<Bounded<Positive>>,
    /// Only of the parameters whose paths match, such as 'conv*' or '*.bias'; may be given more
    /// than once
    #[arg(long, value_name = "PATTERN", help_heading = WHAT)]
    parameters: Vec<String>,
    /// Method for the trace [default: auto]
    #[arg(long, value_enum, conflicts_with = "no_trace", help_heading = WHAT)]
    trace: Option<TraceBy>,
    /// Leave the trace out
    #[arg(long, help_heading = WHAT)]
    no_trace: bool,
    /// Standard error of the trace over the trace [default: 0.05]
    #[arg(long, value_name = "X", conflicts_with = "no_trace", help_heading = WHAT)]
    trace_error: Option<Bounded<Fraction>>,
    /// Leave the density out
    #[arg(long, help_heading = WHAT)]
    no_density: bool,
    /// Start vectors of the density
    #[arg(long, value_name = "N", default_value = "4", conflicts_with = "no_density", help_heading = WHAT)]
    starts: Count<{ limits::DENSITY_STARTS }>,
    /// Lanczos steps from each of them
    #[arg(long, value_name = "N", default_value = "50", conflicts_with = "no_density", help_heading = WHAT)]
    steps: Count<{ limits::LANCZOS_STEPS }>,
    /// All eigenvalues, of at most 4096 parameters: as many products, and no estimates
    #[arg(long, conflicts_with_all = ["tolerance", "trace", "no_trace", "trace_error", "no_density", "starts", "steps"], help_heading = WHAT)]
    dense: bool,
}

/// A number of eigenvalues, which may be none.
#[derive(Debug, Clone, Copy)]
struct Few(usize);

impl std::str::FromStr for Few {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let most = limits::EIGENVALUES as usize;
        let count = text.trim().parse().ok().filter(|count| *count <= most);
        count
            .map(Self)
            .ok_or_else(|| format!("expected a whole number from 0 to {most}"))
    }
}

impl Arguments {
    fn settings(&self, seed: u64) -> SpectrumSettings {
        let usual = LanczosConfig::new();
        let wanted = self.top.0.max(self.bottom.0);
        SpectrumSettings {
            matrix: self.matrix,
            top: self.top.0,
            bottom: self.bottom.0,
            tolerance: self.tolerance.map_or(usual.tolerance, Bounded::get),
            max_steps: usual.max_steps.max(5 * wanted).max(300),
            parameters: self.parameters.clone(),
            trace: (!self.no_trace).then(|| self.trace.unwrap_or(TraceBy::Auto)),
            trace_error: self
                .trace_error
                .map_or(TraceConfig::new().relative_error, Bounded::get),
            max_probes: self
                .trace_error
                .map_or(TraceConfig::new().max_probes, |_| TRACE_PRODUCTS),
            starts: (!self.no_density).then(|| self.starts.get()),
            steps: self.steps.get(),
            dense: self.dense,
            seed,
        }
    }

    fn check(&self) -> anyhow::Result<()> {
        let nothing = self.top.0 + self.bottom.0 == 0 && self.no_trace && self.no_density;
        if nothing {
            return Err(usage(
                "--top 0 --bottom 0 --no-trace --no-density leave nothing to measure",
            ));
        }
        Ok(())
    }
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
    arguments.check()?;
    let gathered = arguments.points.gather("spectrum", context, source)?;
    let matrix = match arguments.matrix {
        Curvature::Hessian => "Hessian",
        Curvature::GaussNewton => "Gauss-Newton matrix",
        Curvature::Fisher => "Fisher matrix",
    };
    Task {
        analysis: &Analysis::Spectrum(arguments.settings(gathered.seed)),
        gathered: &gathered,
        kind: KIND,
        title: match arguments.parameters.as_slice() {
            [] => format!("Spectrum of the {matrix}"),
            some => format!("Spectrum of the {matrix} in {}", some.join(", ")),
        },
        matrix,
        legend: &LEGEND,
        overwrite: arguments.points.overwrite,
        json: context.json,
        interrupt,
    }
    .carry_out()
}
