//! The network of all trainings: a perceptron with or without skip connections.

use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::tensor::Tensor;
use models::{Mlp, ResidualMlp};

use crate::data::Batch;

/// A perceptron.
#[derive(Module, Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one network at a time")]
pub(crate) enum Network {
    /// Without skip connections.
    Plain(Mlp),
    /// With skip connections.
    Residual(ResidualMlp),
}

impl Network {
    /// Returns the scores before the softmax.
    pub(crate) fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        match self {
            Self::Plain(mlp) => mlp.forward(images),
            Self::Residual(mlp) => mlp.forward(images),
        }
    }
}

/// Returns the mean cross entropy of a batch, in nats.
pub(crate) fn loss(model: &Network, (images, labels): &Batch) -> Tensor<1> {
    let cross_entropy = CrossEntropyLossConfig::new().init(&images.device());
    cross_entropy.forward(model.forward(images.clone()), labels.clone())
}
