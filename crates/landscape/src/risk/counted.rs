//! What the batches of a risk count for, together.

use burn::module::Module;

use super::Risk;
use crate::batch::Batch;
use crate::error::Error;

/// The number of examples of some batches, and the sum of their weights.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Counted {
    pub(super) examples: usize,
    pub(super) weight: f64,
}

impl Counted {
    /// Counts all batches of a risk. Streamed batches are read for it.
    ///
    /// # Errors
    /// No data, a batch that cannot be read or is empty, a weight that is not positive.
    pub(super) fn all<M: Module, B: Batch>(risk: &Risk<M, B>) -> Result<Self, Error> {
        let mut counted = Self::default();
        risk.batches().for_each(|index, batch| {
            counted.add(risk, index, &batch)?;
            Ok(())
        })?;
        Ok(counted)
    }

    /// Counts a further batch, and returns what its mean loss counts for beside the others.
    ///
    /// # Errors
    /// [`Error::Weight`].
    pub(super) fn add<M: Module, B: Batch>(
        &mut self,
        risk: &Risk<M, B>,
        index: usize,
        batch: &B,
    ) -> Result<f64, Error> {
        self.examples += batch.examples();
        self.weight += risk.checked_weight(index, batch)?;
        Ok(risk.amount(batch))
    }
}
