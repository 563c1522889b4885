//! Case 6: a convolutional net with batch normalisation, at two views.

use burn::module::{Flag, Module, ModuleMapper, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Initializer, Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::activation::relu;
use burn::tensor::{DType, Device, Int, Tensor};

use super::{floats, labels};
use crate::{Fixture, Net, cross_entropy};

/// Twice convolution, batch normalisation, ReLU, with a max pooling between; mean; linear.
///
/// View `eval` normalises with the stored statistics, view `batch` with those of the batch.
/// A forward pass at view `batch` moves the stored statistics, as in any training.
#[derive(Module, Debug)]
pub struct CnnBatchNorm {
    conv1: Conv2d,
    bn1: BatchNorm,
    conv2: Conv2d,
    bn2: BatchNorm,
    fc: Linear,
    pool: MaxPool2d,
}

impl Net for CnnBatchNorm {
    type Batch = (Tensor<4>, Tensor<1, Int>);

    const FIXTURE: &'static str = "case6_cnn_bn";
    const VIEWS: &'static [&'static str] = &["eval", "batch"];

    fn init(device: &Device) -> Self {
        let convolution = |inputs, outputs| {
            Conv2dConfig::new([inputs, outputs], [3, 3])
                .with_initializer(Initializer::Zeros)
                .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                .init(device)
        };
        Self {
            conv1: convolution(1, 6),
            bn1: BatchNormConfig::new(6).init(device),
            conv2: convolution(6, 8),
            bn2: BatchNormConfig::new(8).init(device),
            fc: LinearConfig::new(8, 10)
                .with_initializer(Initializer::Zeros)
                .init(device),
            pool: MaxPool2dConfig::new([2, 2]).init(),
        }
    }

    fn at_view(self, view: &str) -> Self {
        self.map(&mut TrainingFlag(view == "batch"))
    }

    fn batch(fixture: &Fixture, dtype: DType, device: &Device) -> Self::Batch {
        (floats(fixture, "x", dtype, device), labels(fixture, device))
    }

    fn outputs(&self, (x, _): &Self::Batch) -> Tensor<2> {
        let t = relu(self.bn1.forward(self.conv1.forward(x.clone())));
        let t = self.pool.forward(t);
        let t = relu(self.bn2.forward(self.conv2.forward(t)));
        let [examples, channels, ..] = t.dims();
        let t = t.reshape([examples, channels, 16]).mean_dim(2);
        self.fc.forward(t.reshape([examples, channels]))
    }

    fn loss_terms(outputs: Tensor<2>, (_, y): &Self::Batch) -> Tensor<1> {
        cross_entropy(outputs, y.clone())
    }
}

/// Sets every layer's training flag.
pub(crate) struct TrainingFlag(pub(crate) bool);

impl ModuleMapper for TrainingFlag {
    fn map_flag(&mut self, flag: Param<Flag>) -> Param<Flag> {
        flag.with_value(self.0)
    }
}
