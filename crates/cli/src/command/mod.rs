//! The subcommands, one file each.

mod analysis;
mod analyze;
mod attempt;
mod compare;
mod completions;
mod connect;
mod context;
mod critical;
mod devices;
mod ending;
mod estimate;
mod help;
mod learning_rate;
mod line;
mod list;
mod measure;
mod measured;
mod paths;
mod points;
mod report;
mod run;
mod seeds;
mod serve;
mod session;
mod sharpness;
mod slices;
mod spectrum;
mod surface;
mod traces;
mod train;
mod trajectory;

use clap::{CommandFactory, Parser, Subcommand};

use context::Context;

use crate::config::variation;
use crate::engine::source::Source;
use crate::interrupt::Interrupt;
use crate::report::program::{self, named};

/// Trains small networks on real data and shows how sharp their minima are.
#[derive(Parser)]
#[command(
    name = "landscape",
    version,
    after_help = EXAMPLE,
    propagate_version = true,
    disable_help_subcommand = true
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) context: Context,
}

const EXAMPLE: &str = "Example:\n  landscape run quickstart\n  tensorboard --logdir runs/quickstart\n\nTopics: landscape help probes, landscape help methods, landscape help files,\n  landscape help landscapes";

impl Cli {
    /// Returns the command line of a program: all flags with the bundled networks and data sets,
    /// and without those that choose them for a workload of its own.
    pub(crate) fn of(source: &dyn Source) -> clap::Command {
        let command = Self::command();
        let Some(own) = source.own() else {
            return command;
        };
        command
            .bin_name(program::name())
            .display_name(program::name())
            .about(format!(
                "Trains, measures and compares the workload `{own}`."
            ))
            .after_help(named(EXAMPLE))
            .mut_subcommands(|command| {
                let help = command.get_after_help().map(ToString::to_string);
                let long_help = command.get_after_long_help().map(ToString::to_string);
                let command = match help {
                    Some(help) => command.after_help(named(&help)),
                    None => command,
                };
                match long_help {
                    Some(help) => command.after_long_help(named(&help)),
                    None => command,
                }
            })
            .mut_subcommand("run", without_bundled)
            .mut_subcommand("analyze", without_bundled)
            .mut_subcommand("spectrum", without_bundled)
            .mut_subcommand("sharpness", without_bundled)
            .mut_subcommand("critical", without_bundled)
            .mut_subcommand("surface", without_bundled)
            .mut_subcommand("line", without_bundled)
            .mut_subcommand("connect", without_bundled)
            .mut_subcommand("train", |command| {
                without_bundled(command)
                    .after_help(named(train::OWN_EXAMPLE))
                    .after_long_help(named(train::OWN_EXAMPLE))
            })
    }
}

/// Hides the flags that choose a bundled network and its data.
fn without_bundled(command: clap::Command) -> clap::Command {
    let help = command.get_after_help().map(ToString::to_string);
    let command = match help {
        Some(help) => command.after_help(help.replace(" --dataset digits --hidden 64,32", "")),
        None => command,
    };
    let network = ["dataset", "model", "hidden", "activation"];
    // Not all commands have the latter.
    let variation = variation::KEYS.into_iter();
    let variation =
        variation.filter(|key| command.get_arguments().any(|flag| flag.get_id() == key));
    let flags: Vec<&str> = network.into_iter().chain(variation).collect();
    flags.into_iter().fold(command, |command, flag| {
        command.mut_arg(flag, |flag| flag.hide(true))
    })
}

