//! `landscape measure RUN`: measures a checkpoint of a run, or the line from it to another.

use std::path::{Path, PathBuf};

use clap::Args;
use landscape::{LanczosConfig, TraceConfig};

use super::context::Context;
use super::devices::DeviceFlags;
use super::ending::{self, COMPLETE};
use super::measured::table;
use crate::config::bounded::{Bounded, Count, Fraction, NonNegative, Positive};
use crate::config::choice::DeviceKind;
use crate::config::moment::Moments;
use crate::config::settings::device_help;
use crate::config::{Plan, limits};
use crate::engine::device;
use crate::engine::instruments::LINE_POINTS;
use crate::engine::measurement::{Parts, Request, Task};
use crate::engine::source::Source;
use crate::engine::spread::SpreadOver;
use crate::engine::stored::{Stored, Which};
use crate::failure::usage;
use crate::interrupt::Interrupt;
use crate::report::output::{print, printable};
use crate::report::paint::Paint;

pub(super) const EXAMPLE: &str = "Example:
  landscape measure runs/quickstart/sgd
  landscape measure runs/quickstart/sgd --eigenvalues 10 --smallest --examples 200
  landscape measure runs/quickstart/sgd --surface --grid 51 --output runs/closer
  landscape measure runs/quickstart/sgd --to runs/quickstart/sam

Without a measurement among the flags all that the run measured at its end is
measured, on the run's own sample and with its settings: the numbers are its own.";

const WHAT: &str = "Measurements";
const HOW: &str = "Settings of measurements";

/// The arguments of the command.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Directory of the run; a bare NAME is looked up in runs/ too
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Checkpoint: its step, `latest`, or `best` of a run with --keep best
    #[arg(long, value_name = "N|latest|best", default_value = "latest")]
    step: Which,
    /// Measure the loss on the line to the weights of another run, and the barrier on it
    #[arg(long, value_name = "RUN", conflicts_with_all = ["losses", "eigenvalues", "smallest", "trace", "sharpness", "density", "line", "surface", "grid", "rho", "starts", "range", "seed", "tolerance", "trace_error"])]
    to: Option<PathBuf>,
    /// Checkpoint of the other run
    #[arg(
        long,
        value_name = "N|latest|best",
        default_value = "latest",
        requires = "to"
    )]
    to_step: Which,
    /// Folder for document, pictures and numbers (otherwise RUN/measure-STEP)
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Replace an earlier measurement in that folder
    #[arg(long)]
    overwrite: bool,

    /// Losses and accuracies of all three parts of the data
    #[arg(long, help_heading = WHAT)]
    losses: bool,
    /// The K largest eigenvalues of the Hessian
    #[arg(long, value_name = "K", help_heading = WHAT)]
    eigenvalues: Option<Count<{ limits::EIGENVALUES }>>,
    /// The smallest eigenvalue
    #[arg(long, help_heading = WHAT)]
    smallest: bool,
    /// The trace of the Hessian
    #[arg(long, help_heading = WHAT)]
    trace: bool,
    /// SAM sharpness of the loss
    #[arg(long, help_heading = WHAT)]
    sharpness: bool,
    /// The spectral density of the Hessian
    #[arg(long, help_heading = WHAT)]
    density: bool,
    /// The loss along a random direction
    #[arg(long, help_heading = WHAT)]
    line: bool,
    /// The loss over the plane of two random directions
    #[arg(long, help_heading = WHAT)]
    surface: bool,

    /// Training examples of the sample (otherwise the run's own); a smaller one is the beginning
    /// of a larger one
    #[arg(long, value_name = "N", help_heading = HOW)]
    examples: Option<Count>,
    /// Seed of start vectors and directions (otherwise the run's own)
    #[arg(long, value_name = "N", help_heading = HOW)]
    seed: Option<u32>,
    /// Residual of an eigenvalue over the largest one [default: 1e-5]
    #[arg(long, value_name = "X", help_heading = HOW)]
    tolerance: Option<Bounded<Positive>>,
    /// Standard error of the trace over the trace, and the trace itself [default: 0.05]
    #[arg(long, value_name = "X", help_heading = HOW)]
    trace_error: Option<Bounded<Fraction>>,
    /// Radius of the SAM sharpness, and the sharpness itself
    #[arg(long, value_name = "X", help_heading = HOW)]
    rho: Option<Bounded<NonNegative>>,
    /// Start vectors of the density, 50 products each, and the density itself
    #[arg(long, value_name = "N", help_heading = HOW)]
    starts: Option<Count<{ limits::DENSITY_STARTS }>>,
    /// Points along each side of the surface, and the surface itself
    #[arg(long, value_name = "N", help_heading = HOW)]
    grid: Option<Count<{ limits::GRID }>>,
    /// Points of the line, and the line itself [default: 41]
    #[arg(long, value_name = "N", help_heading = HOW)]
    points: Option<Count<{ limits::GRID }>>,
    /// How far line and surface reach, in multiples of their directions [default: 1]
    #[arg(long, value_name = "X", help_heading = HOW)]
    range: Option<Bounded<Positive>>,
    /// Device
    #[arg(long, value_enum, hide_possible_values = true, help_heading = HOW, help = device_help())]
    device: Option<DeviceKind>,
    #[command(flatten)]
    several: DeviceFlags,
}

