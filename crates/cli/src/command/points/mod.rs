//! The models that commands look at: checkpoints of runs, and weights that PyTorch wrote.

mod gathered;
mod rename;
mod run;
mod steps;

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use clap::Args;
use landscape::Devices;
use models::PytorchWeights;
use serde_json::json;

use super::context::Context;
use super::devices::DeviceFlags;
use crate::comparison::{begun, common_folder, short_names};
use crate::config::bounded::Count;
use crate::config::choice::{Activation, DeviceKind, Model};
use crate::config::settings::device_help;
use crate::config::widths::Widths;
use crate::config::{Plan, Settings};
use crate::engine::analysis::{Point, Weights};
use crate::engine::checkpoints;
use crate::engine::device;
use crate::engine::origin::same_checksums;
use crate::engine::source::Source;
use crate::engine::spread::SpreadOver;
use crate::engine::stored::{Stored, Which};
use crate::failure::usage;
pub(super) use gathered::{Gathered, Named, watch};
use rename::Rename;
pub(super) use run::{Run, the_run};
pub(super) use steps::Steps;

const PYTORCH: &str = "Weights that PyTorch wrote";

/// The arguments that say which models, and on which examples.
#[derive(Args)]
pub(super) struct Points {
    /// Directories of runs, or with runs below them; a bare NAME is looked up in runs/ too
    #[arg(value_name = "RUN", required_unless_present = "torch")]
    runs: Vec<PathBuf>,
    /// Checkpoints of each run: steps with commas between them, `latest`, `all`, or `best` of a
    /// run with --keep best
    #[arg(long, value_name = "N,N|latest|best|all", default_value = "latest")]
    step: Steps,
    /// Training examples of the sample (otherwise the first run's); a smaller one is the beginning
    /// of a larger one
    #[arg(long, value_name = "N")]
    examples: Option<Count>,
    /// Seed of all that is random (otherwise the first run's), the same for every model
    #[arg(long, value_name = "N")]
    seed: Option<u32>,
    /// Device
    #[arg(long, value_enum, hide_possible_values = true, help = device_help())]
    device: Option<DeviceKind>,
    #[command(flatten)]
    several: DeviceFlags,
    /// Folder for document, pictures and numbers (otherwise one in the directory of the run, or
    /// beside the runs)
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Replace what the command found earlier in that folder
    #[arg(long)]
    pub(super) overwrite: bool,

    /// A safetensors file of such a network; may be given more than once, and beside runs, whose
    /// network and data it then has
    #[arg(long, value_name = "FILE", help_heading = PYTORCH)]
    torch: Vec<PathBuf>,
    /// Change names of its tensors: what the regular expression PATTERN finds becomes NEW; may be
    /// given more than once
    #[arg(long, value_name = "PATTERN=NEW", requires = "torch", help_heading = PYTORCH)]
    torch_rename: Vec<Rename>,
    /// Its data set, one of workspace.toml's [datasets.NAME]
    #[arg(long, value_name = "NAME", requires = "torch", help_heading = PYTORCH)]
    dataset: Option<String>,
    /// Its network
    #[arg(long, value_enum, requires = "torch", help_heading = PYTORCH)]
    model: Option<Model>,
    /// Widths of its hidden layers, e.g. 64,32
    #[arg(long, value_name = "N,N,..", requires = "torch", help_heading = PYTORCH)]
    hidden: Option<Widths>,
    /// Activation between its layers
    #[arg(long, value_enum, requires = "torch", help_heading = PYTORCH)]
    activation: Option<Activation>,
}

