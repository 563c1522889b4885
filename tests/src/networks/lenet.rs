//! A small LeNet on MNIST.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::{DType, Device, Int, Tensor};

use super::{Pool, Variant, planes};
use crate::models::labels;
use crate::{Fixture, Net, cross_entropy};

/// Twice convolution, tanh or ReLU, pooling; three linear layers.
#[derive(Module, Debug)]
pub struct LeNet {
    conv1: Conv2d,
    conv2: Conv2d,
    fc1: Linear,
    fc2: Linear,
    fc3: Linear,
    pool: Pool,
    #[module(skip)]
    variant: Variant,
}

impl Net for LeNet {
    type Batch = (Tensor<4>, Tensor<1, Int>);

    const FOLDER: &'static str = "networks";
    const FIXTURE: &'static str = "lenet";
    const VIEWS: &'static [&'static str] = &["smooth", "kinked"];

    fn init(device: &Device) -> Self {
        Self {
            conv1: Conv2dConfig::new([1, 6], [5, 5])
                .with_padding(PaddingConfig2d::Explicit(2, 2, 2, 2))
                .init(device),
            conv2: Conv2dConfig::new([6, 8], [5, 5]).init(device),
            fc1: LinearConfig::new(200, 24).init(device),
            fc2: LinearConfig::new(24, 16).init(device),
            fc3: LinearConfig::new(16, 10).init(device),
            pool: Pool::new(2, 2, 0),
            variant: Variant::default(),
        }
    }

    fn at_view(self, view: &str) -> Self {
        Self {
            variant: Variant::of(view),
            ..self
        }
    }

    fn batch(fixture: &Fixture, dtype: DType, device: &Device) -> Self::Batch {
        (planes(fixture, dtype, device), labels(fixture, device))
    }

    fn outputs(&self, (x, _): &Self::Batch) -> Tensor<2> {
        let variant = self.variant;
        let t = variant.tanh_or_relu(self.conv1.forward(x.clone()));
        let t = self.pool.forward(t, variant);
        let t = variant.tanh_or_relu(self.conv2.forward(t));
        let t = self.pool.forward(t, variant).flatten(1, 3);
        let t = variant.tanh_or_relu(self.fc1.forward(t));
        let t = variant.tanh_or_relu(self.fc2.forward(t));
        self.fc3.forward(t)
    }

    fn loss_terms(outputs: Tensor<2>, (_, y): &Self::Batch) -> Tensor<1> {
        cross_entropy(outputs, y.clone())
    }
}