/// The subcommands.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Show the runs and data sets of workspace.toml
    #[command(after_help = list::EXAMPLE)]
    List,
    /// Carry out a run of workspace.toml
    #[command(after_help = run::EXAMPLE_AND_MORE, after_long_help = run::EXAMPLE, allow_negative_numbers = true)]
    Run(run::Arguments),
    /// Train once, with workspace.toml's [defaults] and flags over them
    #[command(after_help = train::EXAMPLE_AND_MORE, after_long_help = train::EXAMPLE, allow_negative_numbers = true)]
    Train(train::Arguments),
    /// Train what a finding of a run suggests, and compare
    #[command(after_help = attempt::EXAMPLE, allow_negative_numbers = true)]
    Try(attempt::Arguments),
    /// Find out what there is time for about checkpoints and PyTorch weights, in ten lines
    #[command(after_help = analyze::EXAMPLE, allow_negative_numbers = true)]
    Analyze(analyze::Arguments),
    /// Test how the loss answers to the learning rate, before a training or at its weights
    #[command(after_help = learning_rate::EXAMPLE, allow_negative_numbers = true)]
    LearningRate(learning_rate::Arguments),
    /// Measure a checkpoint of a run, or the line from it to another run
    #[command(after_help = measure::EXAMPLE, allow_negative_numbers = true)]
    Measure(measure::Arguments),
    /// Find eigenvalues, trace and spectral density of checkpoints and of PyTorch weights
    #[command(after_help = spectrum::EXAMPLE, allow_negative_numbers = true)]
    Spectrum(spectrum::Arguments),
    /// Measure how the loss rises around checkpoints and PyTorch weights
    #[command(after_help = sharpness::EXAMPLE, allow_negative_numbers = true)]
    Sharpness(sharpness::Arguments),
    /// Tell whether checkpoints and PyTorch weights are minima, saddles or no critical points
    #[command(after_help = critical::EXAMPLE, allow_negative_numbers = true)]
    Critical(critical::Arguments),
    /// Draw the loss on planes through checkpoints and PyTorch weights
    #[command(after_help = surface::EXAMPLE, allow_negative_numbers = true)]
    Surface(surface::Arguments),
    /// Draw the loss along lines through checkpoints and PyTorch weights
    #[command(after_help = line::EXAMPLE, allow_negative_numbers = true)]
    Line(line::Arguments),
    /// Find paths between checkpoints, and the barriers on them
    #[command(after_help = connect::EXAMPLE, allow_negative_numbers = true)]
    Connect(connect::Arguments),
    /// Draw the path of a training over the loss, from its checkpoints
    #[command(after_help = trajectory::EXAMPLE, allow_negative_numbers = true)]
    Trajectory(trajectory::Arguments),
    /// Show finished runs side by side
    #[command(after_help = compare::EXAMPLE)]
    Compare(compare::Arguments),
    /// Write a page of HTML about runs: curves, surfaces to turn, findings, settings
    #[command(after_help = report::EXAMPLE)]
    Report(report::Arguments),
    /// Lend the devices of this machine to `--devices` of others
    #[command(after_help = serve::EXAMPLE)]
    Serve(serve::Arguments),
    /// Write the script with which a shell completes commands and flags
    #[command(after_help = completions::EXAMPLE)]
    Completions(completions::Arguments),
    /// Explain a command or a topic: probes, methods, files, landscapes
    #[command(after_help = help::EXAMPLE)]
    Help(help::Arguments),
}

impl Command {
    /// Carries the command out; the exit code.
    ///
    /// # Errors
    /// A sentence for the user; [`crate::failure`] knows its exit code.
    pub(crate) fn carry_out(
        self,
        context: &Context,
        source: &dyn Source,
        interrupt: &Interrupt,
    ) -> anyhow::Result<u8> {
        match self {
            Self::List => list::carry_out(context, source),
            Self::Run(arguments) => run::carry_out(&arguments, context, source, interrupt),
            Self::Train(arguments) => train::carry_out(&arguments, context, source, interrupt),
            Self::Try(arguments) => attempt::carry_out(&arguments, context, source, interrupt),
            Self::Analyze(arguments) => analyze::carry_out(&arguments, context, source, interrupt),
            Self::LearningRate(arguments) => {
                learning_rate::carry_out(&arguments, context, source, interrupt)
            }
            Self::Measure(arguments) => measure::carry_out(&arguments, context, source, interrupt),
            Self::Spectrum(arguments) => {
                spectrum::carry_out(&arguments, context, source, interrupt)
            }
            Self::Sharpness(arguments) => {
                sharpness::carry_out(&arguments, context, source, interrupt)
            }
            Self::Critical(arguments) => {
                critical::carry_out(&arguments, context, source, interrupt)
            }
            Self::Surface(arguments) => surface::carry_out(&arguments, context, source, interrupt),
            Self::Line(arguments) => line::carry_out(&arguments, context, source, interrupt),
            Self::Connect(arguments) => connect::carry_out(&arguments, context, source, interrupt),
            Self::Trajectory(arguments) => {
                trajectory::carry_out(&arguments, context, source, interrupt)
            }
            Self::Compare(arguments) => compare::carry_out(&arguments, context),
            Self::Report(arguments) => report::carry_out(&arguments, context),
            Self::Serve(arguments) => serve::carry_out(&arguments),
            Self::Completions(arguments) => completions::carry_out(&arguments, Cli::of(source)),
            Self::Help(arguments) => help::carry_out(&arguments, Cli::of(source)),
        }
    }
}
