//! The trainings of one command: checked before any begins, carried out one after the other, shown side by side.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use serde_json::json;

use super::Context;
use super::estimate;
use crate::comparison::{self, Comparison, Drawn, Found};
use crate::config::choice::Model;
use crate::config::{Plan, Training, Workspace, folder, limits};
use crate::engine::data::Data;
use crate::engine::job::Job;
use crate::engine::network::dense_parameters;
use crate::engine::run_dir::{self, Beginning, Existing};
use crate::engine::training::{Outcome, train};
use crate::engine::{device, dry_run, manifest};
use crate::failure::{Diverged, FAILED, INTERRUPTED, SUCCESS, usage};
use crate::interrupt::Interrupt;
use crate::report::output::{print, printable, say};
use crate::report::paint::Paint;
use crate::report::width;
use crate::results::summary::{DIVERGED, Summary};

/// The trainings of one command.
pub(crate) struct Session {
    jobs: Vec<Job>,
}

impl Session {
    /// Checks everything that can be known before the first step: devices, directories, data, sizes.
    ///
    /// # Errors
    ///
    /// A usage error for settings and directories, a failure for data.
    pub(crate) fn new(
        workspace: &Workspace,
        trainings: Vec<Training>,
        existing: Existing,
    ) -> anyhow::Result<Self> {
        if let Some(folder) = shared_folder(&trainings) {
            comparison::check_folder(&folder.join(folder::PICTURES))?;
        }
        let mut jobs: Vec<Job> = Vec::new();
        for training in trainings {
            let plan = &training.plan;
            let device = device::autodiff(plan.device)
                .map_err(|message| workspace.setting_error(&training, &["device"], &message))?;
            let hidden = plan.hidden.to_vec();
            let uneven = hidden.is_empty() || hidden.windows(2).any(|pair| pair[0] != pair[1]);
            if plan.model == Model::ResidualMlp && uneven {
                let message = "the model residual-mlp has one block for each number and needs equal widths: --hidden 64,64, or hidden = [64, 64] in workspace.toml";
                return Err(workspace.setting_error(&training, &["hidden"], message));
            }
            let in_the_way = run_in_the_way(&training);
            if let (Some(run), false) = (&in_the_way, existing == Existing::Overwrite) {
                return Err(usage(format!(
                    "{} holds a run of one seed; --output DIR writes the seeds elsewhere, --overwrite removes it first",
                    run.display()
                )));
            }
            let beginning = run_dir::inspect(&training.output, existing)?;
            let before = jobs.iter().find(|job| {
                let other = &job.training.plan;
                other.data == plan.data && other.curvature_examples == plan.curvature_examples
            });
            let data = match before {
                Some(job) => job.data.clone(),
                None => Arc::new(Data::load(&plan.data, plan.curvature_examples.get())?),
            };
            let (batch, examples) = (plan.batch_size.get(), data.train.len());
            if batch > examples {
                let message = format!(
                    "{batch} is more than the {examples} training examples of `{}`; allowed: 1 to {examples}",
                    plan.dataset
                );
                return Err(workspace.setting_error(&training, &["batch_size"], &message));
            }
            check_sizes(plan, &data)
                .map_err(|(key, message)| workspace.setting_error(&training, &key, &message))?;
            jobs.push(Job {
                training,
                existing,
                beginning,
                data,
                device,
            });
        }
        Ok(Self { jobs })
    }

    /// Trains, and shows what came of it; the exit code.
    ///
    /// # Errors
    ///
    /// When a training fails. What was logged and saved until then stays.
    pub(crate) fn carry_out(self, context: &Context, interrupt: &Interrupt) -> anyhow::Result<u8> {
        for run in self
            .jobs
            .iter()
            .filter_map(|job| run_in_the_way(&job.training))
        {
            run_dir::remove(&run)?;
        }
        self.remember_order()?;
        let mut finished: Vec<(&Job, Summary)> = Vec::new();
        let mut diverged: Vec<PathBuf> = Vec::new();
        let mut stopped = None;
        for job in &self.jobs {
            match train(job, interrupt) {
                Ok(Outcome::Finished(summary)) => finished.push((job, *summary)),
                Ok(Outcome::Interrupted { step }) => {
                    stopped = Some((job, step));
                    break;
                }
                // The others are not to blame.
                Err(error) if self.jobs.len() > 1 && error.is::<Diverged>() => {
                    let message = format!("{error:#}");
                    let alarm = Paint::stderr().alarm("error:");
                    say(&format!("{alarm} {}", printable(&message)));
                    diverged.push(job.training.output.clone());
                }
                Err(error) => return Err(error),
            }
        }
        let done = finished.iter();
        let done = done.map(|(job, summary)| (job.training.output.clone(), summary.clone()));
        let comparison = Comparison::of(Found {
            finished: done.collect(),
            unfinished: diverged.clone(),
        });
        if !context.json && !finished.is_empty() {
            self.show(&comparison.text(width::columns()))?;
        }
        let drawn = match &stopped {
            None if !finished.is_empty() => self.draw(&comparison)?,
            _ => None,
        };
        if context.json {
            let mut document = comparison.json(drawn.as_ref());
            document["interrupted"] = json!(stopped.as_ref().map(|(job, step)| {
                json!({"name": job.training.name, "directory": job.training.output, "step": step})
            }));
            self.show(&format!("{document:#}"))?;
        }
        if let Some((job, step)) = stopped {
            say(&format!(
                "{}: stopped at step {step}; its files in {} are complete, and --resume goes on",
                job.training.name,
                printable(&job.training.output.display().to_string())
            ));
            return Ok(INTERRUPTED);
        }
        if !context.json {
            let pictures = finished
                .iter()
                .any(|(_, summary)| !summary.pictures.is_empty());
            self.say_where(pictures, drawn.as_ref())?;
        }
        // A finished run that is only shown has failed before, and is asked for all the same.
        let failed = |(job, summary): &(&Job, Summary)| {
            job.beginning != Beginning::Done && summary.status == DIVERGED
        };
        Ok(if !diverged.is_empty() || finished.iter().any(failed) {
            FAILED
        } else {
            SUCCESS
        })
    }

