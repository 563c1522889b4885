//! The loss on the batch of a step, of all examples or of some.

use burn::optim::GradientsParams;
use burn::tensor::kind::Basic;
use burn::tensor::{Int, Tensor, TensorData};

use crate::error::Error;

/// The examples of the batch whose losses are wanted.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a>(Option<&'a [usize]>);

impl<'a> Rows<'a> {
    /// All examples.
    pub(crate) const ALL: Rows<'static> = Rows(None);

    /// The examples with these indices.
    pub(crate) const fn some(indices: &'a [usize]) -> Self {
        Self(Some(indices))
    }

    /// Returns their indices in the batch, in rising order; `None` for all.
    #[must_use]
    pub const fn indices(&self) -> Option<&'a [usize]> {
        self.0
    }

    /// Returns these rows of a tensor whose first axis counts the examples.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "every index fits an i64")]
    pub fn of<const D: usize, K: Basic>(&self, tensor: &Tensor<D, K>) -> Tensor<D, K> {
        let Some(indices) = self.0 else {
            return tensor.clone();
        };
        if let (Some(&first), Some(&last)) = (indices.first(), indices.last())
            && last - first + 1 == indices.len()
        {
            return tensor.clone().narrow(0, first, indices.len());
        }
        let rows: Vec<i64> = indices
            .iter()
            .map(|&index| i64::try_from(index).expect("an index of an example fits an i64"))
            .collect();
        let data = TensorData::new(rows, [indices.len()]);
        let rows = Tensor::<1, Int>::from_data(data, &tensor.device());
        tensor.clone().select(0, rows)
    }
}

/// The result of a forward pass over the batch.
pub(crate) enum Forward {
    /// The loss, from which the backward pass is still to come.
    Loss(Tensor<1>),
    /// The loss and its gradient, where the caller's code does the backward pass itself.
    #[cfg_attr(
        not(feature = "train"),
        expect(dead_code, reason = "a learner's step gives it")
    )]
    Gradients(f64, GradientsParams),
}

/// The loss on the batch of one step.
pub(crate) trait Loss<M> {
    /// Computes the mean over the batch, one number.
    fn mean(&mut self, model: &M) -> Result<Forward, Error>;

    /// Returns the number of examples in the batch, if they can be told apart.
    fn examples(&self) -> Option<usize>;

    /// Computes the losses of some examples, one number each, if they can be told apart.
    fn terms(&mut self, model: &M, rows: Rows<'_>) -> Result<Option<Tensor<1>>, Error>;
}

/// A closure that gives the mean.
pub(crate) struct Mean<F>(pub(crate) F);

impl<M, F: FnMut(&M) -> Tensor<1>> Loss<M> for Mean<F> {
    fn mean(&mut self, model: &M) -> Result<Forward, Error> {
        Ok(Forward::Loss((self.0)(model)))
    }

    fn examples(&self) -> Option<usize> {
        None
    }

    fn terms(&mut self, _model: &M, _rows: Rows<'_>) -> Result<Option<Tensor<1>>, Error> {
        Ok(None)
    }
}

/// A closure that gives the losses of some of so many examples.
pub(crate) struct Examples<F>(pub(crate) usize, pub(crate) F);

impl<F> Examples<F> {
    /// Computes one loss for each wanted row, and refuses anything else: a mean would be taken for
    /// one example.
    fn losses<M>(&mut self, model: &M, rows: Rows<'_>) -> Result<Tensor<1>, Error>
    where
        F: FnMut(&M, Rows<'_>) -> Tensor<1>,
    {
        let losses = (self.1)(model, rows);
        let wanted = rows.indices().map_or(self.0, <[usize]>::len);
        let [given] = losses.dims();
        if given == wanted {
            Ok(losses)
        } else {
            Err(Error::Losses { given, wanted })
        }
    }
}

impl<M, F: FnMut(&M, Rows<'_>) -> Tensor<1>> Loss<M> for Examples<F> {
    fn mean(&mut self, model: &M) -> Result<Forward, Error> {
        Ok(Forward::Loss(self.losses(model, Rows::ALL)?.mean()))
    }

    fn examples(&self) -> Option<usize> {
        Some(self.0)
    }

    fn terms(&mut self, model: &M, rows: Rows<'_>) -> Result<Option<Tensor<1>>, Error> {
        Ok(Some(self.losses(model, rows)?))
    }
}
