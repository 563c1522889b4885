//! A narrow ResNet-8 with batch normalisation on the digits.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::{DType, Device, Int, Tensor};

use super::{Pool, Variant, planes};
use crate::models::{TrainingFlag, labels};
use crate::{Fixture, Net, cross_entropy};

const WIDTHS: [usize; 3] = [6, 10, 14];

/// Convolution, pooling, three residual blocks of two convolutions, mean over positions, linear.
///
/// Views `.../running` normalise with the stored statistics, views `.../batch` with those of the
/// batch. A forward pass at the latter moves the stored statistics, as in any training.
#[derive(Module, Debug)]
pub struct ResNet8 {
    stem: Conv2d,
    stem_norm: BatchNorm,
    blocks: Vec<Residual>,
    head: Linear,
    pool: Pool,
    #[module(skip)]
    variant: Variant,
}

/// Two convolutions beside a shortcut, which has a convolution of its own where the width changes.
#[derive(Module, Debug)]
struct Residual {
    conv1: Conv2d,
    norm1: BatchNorm,
    conv2: Conv2d,
    norm2: BatchNorm,
    shortcut: Option<Shortcut>,
}

/// A 1 by 1 convolution with its normalisation.
#[derive(Module, Debug)]
struct Shortcut {
    conv: Conv2d,
    norm: BatchNorm,
}

fn convolution(channels: [usize; 2], size: usize, stride: usize, device: &Device) -> Conv2d {
    let padding = size / 2;
    Conv2dConfig::new(channels, [size, size])
        .with_stride([stride, stride])
        .with_padding(PaddingConfig2d::Explicit(
            padding, padding, padding, padding,
        ))
        .with_bias(false)
        .init(device)
}

impl Residual {
    fn new([before, width]: [usize; 2], device: &Device) -> Self {
        let norm = || BatchNormConfig::new(width).init(device);
        let changes = before != width;
        let stride = if changes { 2 } else { 1 };
        Self {
            conv1: convolution([before, width], 3, stride, device),
            norm1: norm(),
            conv2: convolution([width, width], 3, 1, device),
            norm2: norm(),
            shortcut: changes.then(|| Shortcut {
                conv: convolution([before, width], 1, stride, device),
                norm: norm(),
            }),
        }
    }

    fn forward(&self, x: Tensor<4>, variant: Variant) -> Tensor<4> {
        let shortcut = match &self.shortcut {
            Some(shortcut) => shortcut.norm.forward(shortcut.conv.forward(x.clone())),
            None => x.clone(),
        };
        let t = variant.gelu_or_relu(self.norm1.forward(self.conv1.forward(x)));
        variant.gelu_or_relu(shortcut + self.norm2.forward(self.conv2.forward(t)))
    }
}

impl Net for ResNet8 {
    type Batch = (Tensor<4>, Tensor<1, Int>);

    const FOLDER: &'static str = "networks";
    const FIXTURE: &'static str = "resnet8";
    const VIEWS: &'static [&'static str] = &[
        "smooth/running",
        "smooth/batch",
        "kinked/running",
        "kinked/batch",
    ];

    fn init(device: &Device) -> Self {
        let [first, second, third] = WIDTHS;
        Self {
            stem: convolution([1, first], 3, 1, device),
            stem_norm: BatchNormConfig::new(first).init(device),
            blocks: [[first, first], [first, second], [second, third]]
                .map(|widths| Residual::new(widths, device))
                .to_vec(),
            head: LinearConfig::new(third, 10).init(device),
            pool: Pool::new(3, 1, 1),
            variant: Variant::default(),
        }
    }

    fn at_view(self, view: &str) -> Self {
        Self {
            variant: Variant::of(view),
            ..self.map(&mut TrainingFlag(view.ends_with("batch")))
        }
    }

    fn batch(fixture: &Fixture, dtype: DType, device: &Device) -> Self::Batch {
        (planes(fixture, dtype, device), labels(fixture, device))
    }

    fn outputs(&self, (x, _): &Self::Batch) -> Tensor<2> {
        let t = self.stem_norm.forward(self.stem.forward(x.clone()));
        let t = self.variant.gelu_or_relu(t);
        let stem = self.pool.forward(t, self.variant);
        let t = self
            .blocks
            .iter()
            .fold(stem, |t, block| block.forward(t, self.variant));
        self.head
            .forward(t.flatten::<3>(2, 3).mean_dim(2).squeeze_dim(2))
    }

    fn loss_terms(outputs: Tensor<2>, (_, y): &Self::Batch) -> Tensor<1> {
        cross_entropy(outputs, y.clone())
    }
}
