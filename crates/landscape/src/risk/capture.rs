//! A batch's loss as a program.

use burn::module::Module;
use derivatives::{Capture, CapturedLoss};

use super::{Objective, Statistics};
use crate::{Batch, Error};

impl<M: Module, B: Batch> Objective<M, B> {
    /// The mean loss of one batch as a program of the parameters.
    ///
    /// # Errors
    /// A loss that cannot be captured.
    pub(crate) fn capture(&self, batch: B) -> Result<CapturedLoss, Error> {
        let risk = self.risk();
        let batch = batch.to_dtype(self.float_type());
        self.recording()
            .marked_loss(|model, device, marks| {
                risk.marked_loss(model, &batch.on_device(device), marks)
            })
            .map_err(Error::Derivatives)
    }

    /// How a loss of the objective is captured.
    pub(crate) fn recording(&self) -> Capture<'_, M> {
        let statistics = match self.risk().statistics() {
            Statistics::Running => derivatives::Statistics::Running,
            Statistics::Batch => derivatives::Statistics::Batch,
        };
        Capture::of(self.tracked())
            .with_parameters(self.space().blocks.iter().map(|block| block.id))
            .with_statistics(statistics)
    }
}
