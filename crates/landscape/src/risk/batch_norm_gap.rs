//! The difference that BatchNorm's statistics make to the loss.

use burn::module::Module;
use derivatives::Statistics;

use super::Risk;
use super::recomputed_statistics::normalises_by_batch;
use crate::batch::Batch;
use crate::error::Error;

/// The mean loss under both kinds of BatchNorm's statistics.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchNormGap {
    /// Mean loss with the statistics of each batch, as while training.
    pub batch: f64,
    /// Mean loss with the running statistics, as in use.
    pub running: f64,
}

impl BatchNormGap {
    /// Returns `batch − running`: far below zero where the running statistics have not kept up
    /// with the weights, or do not describe the data.
    #[must_use]
    pub fn gap(&self) -> f64 {
        self.batch - self.running
    }
}

impl<M: Module, B: Batch> Risk<M, B> {
    /// Returns the mean loss with the statistics of the batch and with the running ones; none for
    /// a model that has no BatchNorm layer whose training flag is on.
    ///
    /// Neither the running statistics nor anything else of `model` is moved. The statistics of a
    /// batch depend on how many examples it has: give batches as large as those of the training, or
    /// the gap is also that of the batch size. Dropout is off in both. Cost: two forward passes.
    ///
    /// # Errors
    /// As [`value`](Self::value).
    ///
    /// # References
    /// Ioffe, Szegedy 2015, "Batch Normalization", section 3.1, for the two kinds; Wu, Johnson
    /// 2021, "Rethinking “Batch” in BatchNorm", section 3, for running statistics that lag.
    pub fn batch_norm_gap(&self, model: &M) -> Result<Option<BatchNormGap>, Error> {
        if !normalises_by_batch(model) {
            return Ok(None);
        }
        let value = |statistics| self.clone().with_statistics(statistics).value(model);
        Ok(Some(BatchNormGap {
            batch: value(Statistics::Batch)?,
            running: value(Statistics::Running)?,
        }))
    }
}
