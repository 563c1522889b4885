//! One training with all that it needs.

use std::sync::Arc;

use burn::tensor::Device;

use super::data::Data;
use super::run_dir::{Beginning, Existing};
use crate::config::Training;

/// A training with all it needs.
pub(crate) struct Job {
    /// What is to be done.
    pub(crate) training: Training,
    /// What to do with a run that is there already.
    pub(crate) existing: Existing,
    /// How it begins, as things stood before any training began.
    pub(crate) beginning: Beginning,
    /// The images.
    pub(crate) data: Arc<Data>,
    /// The autodiff device.
    pub(crate) device: Device,
}
