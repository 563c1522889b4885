//! `landscape help`: the program, a command, or a topic.

use clap::{Args, Command};

use crate::config::Workspace;
use crate::failure::{SUCCESS, usage};
use crate::report::output::print;
use crate::report::program;

pub(super) const EXAMPLE: &str = "Example:
  landscape help probes
  landscape help methods
  landscape help measure";

/// The arguments of the command.
#[derive(Args)]
pub(crate) struct Arguments {
    /// A command, or one of the topics: probes, methods, files, landscapes
    #[arg(value_name = "TOPIC")]
    topic: Option<String>,
}

/// A topic: its name, what it says, and the flags that belong to it.
struct Topic {
    name: &'static str,
    text: &'static str,
    flags: Option<&'static str>,
}

const TOPICS: [Topic; 4] = [
    Topic {
        name: "probes",
        text: PROBES,
        flags: Some("Probes"),
    },
    Topic {
        name: "methods",
        text: METHODS,
        flags: Some("Methods"),
    },
    Topic {
        name: "files",
        text: FILES,
        flags: None,
    },
    Topic {
        name: "landscapes",
        text: LANDSCAPES,
        flags: None,
    },
];

const PROBES: &str = "A probe measures the network while it trains, and never changes the training.

A moment says when: \"every 50\" (steps), \"log 8\" (so many, evenly spaced in the
logarithm of the step), \"at 10, 100\", \"start\", \"end\", \"never\"; several are
joined by +, such as \"every 50 + end\". Losses, accuracies, the largest
eigenvalue, the trace and the SAM sharpness are measured after the last step in
any case; --no-probes leaves the last three out.

  probe              what it takes at each moment
  loss               a forward pass over the validation examples, and their accuracy
  gradient           one gradient over the sample
  gradient_noise     ten gradients or more: those of single examples
  gradient_histogram twice that
  tic                that, and one to three gradients for each class
  eigenvalues        some 20 to 50 Hessian products for each eigenvalue
  trace              16 Hessian products or more, until its error is 5 %
  sharpness          one gradient and a forward pass
  density            50 Hessian products for each start vector
  line               41 points, each less than a forward pass
  surface            grid x grid points, each less than a forward pass
  activations        a forward pass over the sample: dead and saturated units
  batch_norm_gap     two forward passes over the sample, of models with BatchNorm
  updates            no data: distance from the start, size of the updates
  weights            no data: singular values of each weight matrix
  stability          a gradient, and some 20 products where eigenvalues are not measured
  layers             some 20 Hessian products for each layer
  trajectory         a snapshot; at the end 441 points, each less than a forward pass
  interpolation      2 x 11 points, each less than a forward pass
  sharpness_suite    some 130 forward passes and 40 gradients

A Hessian product takes about 1.5 gradients over the sample, whose size is
--curvature-examples. The share that probes took (probe_fraction,
cost/probe_fraction and the table) is their part of the whole time, as in a budget.
`landscape train --dry-run` estimates it beforehand; `landscape measure RUN`
measures a checkpoint afterwards.

In workspace.toml: [defaults.probes] surface = \"end\"
As a flag: --probe-surface end

Example:
  landscape train --probe-eigenvalues \"every 100 + end\" --probe-surface never
  landscape train --no-probes

Flags of run and train:";

const METHODS: &str =
    "--method is the base optimiser alone (plain), or a sharpness-aware method over
it. --rho is its radius. What is not said is what its paper says.

  method        radius  settings
  sam           0.05
  asam          0.5
  gsam          0.05    alpha 0.4
  looksam       0.1     k 10, alpha 0.7
  esam          0.05    beta 0.5, gamma 0.5
  friendly-sam  0.05    sigma 1, lambda 0.9
  m-sam         0.05    micro_batch: a quarter of the batch

In workspace.toml: method = \"looksam\", sam = { k = 5 }; as flags:

Example:
  landscape train --method sam --rho 0.1
  landscape train --method looksam --sam-k 5 --sam-alpha 0.2

Flags of run and train:";

const FILES: &str = "A run writes into runs/NAME, or --output DIR:

  events.out.tfevents.*   what TensorBoard shows
  *.png, *.svg             pictures
  *.csv, *.json           their numbers
  summary.json            the figures, once the run is finished
  checkpoints/step-*/     model.bpk, optimiser.bpk, method.bpk, manifest.json
  run.json                the names of its files; nothing else is written over
  measure-*/              what `landscape measure` found
  spectrum-*/, sharpness-*/, critical-*/, surface-*/, line-*/, trajectory/
                          what the commands of these names found

