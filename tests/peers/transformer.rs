//! A small vision transformer on images of 28 by 28 pixels: 16 tokens, each a patch of 7 by 7.

use burn::config::Config;
use burn::module::{Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::transformer::{
    TransformerEncoder, TransformerEncoderConfig, TransformerEncoderInput,
};
use burn::nn::{Initializer, LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use models::{Classifier, xavier_normal};

const PATCH: usize = 7;
const TOKENS: usize = 16;

/// The shape of a [`Transformer`].
#[derive(Config, Debug)]
pub(crate) struct TransformerConfig {
    width: usize,
    /// Units between the two layers that follow each attention.
    inner: usize,
    heads: usize,
    layers: usize,
}

/// Patches with positions, encoder layers that normalise first (GELU, no dropout), the mean over
/// the tokens, linear.
#[derive(Module, Debug)]
pub(crate) struct Transformer {
    patch: Conv2d,
    position: Param<Tensor<3>>,
    encoder: TransformerEncoder,
    norm: LayerNorm,
    head: Linear,
}

impl TransformerConfig {
    pub(crate) fn init_seeded(&self, seed: u64, device: &Device) -> Transformer {
        let width = self.width;
        let encoder = TransformerEncoderConfig::new(width, self.inner, self.heads, self.layers)
            .with_dropout(0.0)
            .with_norm_first(true);
        let model = Transformer {
            patch: Conv2dConfig::new([1, width], [PATCH, PATCH])
                .with_stride([PATCH, PATCH])
                .init(device),
            position: Initializer::Zeros.init([1, TOKENS, width], device),
            encoder: encoder.init(device),
            norm: LayerNormConfig::new(width).init(device),
            head: LinearConfig::new(width, 10).init(device),
        };
        xavier_normal(model, seed, 1.0)
    }
}

impl Classifier for Transformer {
    fn logits(&self, images: Tensor<4>) -> Tensor<2> {
        let patches = self.patch.forward(images).flatten::<3>(2, 3);
        let tokens = patches.swap_dims(1, 2) + self.position.val();
        let tokens = self.encoder.forward(TransformerEncoderInput::new(tokens));
        self.head
            .forward(self.norm.forward(tokens).mean_dim(1).squeeze_dim::<2>(1))
    }
}
