//! An autoencoder with transposed convolutions on MNIST.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig, ConvTranspose2d, ConvTranspose2dConfig};
use burn::nn::{Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::{DType, Device, Tensor};

use super::{Pool, Variant, planes};
use crate::{Fixture, Net, squared_error};

/// Two convolutions with pooling down to 4 by 7 by 7, through a code of 8 numbers, and two
/// transposed convolutions up again.
#[derive(Module, Debug)]
pub struct Autoencoder {
    conv1: Conv2d,
    conv2: Conv2d,
    encode: Linear,
    decode: Linear,
    up1: ConvTranspose2d,
    up2: ConvTranspose2d,
    pool: Pool,
    #[module(skip)]
    variant: Variant,
}

impl Net for Autoencoder {
    /// Images `[N, 1, 28, 28]`, and the same flattened as targets.
    type Batch = (Tensor<4>, Tensor<2>);

    const FOLDER: &'static str = "networks";
    const FIXTURE: &'static str = "autoencoder";
    const VIEWS: &'static [&'static str] = &["smooth", "kinked"];

    fn init(device: &Device) -> Self {
        let convolution = |channels| {
            Conv2dConfig::new(channels, [3, 3])
                .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                .init(device)
        };
        Self {
            conv1: convolution([1, 8]),
            conv2: convolution([8, 4]),
            encode: LinearConfig::new(196, 8).init(device),
            decode: LinearConfig::new(8, 196).init(device),
            up1: ConvTranspose2dConfig::new([4, 8], [3, 3])
                .with_stride([2, 2])
                .with_padding([1, 1])
                .with_padding_out([1, 1])
                .init(device),
            up2: ConvTranspose2dConfig::new([8, 1], [4, 4])
                .with_stride([2, 2])
                .with_padding([1, 1])
                .init(device),
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
        let x = planes(fixture, dtype, device);
        (x.clone(), x.flatten(1, 3))
    }

    fn outputs(&self, (x, _): &Self::Batch) -> Tensor<2> {
        let variant = self.variant;
        let t = variant.gelu_or_relu(self.conv1.forward(x.clone()));
        let t = self.pool.forward(t, variant);
        let t = variant.gelu_or_relu(self.conv2.forward(t));
        let t = self.pool.forward(t, variant);
        let [examples, channels, height, width] = t.dims();
        let code = self.encode.forward(t.flatten::<2>(1, 3));
        let t = variant.gelu_or_relu(self.decode.forward(code));
        let t = self
            .up1
            .forward(t.reshape([examples, channels, height, width]));
        let t = self.up2.forward(variant.gelu_or_relu(t));
        t.flatten(1, 3)
    }

    fn loss_terms(outputs: Tensor<2>, (_, targets): &Self::Batch) -> Tensor<1> {
        squared_error(outputs, targets.clone())
    }
}