--keep all, best or N says which checkpoints stay; otherwise the last two. A run
that was stopped goes on with --resume, to the same weights bit for bit.
A model in a program of your own, with the crates models and burn:

  let path = \"runs/train/checkpoints/step-00001020/model.bpk\";
  let model = MlpConfig::new(vec![64, 128, 64, 10]).init(&device)?;
  let model = model.load_record(ModuleRecord::load(path)?);

Example:
  landscape train --keep best --output runs/mine
  landscape measure runs/mine --step best";

const LANDSCAPES: &str = "Four commands look at the loss around and between the weights of runs.

  command     what it measures                       what it takes
  line        loss and accuracy along a direction    a forward pass a point, or less
  surface     the same on a plane                    grid x grid such points
  connect     paths between models, barriers         a line: the points; a curve:
                                                     epochs of training besides
  trajectory  the plane of a run's checkpoints       reading each; a surface

A random direction is scaled filter by filter to the weights it moves
(--normalisation filter), biases and norm layers at rest (--vectors ignore): then
surfaces of networks of different scale can be compared. --directions takes
eigenvectors, the gradient or SAM's ascent; --through goes through the models
themselves. --adapt FACTOR reaches as far as the loss takes to rise so much.

Points are stored as they are found, in points-*.slice of the folder of the results.
After Ctrl-C or a kill the same command goes on from there, to the same bits; with
other settings it is refused until --overwrite begins anew. Pictures are PNG and
SVG, --theme light or dark; numbers are CSV and JSON, with --export NumPy and VTK too.

Between models the running statistics of BatchNorm are computed anew at each point
from the training sample, because interpolated ones fit no network in between.

Example:
  landscape surface runs/quickstart --adapt 10 --export csv,vtk
  landscape connect runs/quickstart/sgd runs/quickstart/sam --align
  landscape train --keep all --checkpoint-every 20 --output runs/mine
  landscape trajectory runs/mine";

/// Prints help.
///
/// # Errors
/// A usage error for a topic that is not there, which lists those that are.
pub(super) fn carry_out(arguments: &Arguments, program: Command) -> anyhow::Result<u8> {
    let Some(wanted) = &arguments.topic else {
        return as_with_the_flag(program, &[]);
    };
    if let Some(topic) = TOPICS.iter().find(|topic| topic.name == wanted) {
        print(&program::named(topic.text))?;
        if let Some(heading) = topic.flags {
            print(flags(&program, heading).trim_end())?;
        }
        return Ok(SUCCESS);
    }
    if program.find_subcommand(wanted).is_some() {
        return as_with_the_flag(program, &[wanted]);
    }
    let commands = program.get_subcommands().map(Command::get_name);
    let topics = TOPICS.iter().map(|topic| topic.name);
    let known: Vec<&str> = topics.chain(commands).collect();
    Err(usage(format!(
        "there is no help on `{wanted}`{}; there is on: {}",
        Workspace::did_you_mean(wanted, &known),
        known.join(", ")
    )))
}

/// Prints what `--help` says of the program, or of a command.
fn as_with_the_flag(mut program: Command, command: &[&str]) -> anyhow::Result<u8> {
    let name = program::name();
    let arguments = [&[name.as_str()], command, &["--help"]].concat();
    if let Err(help) = program.try_get_matches_from_mut(arguments) {
        print(help.render().to_string().trim_end())?;
    }
    Ok(SUCCESS)
}

/// Returns the flags of `train` under a heading, as clap writes them.
fn flags(program: &Command, heading: &str) -> String {
    let train = program
        .find_subcommand("train")
        .expect("train is a command");
    let flags = train
        .get_arguments()
        .filter(|flag| flag.get_help_heading() == Some(heading));
    let flags = flags.map(|flag| flag.clone().help_heading("Flags").hide_short_help(false));
    Command::new("flags")
        .disable_help_flag(true)
        .help_template("{options}")
        .next_help_heading("Flags")
        .args(flags.map(|flag| flag.help_heading(None::<&str>)))
        .render_help()
        .to_string()
}
