//! A perceptron with skip connections.

use burn::config::Config;
use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor, TensorCreationOptions};

use crate::activation::Activation;
use crate::error::Error;
use crate::initialise::Initialiser;
use crate::mlp::features;

/// The shape of a [`ResidualMlp`].
#[derive(Config, Debug)]
pub struct ResidualMlpConfig {
    /// Values of one image.
    pub features: usize,
    /// Width of the skip connection and of every block.
    pub width: usize,
    /// Number of blocks; each has two layers.
    pub blocks: usize,
    /// Number of classes.
    #[config(default = 10)]
    pub classes: usize,
    /// The nonlinearity before each layer of a block and before the last layer.
    #[config(default = "Activation::Relu")]
    pub activation: Activation,
}

/// A perceptron whose blocks are added to their inputs: the network on which Li et al. show how
/// skip connections smooth the landscape, without its convolutions.
///
/// # References
/// He, Zhang, Ren, Sun (2016), "Identity mappings in deep residual networks" (the order activation,
/// layer); Li, Xu, Taylor, Studer, Goldstein (2018), section 5.
#[derive(Module, Debug)]
pub struct ResidualMlp {
    /// `[features, width]`.
    pub input: Linear,
    /// The blocks, in order.
    pub blocks: Vec<ResidualBlock>,
    /// `[width, classes]`.
    pub output: Linear,
    /// The nonlinearity.
    #[module(skip)]
    pub activation: Activation,
}

/// A block of a [`ResidualMlp`]: `x + W₂ σ(W₁ σ(x) + b₁) + b₂`.
#[derive(Module, Debug)]
pub struct ResidualBlock {
    /// `[width, width]`.
    pub first: Linear,
    /// `[width, width]`.
    pub second: Linear,
}

impl ResidualMlpConfig {
    /// Checks that the configuration describes a network.
    ///
    /// # Errors
    /// [`Error::Config`] if a size is 0. No block at all is allowed: two layers and no skip
    /// connection.
    pub fn check(&self) -> Result<(), Error> {
        for (field, value) in [
            ("features", self.features),
            ("width", self.width),
            ("classes", self.classes),
        ] {
            if value == 0 {
                return Err(Error::Config {
                    model: "a ResidualMlp",
                    field,
                    value: value.to_string(),
                    rule: "at least 1",
                });
            }
        }
        Ok(())
    }

    /// Makes the network with Burn's own initialiser, which draws on the device when a weight is
    /// first used.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn init(&self, device: &Device) -> Result<ResidualMlp, Error> {
        self.check()?;
        let square = || LinearConfig::new(self.width, self.width).init(device);
        Ok(ResidualMlp {
            input: LinearConfig::new(self.features, self.width).init(device),
            blocks: (0..self.blocks)
                .map(|_| ResidualBlock {
                    first: square(),
                    second: square(),
                })
                .collect(),
            output: LinearConfig::new(self.width, self.classes).init(device),
            activation: self.activation,
        })
    }

    /// Makes the network with weights drawn on the host from `seed`, as
    /// [`MlpConfig::init_seeded`](crate::MlpConfig::init_seeded).
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn init_seeded(
        &self,
        seed: u64,
        options: impl Into<TensorCreationOptions>,
    ) -> Result<ResidualMlp, Error> {
        let mut initialiser = Initialiser::new(seed, options.into());
        let model = self.init(&initialiser.device())?;
        // Rust evaluates these in the order they are written, which is the order of the forward
        // pass.
        Ok(ResidualMlp {
            input: initialiser.linear(model.input),
            blocks: model
                .blocks
                .into_iter()
                .map(|block| ResidualBlock {
                    first: initialiser.linear(block.first),
                    second: initialiser.linear(block.second),
                })
                .collect(),
            output: initialiser.linear(model.output),
            activation: model.activation,
        })
    }
}

impl ResidualMlp {
    /// Returns the scores before the softmax, `[B, classes]`, of `images`: `[B, features]`, or
    /// `[B, C, H, W]` taken row by row.
    ///
    /// # Panics
    /// If an image has another number of values than the first layer has inputs.
    #[must_use]
    pub fn forward<const D: usize>(&self, images: Tensor<D>) -> Tensor<2> {
        let mut stream = self.input.forward(features(images));
        for block in &self.blocks {
            let inner = block.first.forward(self.activation.apply(stream.clone()));
            stream = stream + block.second.forward(self.activation.apply(inner));
        }
        self.output.forward(self.activation.apply(stream))
    }
}
