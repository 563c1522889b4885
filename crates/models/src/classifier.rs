//! What the networks of this crate have in common.

use burn::module::Module;
use burn::tensor::Tensor;

use crate::{Cnn, Mlp, ResidualMlp};

/// A module that scores images: what a program needs that trains one of several networks.
pub trait Classifier: Module {
    /// Scores before the softmax, `[B, classes]`, of `images` `[B, C, H, W]`.
    fn logits(&self, images: Tensor<4>) -> Tensor<2>;
}

impl Classifier for Mlp {
    fn logits(&self, images: Tensor<4>) -> Tensor<2> {
        self.forward(images)
    }
}

impl Classifier for ResidualMlp {
    fn logits(&self, images: Tensor<4>) -> Tensor<2> {
        self.forward(images)
    }
}

impl Classifier for Cnn {
    fn logits(&self, images: Tensor<4>) -> Tensor<2> {
        self.forward(images)
    }
}
