//! A batch that says how many examples it has.

use std::ops::Range;

use super::mappers::{Double, Narrow};
use super::{Batch, TensorMapper};

/// A batch with its number of examples, where its tensors do not tell it: for tuples, and for types
/// that are not one's own.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use landscape::{Batch, Stated};
///
/// let device = Device::flex();
/// // Five time steps of four sequences, the time first, and a target for each sequence.
/// let batch = (
///     Tensor::<3>::ones([5, 4, 2], &device),
///     Tensor::<1>::ones([4], &device),
/// );
/// assert_eq!(batch.examples(), 5);
/// assert_eq!(Stated::new(batch, 4).examples(), 4);
/// ```
#[derive(Debug, Clone)]
pub struct Stated<B> {
    /// The batch.
    pub batch: B,
    /// Its number of examples.
    pub examples: usize,
}

impl<B: Batch> Stated<B> {
    /// Returns the batch with its number of examples.
    pub const fn new(batch: B, examples: usize) -> Self {
        Self { batch, examples }
    }
}

impl<B: Batch> Batch for Stated<B> {
    fn map<F: TensorMapper>(self, f: &mut F) -> Self {
        Self {
            batch: self.batch.map(f),
            examples: self.examples,
        }
    }

    fn stated_examples(&self) -> Option<usize> {
        Some(self.examples)
    }

    fn narrow(self, range: Range<usize>) -> Self {
        let examples = range.len();
        let narrow = &mut Narrow {
            examples: self.examples,
            range,
        };
        Self {
            batch: self.batch.map(narrow),
            examples,
        }
    }

    fn doubled(self, count: usize) -> Self {
        let double = &mut Double {
            examples: self.examples,
            count,
        };
        Self {
            batch: self.batch.map(double),
            examples: 2 * count,
        }
    }
}
