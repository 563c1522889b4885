//! `landscape learning-rate NAME|RUN`: how the loss answers to the learning rate, before a training
//! or at the weights of one.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use burn::tensor::Device;
use clap::Args;
use probes::sink::Folder;
use probes::{LearningRateConfig, Value};
use serde_json::json;

use super::context::Context;
use super::ending::{self, COMPLETE};
use super::points::{Steps, directories_of, place};
use super::slices::file_name;
use crate::config::bounded::{Bounded, Count, Positive};
use crate::config::{Plan, Settings, limits};
use crate::engine::analysis::{Point, Weights};
use crate::engine::device;
use crate::engine::measure_dir::{FINISHED, INTERRUPTED, Kind, MeasureDir, inspect};
use crate::engine::source::Source;
use crate::engine::stored::{Stored, Which};
use crate::engine::watch::Watch;
use crate::failure::usage;
use crate::interrupt::Interrupt;
use crate::report::output::{print, printable};
use crate::report::paint::Paint;
use crate::report::progress::Progress;

pub(super) const EXAMPLE: &str = "Example:
  landscape learning-rate quickstart
  landscape learning-rate runs/quickstart/sgd --from 1e-4 --to 1
  landscape learning-rate quickstart --rates 0.01,0.03,0.1,0.3

The rate grows from step to step on a copy of the network, until the loss diverges; with
--rates a short run is trained at each of them. Beside it stands what the curvature says
of the largest stable rate. Nothing of the run changes.";

const KIND: Kind = Kind {
    file: "learning_rate.json",
    schema: "landscape-learning-rate/1",
    name: "a test of the learning rate",
};

const WHAT: &str = "The test";

/// The arguments of the command.
#[derive(Args)]
pub(crate) struct Arguments {
    /// A run of workspace.toml, tested at the weights with which it begins; or the directory of a
    /// run, tested at the weights of its last checkpoint
    #[arg(value_name = "NAME|RUN")]
    subject: PathBuf,
    /// First learning rate
    #[arg(long, value_name = "X", default_value = "1e-5", help_heading = WHAT)]
    from: Bounded<Positive>,
    /// Last learning rate
    #[arg(long, value_name = "X", default_value = "10", help_heading = WHAT)]
    to: Bounded<Positive>,
    /// Steps of the test, or of each short run
    #[arg(long, value_name = "N", default_value = "120", help_heading = WHAT)]
    steps: Count<{ limits::RATE_STEPS }>,
    /// Orders of the batches, each tested
    #[arg(long, value_name = "N", default_value = "3", help_heading = WHAT)]
    orders: Count<{ limits::RATE_ORDERS }>,
    /// Train a short run at each of these rates, with commas between them, in place of the test
    #[arg(long, value_name = "X,X,..", value_delimiter = ',', help_heading = WHAT)]
    rates: Vec<Bounded<Positive>>,
    /// Checkpoint of a run: a step, `latest`, or `best`
    #[arg(long, value_name = "N|latest|best", default_value = "latest")]
    step: Steps,
    /// Seed of the orders of the batches (otherwise that of the run)
    #[arg(long, value_name = "N")]
    seed: Option<u32>,
    /// Folder for document and pictures (otherwise one in the directory of the run)
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Replace what the command found earlier in that folder
    #[arg(long)]
    overwrite: bool,
}

/// A network with the settings of its training.
struct Subject {
    name: String,
    plan: Plan,
    point: Box<dyn Point>,
}

impl Arguments {
    fn config(&self, seed: u32) -> anyhow::Result<LearningRateConfig> {
        let (from, to) = (self.from.get(), self.to.get());
        if from >= to {
            return Err(usage(format!(
                "--to is {to}: it must be above --from, {from}"
            )));
        }
        let mut rates = self.rates.iter().map(|rate| rate.get());
        if !rates.by_ref().is_sorted_by(|a, b| a < b) {
            return Err(usage("--rates: give them in increasing order"));
        }
        Ok(LearningRateConfig::new()
            .with_lowest(from)
            .with_highest(to)
            .with_steps(self.steps.get().max(2))
            .with_orders(self.orders.get())
            .with_seed(u64::from(self.seed.unwrap_or(seed))))
    }

