//! Programs that losses have in common.

use std::sync::{Mutex, PoisonError};

use crate::{CapturedLoss, CapturedLosses};

/// More different programs than this are not remembered: who makes so many makes them anew for
/// each batch.
const REMEMBERED: usize = 64;

/// The programs of losses seen so far, for those still to come.
///
/// Batches of one shape have one program, unless the closure wrote a number of the host's into the
/// loss that differs between them: two losses share their programs where their graphs are equal in
/// every number; only the tensors of the batch are their own. Sharing saves the transformations and
/// their memory, and changes no result.
///
/// ```
/// use burn::nn::{Linear, LinearConfig};
/// use burn::tensor::{Device, Tensor};
/// use derivatives::{Capture, ProgramCache};
///
/// let device = Device::flex();
/// let model = LinearConfig::new(1, 1).init(&device);
/// let programs = ProgramCache::default();
/// let loss = |x: f32, count: f32| {
///     let x = Tensor::<2>::full([4, 1], x, &device);
///     let loss = Capture::of(&model).loss(|model: &Linear, device: &Device| {
///         model.forward(x.to_device(device)).square().sum() / count
///     });
///     loss.map(|loss| programs.share(loss))
/// };
/// let first = loss(1.0, 4.0)?;
/// assert!(first.shares_programs_with(&loss(2.0, 4.0)?));
/// assert!(!first.shares_programs_with(&loss(2.0, 3.0)?));
/// # Ok::<(), derivatives::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct ProgramCache {
    /// Without their data.
    known: Mutex<Vec<CapturedLoss>>,
}

impl ProgramCache {
    /// Returns the same loss with the programs of an earlier one that is equal up to its data, if
    /// there was one, and with its copy of the parameters where they are equal too.
    #[must_use]
    pub fn share(&self, loss: CapturedLoss) -> CapturedLoss {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let is_like = |known: &&CapturedLoss| known.programs().is_like(loss.programs());
        if let Some(known) = known.iter().find(is_like) {
            return loss.sharing_with(known);
        }
        if known.len() == REMEMBERED {
            known.remove(0);
        }
        known.push(loss.without_data());
        loss
    }

    /// Returns the same losses, each as by [`share`](Self::share).
    #[must_use]
    pub fn share_together(&self, losses: &CapturedLosses) -> CapturedLosses {
        let losses = losses.losses().iter().cloned();
        CapturedLosses::new(losses.map(|loss| self.share(loss)).collect())
    }
}
