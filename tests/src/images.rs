//! Batches of images, and the loss of a classifier on them: what programs and benchmarks train on.

use ::models::Classifier;
use burn::tensor::{Int, Tensor};

use crate::cross_entropy;

/// Images `[N, C, H, W]` and labels `[N]`.
pub type ImageBatch = (Tensor<4>, Tensor<1, Int>);

/// The mean cross entropy `[1]` of a classifier on a batch.
pub fn image_loss<M: Classifier>(model: &M, (images, labels): &ImageBatch) -> Tensor<1> {
    cross_entropy(model.logits(images.clone()), labels.clone()).mean()
}
