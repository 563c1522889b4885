//! What the benchmarks have in common: batches of images, and the cross entropy on them.

use burn::tensor::{Int, Tensor, activation::log_softmax};
use models::Classifier;

pub(crate) type Batch = (Tensor<4>, Tensor<1, Int>);

pub(crate) fn loss<M: Classifier>(model: &M, (images, labels): &Batch) -> Tensor<1> {
    let rows = labels.dims()[0];
    let log_probabilities = log_softmax(model.logits(images.clone()), 1);
    log_probabilities
        .gather(1, labels.clone().reshape([rows, 1]))
        .mean()
        .neg()
}
