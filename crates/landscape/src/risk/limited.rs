//! A part of the data of a risk, and whether two risks are one.

use std::sync::Arc;

use burn::module::Module;

use super::Risk;
use crate::batch::Batch;
use crate::error::Error;

impl<M: Module, B: Batch> Risk<M, B> {
    /// Returns the same loss over `examples` examples: the first ones of every batch, of each the
    /// same part. All of the data where there are no more.
    ///
    /// Streamed batches are read once and held. A batch that cannot be narrowed (its tensors say
    /// nothing of its examples) is taken whole.
    ///
    /// ```
    /// use burn::nn::{Linear, LinearConfig};
    /// use burn::tensor::{Device, Tensor};
    /// use landscape::Risk;
    ///
    /// let device = Device::flex();
    /// let model = LinearConfig::new(1, 1).init(&device);
    /// let batches = [
    ///     Tensor::<2>::ones([6, 1], &device),
    ///     Tensor::<2>::zeros([2, 1], &device),
    /// ];
    /// let risk = Risk::mean(batches, |_: &Linear, x: &Tensor<2>| x.clone().mean());
    /// let few = risk.limited(4)?;
    /// assert_eq!(few.examples()?, 4); // three of the first batch, one of the second
    /// assert_eq!(few.value(&model)?, 0.75);
    /// # Ok::<(), landscape::Error>(())
    /// ```
    ///
    /// # Errors
    /// No data, an empty batch, one that cannot be read, and no example asked for.
    pub fn limited(&self, examples: usize) -> Result<Self, Error> {
        if examples == 0 {
            return Err(Error::Setting {
                name: "examples",
                value: "0".into(),
                allowed: "at least 1",
            });
        }
        let all = self.examples()?;
        if examples >= all {
            return Ok(self.clone());
        }
        let (mut seen, mut taken) = (0, 0);
        let mut batches = Vec::new();
        self.batches.for_each(|_, batch| {
            let of_batch = batch.examples();
            seen += of_batch;
            // The shares add up to `examples`, whatever the lengths of the batches.
            let share = (seen * examples).div_ceil(all) - taken;
            taken += share;
            if share > 0 {
                batches.push(batch.narrow(0..share.min(of_batch)));
            }
            Ok(())
        })?;
        Ok(self.over(batches))
    }

    /// Returns the number of examples of all batches. Streamed batches are read for it.
    ///
    /// # Errors
    /// No data, an empty batch, or one that cannot be read.
    pub fn examples(&self) -> Result<usize, Error> {
        let mut examples = 0;
        self.batches.for_each(|_, batch| {
            examples += batch.examples();
            Ok(())
        })?;
        Ok(examples)
    }

    /// Returns whether both are of the same batches, with the same statistics of BatchNorm, on the
    /// same devices.
    pub(crate) fn is_of_same_data(&self, other: &Self) -> bool {
        let same_devices = match (&self.devices, &other.devices) {
            (Some(ours), Some(theirs)) => ours.is_same(theirs),
            (None, None) => true,
            _ => false,
        };
        same_devices && self.batches.is_same(&other.batches) && self.statistics == other.statistics
    }

    /// Returns whether both are one risk: clones with the same batches, in the same place, the same
    /// closures and settings. What is known of one then holds of the other.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let same_weight = match (&self.weight, &other.weight) {
            (Some(ours), Some(theirs)) => Arc::ptr_eq(ours, theirs),
            (None, None) => true,
            _ => false,
        };
        same_weight
            && self.is_of_same_data(other)
            && Arc::ptr_eq(&self.loss, &other.loss)
            && self.reduction == other.reduction
    }
}