    /// `compare` shows the members of a group in the order of workspace.toml.
    fn remember_order(&self) -> anyhow::Result<()> {
        let trainings = || self.jobs.iter().map(|job| &job.training);
        let mut members: Vec<String> = trainings().filter_map(|t| t.member.clone()).collect();
        // The seeds of a member follow each other.
        members.dedup();
        match trainings().find_map(|training| training.group.as_ref()) {
            Some(folder) if !members.is_empty() => comparison::write_order(folder, &members),
            _ => Ok(()),
        }
    }

    /// Says what the trainings would take, and writes nothing; the exit code.
    ///
    /// # Errors
    ///
    /// When a network cannot be trained or measured.
    pub(crate) fn estimate(&self, context: &Context) -> anyhow::Result<u8> {
        let mut estimates = Vec::new();
        for job in &self.jobs {
            estimates.push(dry_run::estimate(job)?);
        }
        if context.json {
            print(&format!("{:#}", json!({"dry_run": estimates})))?;
            return Ok(SUCCESS);
        }
        print(&estimate::table(&estimates))?;
        print(
            "An estimate from a few steps and one Hessian product, on this machine as it is\nnow; nothing was written.",
        )?;
        Ok(SUCCESS)
    }

    /// Prints what came out, which is on the disk whether it can be printed or not.
    fn show(&self, text: &str) -> anyhow::Result<()> {
        print(text).with_context(|| {
            let places: Vec<_> = self
                .jobs
                .iter()
                .map(|job| job.training.output.display().to_string())
                .collect();
            format!(
                "the figures cannot be printed; they are in summary.json of {}",
                places.join(", ")
            )
        })
    }

    /// The pictures of all trainings on one scale, into the folder that they share.
    fn draw(&self, comparison: &Comparison) -> anyhow::Result<Option<Drawn>> {
        let trainings: Vec<Training> = self.jobs.iter().map(|job| job.training.clone()).collect();
        match shared_folder(&trainings) {
            Some(folder) if comparison.obstacle().is_none() => {
                comparison::draw(comparison, &folder.join(folder::PICTURES)).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn say_where(&self, pictures: bool, drawn: Option<&Drawn>) -> anyhow::Result<()> {
        let paint = Paint::stdout();
        let Some(first) = self.jobs.first() else {
            return Ok(());
        };
        let group = first.training.group.as_ref();
        let folder = group.unwrap_or(&first.training.output);
        let command = format!("tensorboard --logdir {}", folder.display());
        let look = paint.strong(&printable(&command));
        self.show(&format!("To look at it: {look}"))?;
        if pictures {
            let place = match group {
                Some(folder) => format!("in the folder of each run in {}", folder.display()),
                None => folder.join("*.png").display().to_string(),
            };
            self.show(&printable(&format!("Pictures: {place}")))?;
        }
        if let Some(drawn) = drawn.filter(|drawn| !drawn.files.is_empty()) {
            self.show(&printable(&drawn.text(width::columns())))?;
        }
        Ok(())
    }
}

/// The directory in which a folder of a seed is to be made, if a run lies there.
fn run_in_the_way(training: &Training) -> Option<PathBuf> {
    let folder = training.output.parent()?;
    let is_of_a_seed = *training.output == *folder.join(folder::of_seed(training.plan.seed));
    (is_of_a_seed && training.group.is_some() && folder.join(manifest::FILE).exists())
        .then(|| folder.to_owned())
}

/// The folder that several trainings share.
fn shared_folder(trainings: &[Training]) -> Option<PathBuf> {
    match trainings {
        [first, _, ..] => first.group.clone(),
        _ => None,
    }
}

/// A key and what is wrong with its value.
type Mistake = (Vec<&'static str>, String);

/// Sizes that follow from several settings, before anything of such a size is made.
fn check_sizes(plan: &Plan, data: &Data) -> Result<(), Mistake> {
    let layers = plan.hidden.0.len();
    if layers > limits::LAYERS {
        let message = format!("{layers} layers; allowed: at most {}", limits::LAYERS);
        return Err((vec!["hidden"], message));
    }
    if let Some(parameters) = dense_parameters(plan, data) {
        if parameters > limits::PARAMETERS {
            let message = format!(
                "the widths {} make a network of {parameters} parameters; allowed: at most {}",
                plan.hidden,
                limits::PARAMETERS
            );
            return Err((vec!["hidden"], message));
        }
        let eigenvalues = plan.probes.eigenvalue_count.get() as u64;
        if eigenvalues > parameters {
            let message = format!(
                "{eigenvalues} is more than the {parameters} parameters of the network have"
            );
            return Err((vec!["probes", "eigenvalue_count"], message));
        }
    }
    let per_epoch = data.train.len().div_ceil(plan.batch_size.get()) as u64;
    let steps = per_epoch * plan.epochs.get() as u64;
    for (probe, moments) in plan.probes.moments() {
        let observations = moments.count(steps);
        if observations > limits::OBSERVATIONS {
            let message = format!(
                "`{moments}` is {observations} observations in {steps} steps; allowed: at most {}",
                limits::OBSERVATIONS
            );
            return Err((vec!["probes", probe], message));
        }
    }
    Ok(())
}