/// Most products of a trace whose error is asked for: the error falls as one over the root of their
/// number.
const TRACE_PRODUCTS: usize = 100_000;

impl Arguments {
    /// Returns the request for a checkpoint of a run with this plan.
    fn decide(&self, run: &Stored, examples: usize, output: PathBuf) -> anyhow::Result<Request> {
        let plan = run.plan();
        let chosen = self.chosen();
        let total = run.steps_in_all(examples);
        let at_end = |moments: &Moments| {
            Ok::<_, probes::Error>(chosen.is_none() && moments.steps(total)?.contains(&total))
        };
        let chosen_or_default = |flag: bool| flag || chosen.is_none();
        let count = plan.probes.eigenvalue_count.get();
        let eigenvalues = match self.eigenvalues {
            Some(count) => Some(count.get()),
            None => chosen.is_none().then_some(count),
        };
        let wanted = eigenvalues.unwrap_or(1);
        let max_steps = LanczosConfig::new().max_steps;
        let max_probes = TraceConfig::new().max_probes;
        Ok(Request {
            losses: if self.losses || (chosen.is_none() && run.step() as u64 == total) {
                Some(Parts::All)
            } else {
                chosen.is_none().then_some(Parts::WithoutTest)
            },
            eigenvalues,
            smallest: chosen_or_default(self.smallest),
            tolerance: self
                .tolerance
                .map_or(LanczosConfig::new().tolerance, Bounded::get),
            // More eigenvalues, or closer ones, take more steps than a run takes for its own.
            max_steps: if wanted == count && self.tolerance.is_none() {
                max_steps
            } else {
                max_steps.max(5 * wanted).max(300)
            },
            trace: chosen_or_default(self.trace || self.trace_error.is_some()),
            trace_error: self
                .trace_error
                .map_or(TraceConfig::new().relative_error, Bounded::get),
            max_probes: self.trace_error.map_or(max_probes, |_| TRACE_PRODUCTS),
            sharpness: chosen_or_default(self.sharpness || self.rho.is_some())
                .then(|| self.rho.unwrap_or(plan.probes.sharpness_rho).get()),
            density: (self.density || self.starts.is_some() || at_end(&plan.probes.density)?)
                .then(|| self.starts.unwrap_or(plan.probes.density_starts).get()),
            density_steps: landscape::DensityConfig::new().steps,
            line: (self.line
                || self.points.is_some()
                || self.to.is_some()
                || at_end(&plan.probes.line)?)
            .then(|| self.points.map_or(LINE_POINTS, Count::get)),
            surface: (self.surface || self.grid.is_some() || at_end(&plan.probes.surface)?)
                .then(|| self.grid.unwrap_or(plan.probes.grid).get()),
            range: self.range.map_or(1.0, Bounded::get),
            seed: u64::from(self.seed.unwrap_or(plan.seed)),
            examples: self.examples.map(Count::get),
            device: self.device,
            output,
        })
    }

