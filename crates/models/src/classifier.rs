//! The trait of networks that score images.

use burn::module::Module;
use burn::tensor::Tensor;

use crate::cnn::Cnn;
use crate::mlp::Mlp;
use crate::residual::ResidualMlp;

/// A module that scores images, for programs that train one of several networks.
pub trait Classifier: Module {
    /// Returns the scores before the softmax, `[B, classes]`, of `images` `[B, C, H, W]`.
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
