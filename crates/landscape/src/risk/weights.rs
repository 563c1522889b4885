//! The weights of the batches of a risk.

use std::sync::Arc;

use burn::module::Module;

use super::{Reduction, Risk};
use crate::batch::Batch;
use crate::error::Error;

/// A function that says what a batch counts for.
pub(super) type BatchWeight<B> = dyn Fn(&B) -> f64 + Send + Sync;

impl<M: Module, B: Batch> Risk<M, B> {
    /// Returns the same risk with each batch weighted by what `weight` says, a positive number.
    ///
    /// `L = Σ_b w_b L_b / Σ_b w_b` for a loss that is the mean of a batch over what `w_b` counts:
    /// the tokens of its sentences that are no padding, the sum of a mask, the sum of the class
    /// weights of its labels. With [`Reduction::Sum`] it is `Σ_b S_b / Σ_b w_b` for the sums `S_b`.
    /// Value, gradient, products, slices and sharpness all weight by it. Without it the weight is
    /// the number of examples.
    ///
    /// The closure gets the batch as it was given, on its own device, and may read it.
    ///
    /// ```
    /// use burn::nn::{Linear, LinearConfig};
    /// use burn::tensor::{Device, Tensor};
    /// use landscape::Risk;
    ///
    /// /// Losses of tokens, and a mask that is zero where there is none: `[sentences, length]`.
    /// type Tokens = (Tensor<2>, Tensor<2>);
    ///
    /// let device = Device::flex();
    /// let model = LinearConfig::new(1, 1).init(&device);
    /// let long = (Tensor::ones([1, 3], &device), Tensor::ones([1, 3], &device));
    /// let mask = Tensor::from_floats([[1.0, 0.0, 0.0]], &device);
    /// let short = (Tensor::ones([1, 3], &device) * 5.0, mask);
    /// let risk = Risk::mean([long, short], |_: &Linear, (loss, mask): &Tokens| {
    ///     (loss.clone() * mask.clone()).sum() / mask.clone().sum()
    /// })
    /// .with_weights(|(_, mask): &Tokens| mask.clone().sum().into_scalar::<f64>());
    /// // Three tokens of loss 1 and one of loss 5.
    /// assert_eq!(risk.value(&model)?, 2.0);
    /// # Ok::<(), landscape::Error>(())
    /// ```
    #[must_use]
    pub fn with_weights(mut self, weight: impl Fn(&B) -> f64 + Send + Sync + 'static) -> Self {
        self.weight = Some(Arc::new(weight));
        self
    }

    /// Returns whether batches count for something else than their examples.
    pub(crate) const fn has_weights(&self) -> bool {
        self.weight.is_some()
    }

    /// Returns what a batch counts for.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a batch has far fewer than 2^53 examples"
    )]
    pub(crate) fn weight(&self, batch: &B) -> f64 {
        match &self.weight {
            Some(weight) => weight(batch),
            None => batch.examples() as f64,
        }
    }

    /// Returns what the mean loss over the examples of a batch counts for beside those of others.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a batch has far fewer than 2^53 examples"
    )]
    pub(crate) fn amount(&self, batch: &B) -> f64 {
        match self.reduction {
            Reduction::Mean => self.weight(batch),
            Reduction::Sum => batch.examples() as f64,
        }
    }

    /// Returns the [`weight`](Self::weight) of the batch at position `index`.
    ///
    /// # Errors
    /// [`Error::Weight`] if it is not a positive number.
    pub(crate) fn checked_weight(&self, index: usize, batch: &B) -> Result<f64, Error> {
        let weight = self.weight(batch);
        if weight.is_finite() && weight > 0.0 {
            Ok(weight)
        } else {
            Err(Error::Weight { index, weight })
        }
    }
}

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
