//! The loss of one batch of an objective, and its gradient.

use burn::module::Module;
use burn::tensor::Tensor;
use derivatives::{allowing_input_gradients, attempt};

use super::Objective;
use crate::batch::Batch;
use crate::error::Error;
use crate::parameters::{gradient, place};
use crate::risk::scalar;

/// A loss with its graph.
pub(super) struct TrackedLoss {
    pub(super) loss: Tensor<1>,
    /// Whether Burn's gradient lacks a part.
    differentiates_inside: bool,
}

impl<M: Module, B: Batch> Objective<M, B> {
    /// Returns the mean loss of one batch at `theta`.
    pub(crate) fn batch_value(
        &self,
        theta: &Tensor<1>,
        batch: &B,
        index: usize,
    ) -> Result<f64, Error> {
        let model = place(&self.space, self.model_for_values().clone(), theta);
        let batch = self.prepare(batch.clone(), self.needs_autodiff());
        Ok(scalar(&self.risk.batch_loss(&model, &batch, index)?))
    }

    /// Returns the gradient of the mean loss of one batch at `theta`, by Burn.
    pub(crate) fn batch_gradient(
        &self,
        theta: &Tensor<1>,
        batch: &B,
        index: usize,
    ) -> Result<Tensor<1>, Error> {
        let model = place(&self.space, self.tracked.clone(), theta);
        let loss = self.tracked_loss(&model, batch, index)?;
        self.backward(&model, theta, loss, batch, index)
    }

    /// Returns the mean loss of one batch at `theta`, of the space's type, and its gradient.
    ///
    /// # Errors
    /// As [`gradient`](Self::gradient).
    pub(crate) fn batch_loss_and_gradient(
        &self,
        theta: &Tensor<1>,
        batch: &B,
        index: usize,
    ) -> Result<(f64, Tensor<1>), Error> {
        let model = place(&self.space, self.tracked.clone(), theta);
        let loss = self.tracked_loss(&model, batch, index)?;
        let value = scalar(&loss.loss);
        if !value.is_finite() {
            return Err(Error::NonFiniteLoss {
                value,
                place: format!("in batch {index}"),
            });
        }
        let gradient = self.backward(&model, theta, loss, batch, index)?;
        Ok((value, gradient))
    }

    /// Returns the loss of one batch with its graph.
    pub(super) fn tracked_loss(
        &self,
        model: &M,
        batch: &B,
        index: usize,
    ) -> Result<TrackedLoss, Error> {
        let batch = self.prepare(batch.clone(), true);
        let (loss, differentiates_inside) =
            allowing_input_gradients(|| self.risk.batch_loss(model, &batch, index));
        let loss = loss?;
        if !(loss.is_tracked() || differentiates_inside) {
            return Err(Error::Disconnected { index });
        }
        Ok(TrackedLoss {
            loss,
            differentiates_inside,
        })
    }

    /// Returns the gradient of one batch at `theta`, which `model` has: by Burn, or from the
    /// recorded loss where that takes a derivative inside, which Burn's gradient lacks.
    pub(super) fn backward(
        &self,
        model: &M,
        theta: &Tensor<1>,
        loss: TrackedLoss,
        batch: &B,
        index: usize,
    ) -> Result<Tensor<1>, Error> {
        if loss.differentiates_inside {
            let captured = self.record(batch.clone())?;
            return Ok(captured.gradient(theta)?.1);
        }
        let gradients = attempt(|| loss.loss.backward())
            .map_err(|message| Error::Backward { index, message })?;
        gradient(&self.space, model, gradients).ok_or(Error::Disconnected { index })
    }
}
