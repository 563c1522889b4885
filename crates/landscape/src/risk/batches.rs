//! The batches of a risk, held or streamed.

use std::sync::Arc;

use burn::data::dataloader::DataLoader;

use crate::batch::{Batch, clear_examples};
use crate::error::Error;
use crate::vector::random::{Purpose, shuffled};

/// Batches held in memory, or streamed anew for each evaluation.
///
/// Whatever takes batches takes one batch, and a slice, an array or a vector of batches, by value
/// or by reference, and a Burn `DataLoader`.
pub enum Batches<B> {
    /// Held: tensors are reference counted, so this costs no copy.
    Held(Arc<[B]>),
    /// Streamed from a Burn data loader. Give it a loader of its own: iterating a shuffling loader
    /// that also feeds the training would change the training's order. Burn's
    /// `DataLoaderBuilder::new` asks for batches that are `Debug`.
    ///
    /// A loader that shuffles or augments gives another loss each time. What makes many products
    /// notices it and ends with [`Error::ChangingProducts`].
    Streamed(Arc<dyn DataLoader<B>>),
}

impl<B> Clone for Batches<B> {
    fn clone(&self) -> Self {
        match self {
            Self::Held(batches) => Self::Held(Arc::clone(batches)),
            Self::Streamed(loader) => Self::Streamed(Arc::clone(loader)),
        }
    }
}

impl<B: Clone> Batches<B> {
    /// Returns the batches in another order, a uniform permutation that `seed` and `pass` choose;
    /// streamed batches come as they come.
    #[must_use]
    pub fn shuffled(&self, seed: u64, pass: u64) -> Self {
        match self {
            Self::Held(batches) => {
                let order = shuffled(seed, Purpose::BatchOrder.stream(pass), batches.len());
                Self::Held(
                    order
                        .into_iter()
                        .map(|place| batches[place].clone())
                        .collect(),
                )
            }
            Self::Streamed(_) => self.clone(),
        }
    }
}

impl<B> Batches<B> {
    /// Returns whether both hold the same batches in one place, or stream from one loader.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Held(ours), Self::Held(theirs)) => Arc::ptr_eq(ours, theirs),
            (Self::Streamed(ours), Self::Streamed(theirs)) => Arc::ptr_eq(ours, theirs),
            _ => false,
        }
    }
}

impl<B: Batch> Batches<B> {
    /// Calls `with` with the first batch.
    ///
    /// # Errors
    /// No batch at all, an empty one, or one that cannot be read.
    pub(crate) fn first(&self, with: impl FnOnce(B)) -> Result<(), Error> {
        let first = match self {
            Self::Held(batches) => batches.first().cloned(),
            Self::Streamed(loader) => {
                let first = loader.iter().next().transpose();
                first.map_err(|error| Error::Data {
                    index: 0,
                    reason: error.to_string(),
                })?
            }
        };
        let first = first.ok_or(Error::NoData)?;
        clear_examples(&first, 0)?;
        with(first);
        Ok(())
    }

    /// Calls `each` with position and batch, in order.
    ///
    /// # Errors
    /// No batch at all, an empty batch, a batch that cannot be read, or an error of `each`.
    pub(crate) fn for_each(
        &self,
        mut each: impl FnMut(usize, B) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut count = 0;
        let mut visit = |index: usize, batch: B| {
            clear_examples(&batch, index)?;
            count += 1;
            each(index, batch)
        };
        match self {
            Self::Held(batches) => {
                for (index, batch) in batches.iter().enumerate() {
                    visit(index, batch.clone())?;
                }
            }
            Self::Streamed(loader) => {
                for (index, batch) in loader.iter().enumerate() {
                    let batch = batch.map_err(|error| Error::Data {
                        index,
                        reason: error.to_string(),
                    })?;
                    visit(index, batch)?;
                }
            }
        }
        if count == 0 {
            Err(Error::NoData)
        } else {
            Ok(())
        }
    }
}

impl<B: Clone> From<&[B]> for Batches<B> {
    fn from(batches: &[B]) -> Self {
        Self::Held(batches.into())
    }
}

impl<B: Clone> From<&Vec<B>> for Batches<B> {
    fn from(batches: &Vec<B>) -> Self {
        Self::Held(batches.as_slice().into())
    }
}

impl<B> From<Vec<B>> for Batches<B> {
    fn from(batches: Vec<B>) -> Self {
        Self::Held(batches.into())
    }
}

impl<B, const N: usize> From<[B; N]> for Batches<B> {
    fn from(batches: [B; N]) -> Self {
        Self::Held(batches.into())
    }
}

impl<B: Clone, const N: usize> From<&[B; N]> for Batches<B> {
    fn from(batches: &[B; N]) -> Self {
        Self::Held(batches.as_slice().into())
    }
}

/// One batch that is all the data.
impl<B: Batch> From<B> for Batches<B> {
    fn from(batch: B) -> Self {
        Self::Held(Arc::new([batch]))
    }
}

/// One batch that is all the data.
impl<B: Batch> From<&B> for Batches<B> {
    fn from(batch: &B) -> Self {
        Self::Held(Arc::new([batch.clone()]))
    }
}

impl<B> From<Arc<dyn DataLoader<B>>> for Batches<B> {
    fn from(loader: Arc<dyn DataLoader<B>>) -> Self {
        Self::Streamed(loader)
    }
}