    /// Returns the first measurement among the flags.
    fn chosen(&self) -> Option<&'static str> {
        let flags = [
            ("--losses", self.losses),
            ("--eigenvalues", self.eigenvalues.is_some()),
            ("--smallest", self.smallest),
            ("--trace", self.trace || self.trace_error.is_some()),
            ("--sharpness", self.sharpness || self.rho.is_some()),
            ("--density", self.density || self.starts.is_some()),
            ("--line", self.line || self.points.is_some()),
            ("--surface", self.surface || self.grid.is_some()),
        ];
        flags
            .into_iter()
            .find(|(_, given)| *given)
            .map(|(flag, _)| flag)
    }

    /// Refuses a setting of what is not measured.
    fn check(&self) -> anyhow::Result<()> {
        let Some(chosen) = self.chosen().filter(|_| self.to.is_none()) else {
            return Ok(());
        };
        let eigenvalues = self.eigenvalues.is_some() || self.smallest;
        let slices = self.line || self.points.is_some() || self.surface || self.grid.is_some();
        let message = if self.tolerance.is_some() && !eigenvalues {
            "--tolerance: it is that of eigenvalues; --eigenvalues K measures them"
        } else if self.range.is_some() && !slices {
            "--range: it is that of line and surface; --line or --surface measures them"
        } else {
            return Ok(());
        };
        Err(usage(format!("{message} beside {chosen}")))
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
    let run = Stored::open(&arguments.run, arguments.step)?;
    let other = arguments
        .to
        .as_deref()
        .map(|to| Stored::open(to, arguments.to_step))
        .transpose()?;
    let output = arguments
        .output
        .clone()
        .unwrap_or_else(|| folder(&run, other.as_ref()));
    let plan = run.plan();
    let device = device::autodiff(arguments.device.unwrap_or(plan.device))
        .map_err(|message| usage(format!("--device: {message}")))?;
    let spread = arguments.several.connect()?;
    source.check(plan, &device)?;
    let sample = arguments.examples.unwrap_or(plan.curvature_examples);
    let subject = source.subject(plan, sample.get(), &device)?;
    let request = arguments.decide(&run, subject.sizes().training, output)?;
    let measured = subject.measure(&Task {
        run: &run,
        other: other.as_ref(),
        request: &request,
        device,
        devices: spread.as_ref().map(SpreadOver::devices),
        overwrite: arguments.overwrite,
        interrupt,
    })?;
    if context.json {
        print(&format!("{:#}", measured.document))?;
    } else {
        let heading = heading(&run, other.as_ref(), &measured.document);
        print(&Paint::stdout().strong(&printable(&heading)))?;
        print(&printable(&table(&measured.rows)))?;
        for remark in &measured.remarks {
            print(&printable(remark))?;
        }
        let folder = request.output.display().to_string();
        print(&format!("Numbers and pictures: {}", printable(&folder)))?;
    }
    if let Some(spread) = &spread {
        spread.tell_lost();
    }
    let stopped = measured.interrupted.then_some(COMPLETE);
    Ok(ending::end(measured.failures, stopped))
}

/// Returns where a measurement goes if nothing is said: into the directory of the run, beside its
/// files.
fn folder(run: &Stored, other: Option<&Stored>) -> PathBuf {
    let mut name = format!("measure-{}", run.step());
    if let Some(other) = other {
        let path: &Path = &other.directory;
        let to = path.file_name().unwrap_or_default().to_string_lossy();
        name += &format!("-to-{to}-{}", other.step());
    }
    run.directory.join(name)
}

/// Returns what the table is about.
fn heading(run: &Stored, other: Option<&Stored>, document: &serde_json::Value) -> String {
    let of = |stored: &Stored| format!("{} at step {}", stored.directory.display(), stored.step());
    let plan: &Plan = run.plan();
    let about = format!(
        "{} training examples of `{}`, {} parameters",
        document["examples"],
        plan.subject.data_name(),
        document["parameters"]
    );
    match other {
        Some(other) => format!("{} to {}\n{about}", of(run), of(other)),
        None => format!("{}\n{about}", of(run)),
    }
}
