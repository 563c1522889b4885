//! The trainings of one command: checked before any begins, carried out one after the other, shown side by side.

use std::path::Path;
use std::sync::Arc;

use burn::tensor::Device;
use serde_json::json;

use super::data::Data;
use super::device;
use super::run_dir::{self, Beginning, Existing};
use super::training::{Outcome, train};
use crate::command::Context;
use crate::config::choice::Model;
use crate::config::{Training, Workspace};
use crate::failure::{INTERRUPTED, SUCCESS};
use crate::interrupt::Interrupt;
use crate::report::paint::Paint;
use crate::report::summary::Summary;
use crate::report::table::side_by_side;

/// The trainings of one command.
pub(crate) struct Session {
    jobs: Vec<Job>,
}

/// A training with all it needs.
pub(crate) struct Job {
    /// What is to be done.
    pub(crate) training: Training,
    /// How it begins.
    pub(crate) beginning: Beginning,
    /// The images.
    pub(crate) data: Arc<Data>,
    /// The autodiff device.
    pub(crate) device: Device,
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
        let mut jobs: Vec<Job> = Vec::new();
        for training in trainings {
            let plan = &training.plan;
            let device = device::autodiff(plan.device)
                .map_err(|message| workspace.setting_error(&training, "device", &message))?;
            let hidden = plan.hidden.to_vec();
            let uneven = hidden.is_empty() || hidden.windows(2).any(|pair| pair[0] != pair[1]);
            if plan.model == Model::ResidualMlp && uneven {
                let message = "the model residual-mlp has one block for each number and needs equal widths, such as [64, 64]";
                return Err(workspace.setting_error(&training, "hidden", message));
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
                return Err(workspace.setting_error(&training, "batch_size", &message));
            }
            jobs.push(Job {
                training,
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
        let mut finished: Vec<(String, Summary)> = Vec::new();
        let mut stopped = None;
        for job in &self.jobs {
            match train(job, interrupt)? {
                Outcome::Finished(summary) => finished.push((job.training.name.clone(), *summary)),
                Outcome::Interrupted { step } => {
                    stopped = Some((job, step));
                    break;
                }
            }
        }
        if context.json {
            let done = self.jobs.iter().zip(&finished);
            let runs: Vec<_> = done
                .map(|(job, (_, summary))| json!({"directory": job.training.output, "summary": summary}))
                .collect();
            let interrupted = stopped.as_ref().map(|(job, step)| {
                json!({"name": job.training.name, "directory": job.training.output, "step": step})
            });
            println!("{:#}", json!({"runs": runs, "interrupted": interrupted}));
        } else if !finished.is_empty() {
            let columns: Vec<_> = finished.iter().map(|(name, s)| (name.clone(), s)).collect();
            println!("{}", side_by_side(&columns));
        }
        if let Some((job, step)) = stopped {
            eprintln!(
                "{}: stopped at step {step}; its files in {} are complete, and --resume goes on",
                job.training.name,
                job.training.output.display()
            );
            return Ok(INTERRUPTED);
        }
        if !context.json {
            self.say_where(&finished);
        }
        Ok(SUCCESS)
    }

    fn say_where(&self, finished: &[(String, Summary)]) {
        let paint = Paint::stdout();
        let Some(first) = self.jobs.first() else {
            return;
        };
        let output = first.training.output.as_path();
        let folder = match self.jobs.len() {
            1 => output,
            _ => output.parent().unwrap_or_else(|| Path::new(".")),
        };
        println!(
            "To look at it: {}",
            paint.strong(&format!("tensorboard --logdir {}", folder.display()))
        );
        if finished
            .iter()
            .any(|(_, summary)| !summary.pictures.is_empty())
        {
            let places: Vec<_> = self
                .jobs
                .iter()
                .map(|job| job.training.output.join("*.png").display().to_string())
                .collect();
            println!("Pictures: {}", places.join(", "));
        }
    }
}
