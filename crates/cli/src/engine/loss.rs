//! The loss of a network on a batch: cross-entropy in nats.

use burn::nn::loss::CrossEntropyLossConfig;
use burn::tensor::Tensor;
use burn::tensor::activation::log_softmax;
use sam::Rows;

use super::data::Batch;
use super::network::Network;

/// The mean of a batch, `[1]`.
pub(crate) fn loss<M: Network>(model: &M, (images, labels): &Batch) -> Tensor<1> {
    let logits = model.logits(images.clone());
    CrossEntropyLossConfig::new()
        .init(&logits.device())
        .forward(logits, labels.clone())
}

/// The losses of some images of a batch, one each.
pub(crate) fn losses<M: Network>(model: &M, (images, labels): &Batch, rows: Rows<'_>) -> Tensor<1> {
    let (images, labels) = (rows.of(images), rows.of(labels));
    let [examples] = labels.dims();
    log_softmax(model.logits(images), 1)
        .gather(1, labels.reshape([examples, 1]))
        .neg()
        .reshape([examples])
}
