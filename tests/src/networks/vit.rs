//! A small vision transformer on MNIST.

use burn::module::{Module, Param};
use burn::nn::activation::{Activation, Gelu, Relu};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::transformer::{
    TransformerEncoder, TransformerEncoderConfig, TransformerEncoderInput,
};
use burn::nn::{Initializer, LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::{DType, Device, Int, Tensor};

use super::{Variant, planes};
use crate::models::labels;
use crate::{Fixture, Net, cross_entropy};

const PATCH: usize = 7;
const TOKENS: usize = 16;
const WIDTH: usize = 16;
const INNER: usize = 32;
// Heads of width 4: burn takes the root of the width in f32, which is exact for 4.
const HEADS: usize = 4;
const LAYERS: usize = 2;

/// Patches with positions, two encoder layers normalised first, mean or maximum over the tokens,
/// linear.
#[derive(Module, Debug)]
pub struct VisionTransformer {
    patch: Conv2d,
    position: Param<Tensor<3>>,
    encoder: TransformerEncoder,
    norm: LayerNorm,
    head: Linear,
    #[module(skip)]
    variant: Variant,
}

impl Net for VisionTransformer {
    type Batch = (Tensor<4>, Tensor<1, Int>);

    const FOLDER: &'static str = "networks";
    const FIXTURE: &'static str = "vit";
    const VIEWS: &'static [&'static str] = &["smooth", "kinked"];

    fn init(device: &Device) -> Self {
        Self {
            patch: Conv2dConfig::new([1, WIDTH], [PATCH, PATCH])
                .with_stride([PATCH, PATCH])
                .init(device),
            position: Initializer::Zeros.init([1, TOKENS, WIDTH], device),
            encoder: TransformerEncoderConfig::new(WIDTH, INNER, HEADS, LAYERS)
                .with_dropout(0.0)
                .with_norm_first(true)
                .init(device),
            norm: LayerNormConfig::new(WIDTH).init(device),
            head: LinearConfig::new(WIDTH, 10).init(device),
            variant: Variant::default(),
        }
    }

    fn at_view(mut self, view: &str) -> Self {
        self.variant = Variant::of(view);
        for layer in &mut self.encoder.layers {
            layer.pwff.activation = match self.variant {
                Variant::Smooth => Activation::Gelu(Gelu::new()),
                Variant::Kinked => Activation::Relu(Relu::new()),
            };
        }
        self
    }

    fn batch(fixture: &Fixture, dtype: DType, device: &Device) -> Self::Batch {
        (planes(fixture, dtype, device), labels(fixture, device))
    }

    fn outputs(&self, (x, _): &Self::Batch) -> Tensor<2> {
        let patches = self.patch.forward(x.clone()).flatten::<3>(2, 3);
        let tokens = patches.swap_dims(1, 2) + self.position.val();
        let tokens = self.encoder.forward(TransformerEncoderInput::new(tokens));
        let tokens = self.norm.forward(tokens);
        self.head.forward(self.variant.mean_or_max(tokens))
    }

    fn loss_terms(outputs: Tensor<2>, (_, y): &Self::Batch) -> Tensor<1> {
        cross_entropy(outputs, y.clone())
    }
}