impl Points {
    /// Finds the models, and gives them their weights.
    ///
    /// # Errors
    /// A usage error for a run, a checkpoint or a file that is not there or does not fit; a failure
    /// for one that is damaged.
    pub(super) fn gather(
        &self,
        command: &str,
        context: &Context,
        source: &dyn Source,
    ) -> anyhow::Result<Gathered> {
        let runs = self.stored()?;
        for other in runs.iter().skip(1) {
            same_data(&runs[0], other)?;
        }
        let of_files = if self.torch.is_empty() {
            None
        } else {
            Some(self.plan_of_files(context, source, runs.first())?)
        };
        let first = runs.first().map(Stored::plan).or(of_files.as_ref());
        let first = first.expect("clap asks for a run or a file").clone();
        let device = device::autodiff(self.device.unwrap_or(first.device))
            .map_err(|message| usage(format!("--device: {message}")))?;
        let spread = self.several.connect()?;
        let devices = spread.as_ref().map(SpreadOver::devices);
        let sample = self.examples.unwrap_or(first.curvature_examples).get();
        let place = |plan: &Plan, weights: Weights<'_>| -> anyhow::Result<Box<dyn Point>> {
            place(source, plan, weights, sample, &device, devices)
        };
        let mut points = Vec::new();
        for (name, run) in names_of_runs(&runs).into_iter().zip(&runs) {
            points.push(Named {
                name,
                origin: json!({
                    "directory": run.directory,
                    "step": run.step(),
                    "finished": run.finished,
                }),
                network: run.plan().subject.network_in_words(),
                step: Some(run.step()),
                notes: run.notes.clone(),
                point: place(run.plan(), Weights::Checkpoint(run))?,
            });
        }
        for (file, plan) in self.torch.iter().zip(of_files.iter().cycle()) {
            points.push(Named {
                name: file.display().to_string(),
                origin: json!({"torch": file}),
                network: plan.subject.network_in_words(),
                step: None,
                notes: Vec::new(),
                point: place(plan, Weights::Pytorch(self.weights(file)?))?,
            });
        }
        let folder = self.output.clone();
        Ok(Gathered {
            seed: u64::from(self.seed.unwrap_or(first.seed)),
            folder: folder.unwrap_or_else(|| self.usual_folder(command, &runs)),
            data_name: first.subject.data_name().to_owned(),
            data: json!(first.subject.network().map(|network| &network.data)),
            points,
            spread,
        })
    }

    /// Returns the checkpoints of the runs.
    fn stored(&self) -> anyhow::Result<Vec<Stored>> {
        let mut directories: Vec<PathBuf> = Vec::new();
        for given in &self.runs {
            for directory in directories_of(given)? {
                if !directories.contains(&directory) {
                    directories.push(directory);
                }
            }
        }
        let mut stored: Vec<Stored> = Vec::new();
        for directory in &directories {
            let steps = match &self.step {
                Steps::Some(steps) => steps.clone(),
                Steps::All => {
                    let steps = checkpoints::steps(directory)?;
                    steps.into_iter().map(Which::Step).collect()
                }
            };
            for which in steps {
                let found = Stored::open(directory, which)?;
                let known = |other: &Stored| {
                    other.directory == found.directory && other.step() == found.step()
                };
                if !stored.iter().any(known) {
                    stored.push(found);
                }
            }
        }
        Ok(stored)
    }

    /// Returns the settings for the files: those of the first run, or of workspace.toml, and flags
    /// over them.
    fn plan_of_files(
        &self,
        context: &Context,
        source: &dyn Source,
        run: Option<&Stored>,
    ) -> anyhow::Result<Plan> {
        let network = run.and_then(|run| run.plan().subject.network());
        let says_nothing = self.dataset.is_none()
            && self.model.is_none()
            && self.hidden.is_none()
            && self.activation.is_none();
        if let Some(run) = run.filter(|_| says_nothing) {
            return Ok(run.plan().clone());
        }
        let mut flags = Settings {
            dataset: self.dataset.clone(),
            model: self.model,
            hidden: self.hidden.clone(),
            activation: self.activation,
            ..Settings::default()
        };
        // Beside a run a file has its data and network, but for what is said.
        if let Some(network) = network {
            flags.dataset.get_or_insert_with(|| network.dataset.clone());
            flags.activation.get_or_insert(network.activation);
            let model = *flags.model.get_or_insert(network.model);
            if network.is_dense() && model.is_dense() {
                flags.hidden.get_or_insert_with(|| network.hidden.clone());
            }
        }
        let workspace = context.read_workspace_or_built_in(source.own())?;
        let trainings = workspace.trainings_from_flags(&flags)?;
        let training = trainings.into_iter().next();
        let plan = training.expect("there is one for each seed").plan;
        match run {
            Some(run) if data_of(&plan) != data_of(run.plan()) => Err(usage(format!(
                "--dataset: a file beside {} has its data, `{}`",
                run.directory.display(),
                run.plan().subject.data_name()
            ))),
            _ => Ok(plan),
        }
    }

    /// Returns the tensors of a file.
    fn weights(&self, file: &Path) -> anyhow::Result<PytorchWeights> {
        if !file.is_file() {
            return Err(usage(format!(
                "--torch: there is no file {}",
                file.display()
            )));
        }
        let weights = PytorchWeights::file(file);
        Ok(self.torch_rename.iter().fold(weights, |weights, rename| {
            weights.with_rename(&rename.pattern, &rename.new)
        }))
    }

    /// Returns where the results go if nothing is said: into the directory of the only run, beside
    /// several, or beside the file.
    fn usual_folder(&self, command: &str, runs: &[Stored]) -> PathBuf {
        let directories: Vec<&Path> = runs.iter().map(|run| run.directory.as_path()).collect();
        match (runs, self.torch.as_slice()) {
            ([run], []) => run.directory.join(format!("{command}-{}", run.step())),
            ([run, others @ ..], []) if others.iter().all(|o| o.directory == run.directory) => {
                run.directory.join(command)
            }
            ([], [file]) => {
                let stem = file.file_stem().unwrap_or_default().to_string_lossy();
                file.with_file_name(format!("{stem}-{command}"))
            }
            ([], files) => {
                let parent = files.first().and_then(|file| file.parent());
                parent.unwrap_or(Path::new("")).join(command)
            }
            _ => common_folder(&directories).join(command),
        }
    }
}

