//! A batch's loss as a program.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use derivatives::{Capture, CapturedLoss, CapturedLosses, Outputs};

use super::Objective;
use crate::batch::Batch;
use crate::error::Error;
use crate::vector::random::{self, Purpose};
use crate::vector::{download, norm};

impl<M: Module, B: Batch> Objective<M, B> {
    /// Records the mean loss of one batch as a program of the parameters.
    ///
    /// # Errors
    /// A loss that cannot be captured.
    pub(crate) fn record(&self, batch: B) -> Result<CapturedLoss, Error> {
        let risk = self.risk();
        let batch = batch.to_dtype(self.float_type());
        let loss = |model: &M, device: &Device, marks: &mut Outputs| {
            risk.evaluate(model, &batch.on_device(device), marks)
        };
        Ok(self.capture().marked_loss(loss)?)
    }

    /// Records the mean losses of one batch of several objectives at one model, in one program.
    ///
    /// # Errors
    /// A loss that cannot be captured.
    pub(crate) fn record_together(
        &self,
        others: &[&Self],
        batch: B,
    ) -> Result<CapturedLosses, Error> {
        let batch = batch.to_dtype(self.float_type());
        let losses = |model: &M, device: &Device| {
            let batch = batch.on_device(device);
            let all = [&[self], others].concat();
            let loss = |of: &Self| of.risk().evaluate(model, &batch, &mut Outputs::default());
            all.into_iter().map(loss).collect::<Vec<Tensor<1>>>()
        };
        Ok(self.capture().losses(losses)?)
    }

    /// Returns how a loss of the objective is captured.
    pub(crate) fn capture(&self) -> Capture<'_, M> {
        Capture::of(self.tracked())
            .with_parameters(self.space().blocks.iter().map(|block| block.id))
            .with_statistics(self.risk().statistics())
    }

    /// Returns a point that is `distance` typical weights away from the origin in each coordinate.
    pub(crate) fn beside(&self, distance: f64) -> Result<Tensor<1>, Error> {
        let way = match self.way.get() {
            Some(way) => way,
            None => self.way.get_or_init({
                let way = self.random_way()?;
                || way
            }),
        };
        Ok(self.origin().clone() + way.clone() * distance)
    }

    /// Returns normal numbers of the size of a typical weight, always the same ones.
    fn random_way(&self) -> Result<Tensor<1>, Error> {
        let domain = &self.space().domain;
        let typical = self.typical_weight();
        let mut way = random::normal(0, Purpose::Comparison.stream(0), domain.dim);
        for entry in &mut way {
            *entry *= typical;
        }
        domain.upload(&way)
    }

    /// Returns the root mean square of the weights; a thousandth where they are smaller.
    #[expect(
        clippy::cast_precision_loss,
        reason = "there are far fewer than 2^53 parameters"
    )]
    pub(crate) fn typical_weight(&self) -> f64 {
        let origin = download(self.origin());
        (norm(&origin) / (origin.len() as f64).sqrt()).max(1e-3)
    }
}
