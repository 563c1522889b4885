//! The number of steps that a learner takes, and the step from which it goes on.

use std::path::Path;

use crate::Error;
use crate::sink::TensorBoard;

/// The steps of a training by epochs.
///
/// A step is an update of the weights. An epoch has as many as it has batches, the last of which
/// may be smaller; where gradients are accumulated, as many as it has groups of batches.
///
/// # Examples
/// ```
/// use probes::learner::Epochs;
///
/// // 5 epochs of 1,000 items in batches of 64, gone on with after the second.
/// let epochs = Epochs::new(5, 1000, 64).after(Some(2));
/// assert_eq!((epochs.done(), epochs.total()), (32, 80));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Epochs {
    epochs: u64,
    batches: u64,
    accumulated: u64,
    after: u64,
}

impl Epochs {
    /// Returns the steps of so many epochs, as `SupervisedTraining::num_epochs` has them, of so
    /// many items (`DataLoader::num_items`) in batches.
    ///
    /// # Panics
    /// When a batch has no items.
    #[must_use]
    pub fn new(epochs: usize, items: usize, batch_size: usize) -> Self {
        assert!(batch_size > 0, "a batch cannot have 0 items");
        Self {
            epochs: epochs as u64,
            batches: items.div_ceil(batch_size) as u64,
            accumulated: 1,
            after: 0,
        }
    }

    /// Accumulates gradients over so many batches, as `SupervisedTraining::grads_accumulation`
    /// does.
    ///
    /// # Panics
    /// When there are none.
    #[must_use]
    pub fn with_accumulation(self, batches: usize) -> Self {
        assert!(
            batches > 0,
            "gradients cannot be accumulated over 0 batches"
        );
        Self {
            accumulated: batches as u64,
            ..self
        }
    }

    /// Goes on from the checkpoint of an epoch, as `SupervisedTraining::checkpoint` does; from the
    /// beginning if there is none.
    #[must_use]
    pub fn after(self, epoch: Option<usize>) -> Self {
        Self {
            after: epoch.unwrap_or(0) as u64,
            ..self
        }
    }

    /// Returns the steps made before.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.after * self.steps_per_epoch()
    }

    /// Returns the steps of all epochs.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.epochs * self.steps_per_epoch()
    }

    fn steps_per_epoch(&self) -> u64 {
        self.batches.div_ceil(self.accumulated)
    }

    /// Opens TensorBoard's files in `directory`: a fresh run, or the run there gone on with. What a
    /// killed run wrote after the checkpoint gives way in TensorBoard to what is written now.
    ///
    /// # Errors
    /// As [`TensorBoard::create`] and [`TensorBoard::resume`].
    pub fn tensor_board(&self, directory: impl AsRef<Path>) -> Result<TensorBoard, Error> {
        if self.after == 0 {
            TensorBoard::create(directory)
        } else {
            TensorBoard::resume(directory, Some(self.done() + 1))
        }
    }
}
