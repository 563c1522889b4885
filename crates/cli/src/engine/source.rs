//! The source of subjects: bundled workloads that settings choose, or the program's own.

use std::sync::{Arc, OnceLock};

use burn::tensor::Device;

use super::data::Data;
use super::sound;
use super::subject::Subject;
use crate::config::Plan;
use crate::config::choice::{Method, name};
use crate::config::subject;
use crate::failure::usage;
use crate::results::summary::{DataChecksums, DataSizes};
use crate::workload::{Part, Workload};

/// The reason why there is no subject.
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

/// A source of subjects that can be trained.
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
    /// Set once the workload has been found to keep to its trait.
    sound: OnceLock<()>,
    sizes: OnceLock<DataSizes>,
}

impl<W: Workload> Own<W> {
    /// Takes the workload.
    pub(crate) fn new(workload: W) -> Self {
        Self {
            name: workload.name(),
            workload: Arc::new(workload),
            sound: OnceLock::new(),
            sizes: OnceLock::new(),
        }
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
        if self.sound.get().is_none() {
            sound::check(self.workload.as_ref(), device)?;
            self.sound.get_or_init(|| ());
        }
        if matches!(plan.method, Method::Esam | Method::MicroBatchSam)
            && !sound::has_losses(self.workload.as_ref(), device)
        {
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
