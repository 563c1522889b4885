//! Case 5: a convolutional net without normalisation.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{AvgPool2d, AvgPool2dConfig, MaxPool2d, MaxPool2dConfig};
use burn::nn::{Initializer, Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::activation::{gelu, relu};
use burn::tensor::{DType, Device, Int, Tensor};

use super::{floats, labels};
use crate::{Fixture, Net, cross_entropy};

/// Convolution, GELU (erf), max pooling, convolution, ReLU, average pooling, linear.
#[derive(Module, Debug)]
pub struct Cnn {
    conv1: Conv2d,
    conv2: Conv2d,
    fc: Linear,
    max_pool: MaxPool2d,
    average_pool: AvgPool2d,
}

impl Net for Cnn {
    type Batch = (Tensor<4>, Tensor<1, Int>);

    const FIXTURE: &'static str = "case5_cnn";

    fn init(device: &Device) -> Self {
        let convolution = |inputs, outputs| {
            Conv2dConfig::new([inputs, outputs], [3, 3])
                .with_initializer(Initializer::Zeros)
                .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                .init(device)
        };
        Self {
            conv1: convolution(1, 6),
            conv2: convolution(6, 8),
            fc: LinearConfig::new(32, 10)
                .with_initializer(Initializer::Zeros)
                .init(device),
            max_pool: MaxPool2dConfig::new([2, 2]).init(),
            average_pool: AvgPool2dConfig::new([2, 2]).init(),
        }
    }

    fn batch(fixture: &Fixture, dtype: DType, device: &Device) -> Self::Batch {
        (floats(fixture, "x", dtype, device), labels(fixture, device))
    }

    fn outputs(&self, (x, _): &Self::Batch) -> Tensor<2> {
        let t = gelu(self.conv1.forward(x.clone()));
        let t = self.max_pool.forward(t);
        let t = relu(self.conv2.forward(t));
        let t = self.average_pool.forward(t);
        self.fc.forward(t.flatten(1, 3))
    }

    fn loss_terms(outputs: Tensor<2>, (_, y): &Self::Batch) -> Tensor<1> {
        cross_entropy(outputs, y.clone())
    }
}
