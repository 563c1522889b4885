//! The data: some of UCI digits to learn, and some to see what was learnt.

use anyhow::{Result, ensure};
use burn::tensor::{Device, Int, Tensor};
use datasets::{Digits, ImageDataset, batch};

/// Images and their labels.
pub(crate) type Batch = (Tensor<4>, Tensor<1, Int>);

/// Validation examples.
const VALIDATION: usize = 500;

/// Training and validation examples on a device with autodiff.
pub(crate) struct Data {
    images: ImageDataset,
    /// The number of training examples.
    pub(crate) training: usize,
    device: Device,
}

impl Data {
    /// Loads the digits, so many of them for training.
    pub(crate) fn load(training: usize) -> Result<Self> {
        let images = Digits::load()?.images;
        ensure!(training + VALIDATION <= images.len(), "too many examples");
        let device = Device::flex().autodiff();
        Ok(Self {
            images,
            training,
            device,
        })
    }

    /// Returns the device.
    pub(crate) const fn device(&self) -> &Device {
        &self.device
    }

    /// Returns the training examples with these indices.
    pub(crate) fn batch(&self, indices: &[usize]) -> Batch {
        batch(&self.images, indices, &self.device).into_pair()
    }

    /// Returns the validation examples.
    pub(crate) fn validation(&self) -> Batch {
        let indices: Vec<usize> = (self.training..self.training + VALIDATION).collect();
        self.batch(&indices)
    }
}
