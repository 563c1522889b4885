//! A subject of training without its types: the commands know neither networks nor batches.

use burn::tensor::Device;
use landscape::Devices;

use super::analysis::{Placed, Point, Weights};
use super::data::Data;
use super::dry_run::{self, Estimate};
use super::job::Job;
use super::measurement::{self, Measured, Task};
use super::training::{self, Outcome};
use super::weights::trained_parameters;
use crate::interrupt::Interrupt;
use crate::results::summary::DataSizes;
use crate::workload::Workload;

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

    /// Gives the network weights, at which curvature can be measured, spread over devices if there
    /// are any beside its own.
    ///
    /// # Errors
    /// As [`Placed::new`].
    fn place(
        &self,
        weights: Weights<'_>,
        seed: u32,
        device: &Device,
        devices: Option<&Devices>,
    ) -> anyhow::Result<Box<dyn Point>>;
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

    fn place(
        &self,
        weights: Weights<'_>,
        seed: u32,
        device: &Device,
        devices: Option<&Devices>,
    ) -> anyhow::Result<Box<dyn Point>> {
        let data = self.on(devices);
        Ok(Box::new(Placed::new(&data, weights, seed, device)?))
    }
}
