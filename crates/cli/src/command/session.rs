//! The trainings of one command: checked before any begins, carried out one after the other, shown
//! side by side.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use burn::tensor::Device;
use serde_json::json;

use super::context::Context;
use super::estimate;
use super::seeds::Seeds;
use crate::comparison::{self, Comparison, Drawn, Found};
use crate::config::choice::{Method, name};
use crate::config::{Plan, Training, Workspace, folder, limits};
use crate::engine::job::Job;
use crate::engine::run_dir::{self, Beginning, Existing};
use crate::engine::source::{Refusal, Source};
use crate::engine::subject::Subject;
use crate::engine::training::Outcome;
use crate::engine::{device, manifest};
use crate::failure::{Diverged, FAILED, INTERRUPTED, SUCCESS, usage};
use crate::interrupt::Interrupt;
use crate::report::output::{print, printable, say};
use crate::report::paint::Paint;
use crate::report::width;
use crate::results::summary::{DIVERGED, Summary};

/// The trainings of one command.
pub(super) struct Session {
    jobs: Vec<(Job, Arc<dyn Subject>)>,
}

impl Session {
    /// Checks everything that can be known before the first step: devices, directories, data,
    /// sizes.
    ///
    /// # Errors
    /// A usage error for settings and directories, a failure for data.
    pub(super) fn new(
        workspace: &Workspace,
        source: &dyn Source,
        trainings: Vec<Training>,
        existing: Existing,
    ) -> anyhow::Result<Self> {
        if let Some(folder) = shared_folder(&trainings) {
            comparison::check_folder(&folder.join(folder::PICTURES))?;
        }
        let mut jobs: Vec<(Job, Arc<dyn Subject>)> = Vec::new();
        for training in trainings {
            let plan = &training.plan;
            let refused = |refusal: Refusal| match refusal {
                Refusal::Setting(key, message) => {
                    workspace.setting_error(&training, &key, &message)
                }
                Refusal::Failure(error) => error,
            };
            let device = device::autodiff(plan.device)
                .map_err(|message| workspace.setting_error(&training, &["device"], &message))?;
            source.check(plan, &device).map_err(refused)?;
            let in_the_way = run_in_the_way(&training);
            if let (Some(run), false) = (&in_the_way, existing == Existing::Overwrite) {
                return Err(usage(format!(
                    "{} holds a run of one seed; --output DIR writes the seeds elsewhere, --overwrite removes it first",
                    run.display()
                )));
            }
            let beginning = run_dir::inspect(&training.output, existing)?;
            let before = jobs.iter().find(|(job, _)| {
                let other = &job.training.plan;
                other.subject == plan.subject && other.curvature_examples == plan.curvature_examples
            });
            let subject = match before {
                Some((_, subject)) => Arc::clone(subject),
                None => {
                    let sample = plan.curvature_examples.get();
                    source.subject(plan, sample, &device).map_err(refused)?
                }
            };
            check_sizes(plan, subject.sizes().training)
                .and_then(|()| check_eigenvalues(plan, subject.as_ref(), &device))
                .map_err(refused)?;
            let job = Job {
                training,
                existing,
                beginning,
                device,
            };
            jobs.push((job, subject));
        }
        Ok(Self { jobs })
    }