    /// Returns what is tested and the folder of the results.
    fn subjects(
        &self,
        context: &Context,
        source: &dyn Source,
    ) -> anyhow::Result<(Vec<Subject>, PathBuf)> {
        let on = |plan: &Plan| -> anyhow::Result<Device> {
            device::autodiff(plan.device).map_err(|message| usage(format!("--device: {message}")))
        };
        let placed = |name: String, plan: &Plan, weights: Weights<'_>| -> anyhow::Result<Subject> {
            let sample = plan.curvature_examples.get();
            Ok(Subject {
                name,
                plan: plan.clone(),
                point: place(source, plan, weights, sample, &on(plan)?, None)?,
            })
        };
        if self.subject.is_dir() {
            let directories = directories_of(&self.subject)?;
            let which = match &self.step {
                Steps::Some(steps) if steps.len() == 1 => steps[0],
                _ => return Err(usage("--step: name one checkpoint")),
            };
            let mut subjects = Vec::new();
            for directory in &directories {
                let stored = Stored::open(directory, which)?;
                let name = directory.display().to_string();
                subjects.push(placed(name, stored.plan(), Weights::Checkpoint(&stored))?);
            }
            let folder = match directories.as_slice() {
                [run] => run.join("learning-rate"),
                _ => self.subject.join("learning-rate"),
            };
            return Ok((subjects, folder));
        }
        if !matches!(&self.step, Steps::Some(steps) if steps[..] == [Which::Latest]) {
            return Err(usage(format!(
                "--step: {} is no directory of a run, and before a training there are no checkpoints",
                self.subject.display()
            )));
        }
        let name = self.subject.to_string_lossy();
        let workspace = context.read_workspace(source.own())?;
        let trainings = workspace.trainings(&name, &Settings::default())?;
        let mut subjects: Vec<Subject> = Vec::new();
        for training in trainings {
            subjects.push(placed(training.name, &training.plan, Weights::Initial)?);
        }
        Ok((
            subjects,
            Path::new("runs").join(format!("{name}-learning-rate")),
        ))
    }
}

/// Tests, prints what was found, and writes document and pictures.
///
/// # Errors
/// A sentence for the user.
pub(super) fn carry_out(
    arguments: &Arguments,
    context: &Context,
    source: &dyn Source,
    interrupt: &Interrupt,
) -> anyhow::Result<u8> {
    let (subjects, usual) = arguments.subjects(context, source)?;
    let path = arguments.output.clone().unwrap_or(usual);
    let first = subjects.first().context("there is nothing to test")?;
    let config = arguments.config(first.plan.seed)?;
    inspect(&path, KIND, arguments.overwrite)?;
    let mut folder = MeasureDir::take(&path, KIND, arguments.overwrite)?;
    let (mut documents, mut failures, mut interrupted) = (Vec::new(), Vec::new(), false);
    for (number, subject) in (1..).zip(&subjects) {
        let tag = match subjects.len() {
            1 => "learning-rate".to_owned(),
            _ => format!("learning-rate-{number}-{}", file_name(&subject.name)),
        };
        let watch = Watch::new(Progress::of_measurements(&subject.name), interrupt.clone());
        let found = found(arguments, subject, &config, &watch);
        drop(watch);
        match found {
            Ok(found) => {
                if let Some(picture) = found.picture {
                    for (name, bytes) in Folder::files(&tag, 0, &Value::Picture(picture))? {
                        folder.write(&name, &bytes)?;
                    }
                }
                if !context.json {
                    print(&Paint::stdout().strong(&printable(&subject.name)))?;
                    print(&printable(&format!("{}\n", found.text)))?;
                }
                documents.push(json!({ "name": subject.name, "results": found.data }));
            }
            Err(_) if interrupt.requested() => {
                interrupted = true;
                break;
            }
            Err(error) => failures.push(format!("{}: {error:#}", subject.name)),
        }
    }
    let document = folder.conclude(json!({
        "schema": KIND.schema,
        "status": if interrupted { INTERRUPTED } else { FINISHED },
        "settings": config,
        "failures": failures,
        "models": documents,
    }))?;
    if context.json {
        print(&format!("{document:#}"))?;
    } else {
        let path = path.display().to_string();
        print(&format!("Numbers and pictures: {}", printable(&path)))?;
    }
    Ok(ending::end(failures, interrupted.then_some(COMPLETE)))
}

/// The result of one test.
struct Found {
    text: String,
    data: serde_json::Value,
    picture: Option<pictures::Picture>,
}

fn found(
    arguments: &Arguments,
    subject: &Subject,
    config: &LearningRateConfig,
    watch: &Watch,
) -> anyhow::Result<Found> {
    let (point, plan) = (&subject.point, &subject.plan);
    let rates: Vec<f64> = arguments.rates.iter().map(|rate| rate.get()).collect();
    if rates.is_empty() {
        let test = point.range_test(plan, config, watch)?;
        let starts = test.courses.iter().any(|course| !course.losses.is_empty());
        return Ok(Found {
            text: test.to_string(),
            data: test.data(),
            picture: starts.then(|| test.picture()).transpose()?,
        });
    }
    let sensitivity = point.sensitivity(plan, &rates, config, watch)?;
    Ok(Found {
        text: sensitivity.to_string(),
        data: sensitivity.data(),
        picture: Some(sensitivity.picture()?),
    })
}
