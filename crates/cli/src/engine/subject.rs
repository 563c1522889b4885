//! What can be trained, its types left behind: the commands know neither networks nor batches.

use std::sync::{Arc, OnceLock};

use burn::tensor::Device;

use super::data::Data;
use super::dry_run::{self, Estimate};
use super::job::Job;
use super::measurement::{self, Measured, Task};
use super::training::{self, Outcome};
use super::weights::trained_parameters;
use crate::config::Plan;
use crate::config::choice::{Method, name};
use crate::config::subject;
use crate::failure::usage;
use crate::interrupt::Interrupt;
use crate::results::summary::{DataChecksums, DataSizes};
use crate::workload::{Part, Workload};

/// A workload with its data.
pub(crate) trait Subject {
    /// Returns how many examples each part has.
    fn sizes(&self) -> DataSizes;

    /// Returns the number of trained parameters.
    fn parameters(&self, device: &Device) -> usize;

    /// Trains.
    ///
    /// # Errors
    /// As [`training::train`].
    fn train(&self, job: &Job, interrupt: &Interrupt) -> anyhow::Result<Outcome>;

    /// Estimates what a training would take.
    ///
    /// # Errors
    /// As [`dry_run::estimate`].
    fn estimate(&self, job: &Job) -> anyhow::Result<Estimate>;

    /// Measures a checkpoint, or the line from it to another one.
    ///
    /// # Errors
    /// As [`measurement::measure`].
    fn measure(&self, task: &Task<'_>) -> anyhow::Result<Measured>;
}

impl<W: Workload> Subject for Data<W> {
    fn sizes(&self) -> DataSizes {
        Self::sizes(self)
    }

    fn parameters(&self, device: &Device) -> usize {
        trained_parameters(&self.model(0, device))
    }

    fn train(&self, job: &Job, interrupt: &Interrupt) -> anyhow::Result<Outcome> {
        training::train(job, self, interrupt)
    }

    fn estimate(&self, job: &Job) -> anyhow::Result<Estimate> {
        dry_run::estimate(job, self)
    }

    fn measure(&self, task: &Task<'_>) -> anyhow::Result<Measured> {
        measurement::measure(task, self)
    }
}

/// Why there is no subject.
pub(crate) enum Refusal {
    /// A setting that does not fit: its key and what is wrong with it.
    Setting(Vec<&'static str>, String),
    /// Data that cannot be read, and the like.
    Failure(anyhow::Error),
}

impl Refusal {
    /// Returns the refusal of the widths of a network.
    pub(crate) fn hidden(message: impl Into<String>) -> Self {
        Self::Setting(vec!["hidden"], message.into())
    }
}

impl From<anyhow::Error> for Refusal {
    fn from(error: anyhow::Error) -> Self {
        Self::Failure(error)
    }
}

impl From<Refusal> for anyhow::Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Setting(key, message) => usage(format!("{}: {message}", key.join("."))),
            Refusal::Failure(error) => error,
        }
    }
}

/// What a program can train.
pub(crate) trait Source {
    /// Returns the name of the one workload; none where settings choose among the bundled ones.
    fn own(&self) -> Option<&str>;

    /// Checks what can be known before data are read.
    ///
    /// # Errors
    /// When a setting does not fit.
    fn check(&self, plan: &Plan, device: &Device) -> Result<(), Refusal>;

    /// Returns the subject of a plan, with a sample of so many examples for curvature. Data are
    /// read once.
    ///
    /// # Errors
    /// When a setting does not fit, or data cannot be read.
    fn subject(
        &self,
        plan: &Plan,
        sample: usize,
        device: &Device,
    ) -> Result<Arc<dyn Subject>, Refusal>;
}

/// A program with one workload of its own.
pub(crate) struct Own<W> {
    workload: Arc<W>,
    name: String,
    sizes: OnceLock<DataSizes>,
}

impl<W: Workload> Own<W> {
    /// Takes the workload.
    pub(crate) fn new(workload: W) -> Self {
        Self {
            name: workload.name(),
            workload: Arc::new(workload),
            sizes: OnceLock::new(),
        }
    }

    /// Returns whether the workload tells the losses of the examples of a batch, from one example.
    fn has_losses(&self, device: &Device) -> bool {
        let example = self.workload.batch(Part::Training, &[0], device);
        let model = self.workload.model(0, device);
        self.workload.losses(&model, &example).is_some()
    }

    /// Returns the sizes of the data, with checksums that are computed once.
    fn sizes(&self, device: &Device) -> DataSizes {
        let device = device.clone().inner();
        *self.sizes.get_or_init(|| {
            let [training, validation, test] = Part::ALL.map(|part| self.workload.examples(part));
            let sum = |part| self.workload.checksum(part, &device);
            DataSizes {
                training,
                validation,
                test,
                crc32c: DataChecksums {
                    training: sum(Part::Training),
                    validation: sum(Part::Validation),
                    test: sum(Part::Test),
                },
            }
        })
    }
}

impl<W: Workload> Source for Own<W> {
    fn own(&self) -> Option<&str> {
        Some(&self.name)
    }

    fn check(&self, plan: &Plan, device: &Device) -> Result<(), Refusal> {
        let own = &self.name;
        match &plan.subject {
            subject::Subject::Own { workload } if workload == own => {}
            other => {
                return Err(Refusal::Failure(usage(format!(
                    "the run is one of `{}`, and this program has the workload `{own}` only",
                    other.in_words()
                ))));
            }
        }
        if let Some(part) = Part::ALL
            .into_iter()
            .find(|part| self.workload.examples(*part) == 0)
        {
            let message = format!(
                "the workload `{own}` has no {} examples, and each part needs at least one",
                part.name()
            );
            return Err(Refusal::Failure(anyhow::Error::msg(message)));
        }
        if matches!(plan.method, Method::Esam | Method::MicroBatchSam) && !self.has_losses(device) {
            let message = format!(
                "{} tells the examples of a batch apart, and the workload `{own}` does not say their `losses`",
                name(plan.method)
            );
            return Err(Refusal::Setting(vec!["method"], message));
        }
        Ok(())
    }

    fn subject(
        &self,
        plan: &Plan,
        sample: usize,
        device: &Device,
    ) -> Result<Arc<dyn Subject>, Refusal> {
        self.check(plan, device)?;
        let data = Data::of(Arc::clone(&self.workload), self.sizes(device), 0, sample);
        Ok(Arc::new(data))
    }
}
