//! Functions between the layers of a network: smooth ones, or ones with kinks.

use burn::module::Module;
use burn::nn::PaddingConfig2d;
use burn::nn::pool::{AvgPool2d, AvgPool2dConfig, MaxPool2d, MaxPool2dConfig};
use burn::tensor::Tensor;
use burn::tensor::activation::{gelu, relu};

/// The functions between the layers of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Variant {
    /// GELU (erf) or tanh, averages: derivatives of every order.
    #[default]
    Smooth,
    /// ReLU, maxima: two derivatives almost everywhere.
    Kinked,
}

impl Variant {
    /// The variant that a view such as `kinked/batch` is about.
    ///
    /// # Panics
    ///
    /// When it is about neither.
    #[must_use]
    pub fn of(view: &str) -> Self {
        match view.split('/').next() {
            Some("smooth") => Self::Smooth,
            Some("kinked") => Self::Kinked,
            _ => panic!("{view} is the view of no variant"),
        }
    }

    /// GELU or ReLU.
    pub fn gelu_or_relu<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Smooth => gelu(x),
            Self::Kinked => relu(x),
        }
    }

    /// tanh or ReLU.
    pub fn tanh_or_relu<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Smooth => x.tanh(),
            Self::Kinked => relu(x),
        }
    }

    /// Mean or maximum over the tokens of `[N, tokens, width]`: `[N, width]`.
    pub fn mean_or_max(self, x: Tensor<3>) -> Tensor<2> {
        match self {
            Self::Smooth => x.mean_dim(1),
            Self::Kinked => x.max_dim(1),
        }
        .squeeze_dim(1)
    }
}

/// Average or max pooling with the same window.
#[derive(Module, Debug)]
pub struct Pool {
    average: AvgPool2d,
    max: MaxPool2d,
}

impl Pool {
    /// Windows of `size` by `size` every `stride`, over images padded by `padding` on each side.
    #[must_use]
    pub fn new(size: usize, stride: usize, padding: usize) -> Self {
        let padding = PaddingConfig2d::Explicit(padding, padding, padding, padding);
        Self {
            average: AvgPool2dConfig::new([size, size])
                .with_strides([stride, stride])
                .with_padding(padding.clone())
                .init(),
            max: MaxPool2dConfig::new([size, size])
                .with_strides([stride, stride])
                .with_padding(padding)
                .init(),
        }
    }

    /// Pools `[N, channels, height, width]`.
    pub fn forward(&self, x: Tensor<4>, variant: Variant) -> Tensor<4> {
        match variant {
            Variant::Smooth => self.average.forward(x),
            Variant::Kinked => self.max.forward(x),
        }
    }
}
