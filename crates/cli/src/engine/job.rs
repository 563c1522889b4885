//! One training to be carried out.

use burn::tensor::Device;

use super::run_dir::{Beginning, Existing};
use crate::config::Training;

/// A training with all that was decided before any training began.
pub(crate) struct Job {
    /// The training.
    pub(crate) training: Training,
    /// The rule for a run that is there already.
    pub(crate) existing: Existing,
    /// The way in which it begins, as things stood then.
    pub(crate) beginning: Beginning,
    /// The autodiff device.
    pub(crate) device: Device,
}
