//! The data of a training as the engine takes them: whole parts, batches of a step, and the fixed
//! sample for curvature.

use std::sync::Arc;

use burn::tensor::Device;
use landscape::{Batches, Devices, Reduction, Risk};

use crate::results::summary::{DataChecksums, DataSizes};
use crate::workload::{Part, Workload};

/// Examples in a batch of a measurement; a forward pass over it stays within a few hundred
/// megabytes.
const MEASURED_AT_ONCE: usize = 1024;

/// A workload with its sizes and the sample for curvature.
pub(crate) struct Data<W> {
    workload: Arc<W>,
    sizes: DataSizes,
    /// Training examples of the curvature sample, in a fixed random order.
    sample: Vec<usize>,
    /// Those over which measurements are spread.
    devices: Option<Devices>,
}

// A workload need not be one that can be cloned.
impl<W> Clone for Data<W> {
    fn clone(&self) -> Self {
        Self {
            workload: Arc::clone(&self.workload),
            sizes: self.sizes,
            sample: self.sample.clone(),
            devices: self.devices.clone(),
        }
    }
}

impl<W: Workload> Data<W> {
    /// Draws a sample of so many training examples. It depends on the split alone, so that runs
    /// with different seeds are measured on the same examples.
    pub(crate) fn of(workload: Arc<W>, sizes: DataSizes, split_seed: u64, sample: usize) -> Self {
        let sample = datasets::fixed_sample(split_seed, sample, sizes.training);
        Self {
            workload,
            sizes,
            sample,
            devices: None,
        }
    }

    /// Returns the same data, of which losses and accuracies are measured on these devices.
    pub(crate) fn on(&self, devices: Option<&Devices>) -> Self {
        Self {
            devices: devices.cloned(),
            ..self.clone()
        }
    }

    fn spread(&self, risk: Risk<W::Model, W::Batch>) -> Risk<W::Model, W::Batch> {
        match &self.devices {
            Some(devices) => risk.spread_over(devices),
            None => risk,
        }
    }

    /// Returns the workload.
    pub(crate) const fn workload(&self) -> &Arc<W> {
        &self.workload
    }

    /// Returns the network with its initial weights, all of them drawn.
    pub(crate) fn model(&self, seed: u32, device: &Device) -> W::Model {
        let seed = u64::from(seed);
        device.seed(seed);
        let model = self.workload.model(seed, device);
        // Burn draws a weight when it is first looked at.
        super::weights::trained_parameters(&model);
        model
    }

    /// Returns how many examples each part has.
    pub(crate) const fn sizes(&self) -> DataSizes {
        self.sizes
    }

    /// Returns the checksums of the parts, to tell whether two runs saw the same examples.
    pub(crate) const fn checksums(&self) -> DataChecksums {
        self.sizes.crc32c
    }

    /// Returns how many training examples there are.
    pub(crate) const fn training(&self) -> usize {
        self.sizes.training
    }

    /// Returns how many examples the sample for curvature has.
    pub(crate) const fn curvature_examples(&self) -> usize {
        self.sample.len()
    }

    /// Returns the training batch of these examples.
    pub(crate) fn batch(&self, indices: &[usize], device: &Device) -> W::Batch {
        self.workload.batch(Part::Training, indices, device)
    }

    /// Returns all examples of a part.
    pub(crate) fn batches(&self, part: Part, device: &Device) -> Vec<W::Batch> {
        let indices: Vec<usize> = (0..self.workload.examples(part)).collect();
        self.batches_of(part, &indices, device)
    }

    /// Returns the sample for curvature.
    pub(crate) fn curvature_batches(&self, device: &Device) -> Vec<W::Batch> {
        self.batches_of(Part::Training, &self.sample, device)
    }

    /// Returns the sample for curvature in batches of a size, as they are trained on: without the
    /// rest, whose statistics would be those of fewer examples, unless there is nothing else.
    pub(crate) fn sample_batches(&self, size: usize, device: &Device) -> Vec<W::Batch> {
        let full = self.sample.len() / size * size;
        let sample = if full == 0 {
            &self.sample
        } else {
            &self.sample[..full]
        };
        let some = sample.chunks(size);
        some.map(|some| self.batch(some, device)).collect()
    }

    /// Returns all training examples in batches of a size, to be trained on.
    pub(crate) fn training_batches(&self, size: usize, device: &Device) -> Vec<W::Batch> {
        let indices: Vec<usize> = (0..self.sizes.training).collect();
        let some = indices.chunks(size);
        some.map(|some| self.batch(some, device)).collect()
    }

    /// Returns the share of the examples of batches that are classified right as a function of the
    /// network, of a workload that has classes.
    pub(crate) fn accuracy(
        &self,
        batches: impl Into<Batches<W::Batch>>,
    ) -> Risk<W::Model, W::Batch> {
        let workload = Arc::clone(&self.workload);
        self.spread(Risk::mean(batches, move |model, batch| {
            let correct = workload.correct(model, batch);
            let correct = correct.expect("right answers are there for every batch or for none");
            correct.float().mean()
        }))
    }

    /// Returns the mean loss over batches as a function of the network.
    pub(crate) fn risk(&self, batches: impl Into<Batches<W::Batch>>) -> Risk<W::Model, W::Batch> {
        let workload = Arc::clone(&self.workload);
        self.spread(Risk::mean(batches, move |model, batch| {
            workload.loss(model, batch)
        }))
    }

    /// Returns the same with the outputs of the network apart; none for a workload that does not
    /// say them.
    pub(crate) fn risk_of_outputs(
        &self,
        model: &W::Model,
        batches: Vec<W::Batch>,
    ) -> Option<Risk<W::Model, W::Batch>> {
        let first = batches.first()?;
        let outputs = self.workload.outputs(model, first)?;
        self.workload.loss_of_outputs(outputs, first)?;
        let [of_outputs, of_loss] = [&self.workload; 2].map(Arc::clone);
        Some(self.spread(Risk::of(
            batches,
            move |model: &W::Model, batch| {
                let outputs = of_outputs.outputs(model, batch);
                outputs.expect("outputs are there for every batch or for none")
            },
            move |outputs, batch| {
                let loss = of_loss.loss_of_outputs(outputs, batch);
                loss.expect("their loss is there for every batch or for none")
            },
            Reduction::Mean,
        )))
    }

    fn batches_of(&self, part: Part, indices: &[usize], device: &Device) -> Vec<W::Batch> {
        let some = indices.chunks(MEASURED_AT_ONCE);
        some.map(|some| self.workload.batch(part, some, device))
            .collect()
    }
}