/// Returns the data of a network, and how they are divided.
fn data_of(plan: &Plan) -> Option<&crate::config::subject::DatasetPlan> {
    plan.subject.network().map(|network| &network.data)
}

/// Gives the network of a plan its weights.
pub(super) fn place(
    source: &dyn Source,
    plan: &Plan,
    weights: Weights<'_>,
    sample: usize,
    device: &Device,
    devices: Option<&Devices>,
) -> anyhow::Result<Box<dyn Point>> {
    source.check(plan, device)?;
    let subject = source.subject(plan, sample, device)?;
    subject.place(weights, plan.seed, device, devices)
}

/// Returns the directories of the runs at and below a directory, in their order. A bare name is
/// looked up in runs/ too.
pub(super) fn directories_of(given: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let in_runs = Path::new("runs").join(given);
    let found = [given.to_owned(), in_runs]
        .into_iter()
        .find(|path| path.is_dir());
    let Some(directory) = found else {
        return Err(usage(format!(
            "there is no run {}; give a directory such as runs/quickstart/sgd",
            given.display()
        )));
    };
    let runs = begun(&directory)?;
    if runs.is_empty() {
        return Err(usage(format!(
            "{} holds no checkpoints; give the directory of a run, such as runs/quickstart/sgd",
            directory.display()
        )));
    }
    Ok(runs)
}

/// Refuses runs of different data: their losses are different functions, and their curvatures mean
/// different things.
fn same_data(a: &Stored, b: &Stored) -> anyhow::Result<()> {
    let difference = if a.plan().subject.split_seed() == b.plan().subject.split_seed() {
        same_checksums(a.checkpoint.state.data, b.checkpoint.state.data)
    } else {
        Some("they have different split seeds".to_owned())
    };
    match difference {
        Some(difference) => Err(usage(format!(
            "{} and {} cannot be measured together: they were trained on different data ({} and {}; {difference})",
            a.directory.display(),
            b.directory.display(),
            a.plan().subject.data_name(),
            b.plan().subject.data_name()
        ))),
        None => Ok(()),
    }
}

/// Returns the names of checkpoints: those of their runs, with steps where a run has several.
fn names_of_runs(runs: &[Stored]) -> Vec<String> {
    let mut directories: Vec<&Path> = Vec::new();
    for run in runs {
        if !directories.contains(&run.directory.as_path()) {
            directories.push(&run.directory);
        }
    }
    let names = short_names(&directories);
    let several = directories.len() < runs.len();
    let name = |run: &Stored| {
        let place = directories
            .iter()
            .position(|known| **known == run.directory);
        let name = &names[place.expect("every directory is among them")];
        match (several, directories.len()) {
            (true, 1) => format!("step {}", run.step()),
            (true, _) => format!("{name} {}", run.step()),
            (false, _) => name.clone(),
        }
    };
    runs.iter().map(name).collect()
}
