//! A batch's loss as a program.

use burn::module::Module;
use burn::tensor::Tensor;
use derivatives::{Capture, CapturedLoss};

use super::{Objective, Statistics};
use crate::norm::relative_change;
use crate::operator::download;
use crate::random::{self, Purpose};
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

    /// That a captured batch has the gradient that Burn gives it; `captured` gives its own at a point.
    ///
    /// A tensor that the closure detaches is not detached where no gradient is recorded. Compared
    /// beside the weights, where the gradient is not small by training, and to three digits: Burn
    /// divides in f32.
    ///
    /// # Errors
    /// Another gradient.
    pub(crate) fn has_gradient(
        &self,
        batch: &B,
        captured: impl FnOnce(&Tensor<1>) -> Result<Tensor<1>, Error>,
    ) -> Result<(), Error> {
        let point = self.beside(0.1)?;
        let theirs = download(&self.batch_gradient(&point, batch, 0)?);
        // Where a gradient is no number, nothing can be told.
        if relative_change(&download(&captured(&point)?), &theirs) > 1e-3 {
            return Err(Error::Derivatives(derivatives::Error::GradientDiffers));
        }
        Ok(())
    }

    /// A point that is `distance` typical weights away from the origin in each coordinate.
    #[expect(
        clippy::cast_precision_loss,
        reason = "there are far fewer than 2^53 parameters"
    )]
    pub(crate) fn beside(&self, distance: f64) -> Result<Tensor<1>, Error> {
        let domain = &self.space().domain;
        let origin = download(self.origin());
        let square: f64 = origin.iter().map(|entry| entry * entry).sum();
        let typical = (square / origin.len() as f64).sqrt().max(1e-3);
        let noise = random::normal(0, Purpose::Comparison.stream(0), domain.dim);
        let moved: Vec<f64> = origin
            .iter()
            .zip(noise)
            .map(|(entry, noise)| entry + distance * typical * noise)
            .collect();
        domain.upload(&moved)
    }
}
