//! A network of 20 layers, with and without residual connections and BatchNorm.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{AvgPool2d, AvgPool2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::{Device, Tensor, activation::relu};
use models::he_normal;

/// The differences between the networks of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Architecture {
    /// Whether the input of each block is added to its output.
    pub residual: bool,
    /// Whether BatchNorm follows each convolution.
    pub norm: bool,
    /// Channels of every convolution.
    pub width: usize,
}

impl Architecture {
    /// Returns all that are compared: plain and residual, without norm and with BatchNorm, of each
    /// width.
    #[must_use]
    pub fn all(widths: &[usize]) -> Vec<Self> {
        let flags = [false, true];
        let pairs = flags.map(|norm| flags.map(|residual| [norm, residual]));
        let pairs = pairs.as_flattened();
        let of_width = |&width: &usize| {
            pairs.iter().map(move |&[norm, residual]| Self {
                residual,
                norm,
                width,
            })
        };
        widths.iter().flat_map(of_width).collect()
    }

    /// Returns the kind of network in words, without its width.
    #[must_use]
    pub fn name(self) -> String {
        let connections = if self.residual { "residual" } else { "plain" };
        let norm = if self.norm { "BatchNorm" } else { "no norm" };
        format!("{connections}, {norm}")
    }

    /// Returns the network with He's initial weights.
    #[must_use]
    pub fn init(self, seed: u64, device: &Device) -> Network {
        let layer = |input| Layer::new([input, self.width], self.norm, device);
        let network = Network {
            stem: layer(1),
            blocks: (0..9)
                .map(|_| Block {
                    first: layer(self.width),
                    second: layer(self.width),
                })
                .collect(),
            head: LinearConfig::new(self.width, 10).init(device),
            pool: AvgPool2dConfig::new([2, 2]).init(),
            residual: self.residual,
        };
        he_normal(network, seed, 1.0)
    }
}

/// A convolution, nine blocks of two convolutions and a linear layer, for images of 8 by 8.
///
/// Means over 2 by 2 positions follow every third block, so that one position is left at the end.
/// Nothing but the sum tells a residual network from a plain one.
#[derive(Module, Debug)]
pub struct Network {
    stem: Layer,
    blocks: Vec<Block>,
    head: Linear,
    pool: AvgPool2d,
    #[module(skip)]
    residual: bool,
}

/// Two convolutions.
#[derive(Module, Debug)]
struct Block {
    first: Layer,
    second: Layer,
}

/// A convolution of 3 by 3, and the norm after it.
#[derive(Module, Debug)]
struct Layer {
    conv: Conv2d,
    norm: Option<BatchNorm>,
}

impl Layer {
    fn new(channels: [usize; 2], norm: bool, device: &Device) -> Self {
        let conv = Conv2dConfig::new(channels, [3, 3])
            .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
            .init(device);
        let norm = norm.then(|| BatchNormConfig::new(channels[1]).init(device));
        Self { conv, norm }
    }

    fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let hidden = self.conv.forward(input);
        match &self.norm {
            Some(norm) => norm.forward(hidden),
            None => hidden,
        }
    }
}

impl Network {
    /// Returns the scores before the softmax, `[B, 10]`, of `images` `[B, 1, 8, 8]`.
    #[must_use]
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let mut hidden = relu(self.stem.forward(images));
        for (number, block) in self.blocks.iter().enumerate() {
            let inner = relu(block.first.forward(hidden.clone()));
            let inner = block.second.forward(inner);
            hidden = relu(if self.residual { hidden + inner } else { inner });
            if number % 3 == 2 {
                hidden = self.pool.forward(hidden);
            }
        }
        let [examples, width, ..] = hidden.dims();
        self.head.forward(hidden.reshape([examples, width]))
    }
}