    /// Trains, and shows what came of it. Returns the exit code.
    ///
    /// # Errors
    /// When a training fails. What was logged and saved until then stays.
    pub(super) fn carry_out(self, context: &Context, interrupt: &Interrupt) -> anyhow::Result<u8> {
        for run in self
            .jobs
            .iter()
            .filter_map(|(job, _)| run_in_the_way(&job.training))
        {
            run_dir::remove(&run)?;
        }
        self.remember_order()?;
        let mut finished: Vec<(&Job, Summary)> = Vec::new();
        let mut diverged: Vec<PathBuf> = Vec::new();
        let mut stopped = None;
        for (job, subject) in &self.jobs {
            match subject.train(job, interrupt) {
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
        let seeds = Seeds::of(self.jobs.iter().map(|(job, _)| &*job.training.output));
        if let Some(text) = seeds.text().filter(|_| !context.json) {
            self.show(&printable(&text))?;
        }
        let drawn = match &stopped {
            None if !finished.is_empty() => self.draw(&comparison)?,
            _ => None,
        };
        if context.json {
            let mut document = comparison.json(drawn.as_ref());
            document["seeds"] = seeds.json();
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

    /// Carries out the first training alone, and shows nothing but its progress.
    ///
    /// # Errors
    /// As [`carry_out`](Self::carry_out), and [`Diverged`].
    ///
    /// # Panics
    /// When there is no training.
    pub(super) fn train_first(&self, interrupt: &Interrupt) -> anyhow::Result<Outcome> {
        let (job, subject) = self.jobs.first().expect("a session of one training");
        subject.train(job, interrupt)
    }

    /// Writes the order of the members of a group, in which `compare` shows them.
    fn remember_order(&self) -> anyhow::Result<()> {
        let trainings = || self.jobs.iter().map(|(job, _)| &job.training);
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
    /// When a network cannot be trained or measured.
    pub(super) fn estimate(&self, context: &Context) -> anyhow::Result<u8> {
        let mut estimates = Vec::new();
        for (job, subject) in &self.jobs {
            estimates.push(subject.estimate(job)?);
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
                .map(|(job, _)| job.training.output.display().to_string())
                .collect();
            format!(
                "the figures cannot be printed; they are in summary.json of {}",
                places.join(", ")
            )
        })
    }

    /// Draws the pictures of all trainings on one scale, into the folder that they share.
    fn draw(&self, comparison: &Comparison) -> anyhow::Result<Option<Drawn>> {
        let trainings: Vec<Training> = self
            .jobs
            .iter()
            .map(|(job, _)| job.training.clone())
            .collect();
        match shared_folder(&trainings) {
            Some(folder) if comparison.obstacle().is_none() => {
                comparison::draw(comparison, &folder.join(folder::PICTURES)).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn say_where(&self, pictures: bool, drawn: Option<&Drawn>) -> anyhow::Result<()> {
        let paint = Paint::stdout();
        let Some((first, _)) = self.jobs.first() else {
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

/// Returns the directory in which a folder of a seed is to be made, if a run lies there.
fn run_in_the_way(training: &Training) -> Option<PathBuf> {
    let folder = training.output.parent()?;
    let is_of_a_seed = *training.output == *folder.join(folder::of_seed(training.plan.seed));
    (is_of_a_seed && training.group.is_some() && folder.join(manifest::FILE).exists())
        .then(|| folder.to_owned())
}

/// Returns the folder that several trainings share.
fn shared_folder(trainings: &[Training]) -> Option<PathBuf> {
    match trainings {
        [first, _, ..] => first.group.clone(),
        _ => None,
    }
}

/// Checks sizes that follow from several settings, before anything of such a size is made.
fn check_sizes(plan: &Plan, examples: usize) -> Result<(), Refusal> {
    let batch = plan.batch_size.get();
    if batch > examples {
        let message = format!(
            "{batch} is more than the {examples} training examples of `{}`; allowed: 1 to {examples}",
            plan.subject.data_name()
        );
        return Err(Refusal::Setting(vec!["batch_size"], message));
    }
    if plan.clip.is_some() && plan.method != Method::Plain {
        let message = format!(
            "only the optimiser alone is clipped, and not the gradient at the peak; here the method is {}",
            name(plan.method)
        );
        return Err(Refusal::Setting(vec!["clip"], message));
    }
    let per_epoch = examples.div_ceil(batch) as u64;
    let steps = per_epoch * plan.epochs.get() as u64;
    for (probe, moments) in plan.probes.moments() {
        let observations = moments.count(steps);
        if observations > limits::OBSERVATIONS {
            let message = format!(
                "`{moments}` is {observations} observations in {steps} steps; allowed: at most {}",
                limits::OBSERVATIONS
            );
            return Err(Refusal::Setting(vec!["probes", probe], message));
        }
    }
    Ok(())
}

/// Checks that the network has as many parameters as eigenvalues are asked for.
fn check_eigenvalues(plan: &Plan, subject: &dyn Subject, device: &Device) -> Result<(), Refusal> {
    let (eigenvalues, parameters) = (
        plan.probes.eigenvalue_count.get(),
        subject.parameters(device),
    );
    if eigenvalues <= parameters {
        return Ok(());
    }
    let message =
        format!("{eigenvalues} is more than the {parameters} parameters of the network have");
    Err(Refusal::Setting(
        vec!["probes", "eigenvalue_count"],
        message,
    ))
}
