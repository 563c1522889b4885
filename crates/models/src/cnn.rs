//! A small convolutional network.

use burn::config::Config;
use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{
    BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Linear, LinearConfig, PaddingConfig2d,
};
use burn::tensor::{Device, Tensor, TensorCreationOptions};

use crate::activation::Activation;
use crate::error::Error;
use crate::initialise::Initialiser;
use crate::mlp::features;

/// The shape of a [`Cnn`].
#[derive(Config, Debug)]
pub struct CnnConfig {
    /// Rows and columns of an image, in pixels; each pooling halves them, rounding down.
    pub side: usize,
    /// Channels of an image.
    #[config(default = 1)]
    pub input_channels: usize,
    /// Channels after the first and the second convolution.
    #[config(default = "[8, 16]")]
    pub channels: [usize; 2],
    /// Number of classes.
    #[config(default = 10)]
    pub classes: usize,
    /// Whether a `BatchNorm` follows each convolution.
    #[config(default = false)]
    pub batch_norm: bool,
    /// Probability that a feature is dropped before the last layer while training. Dropout draws
    /// from the generator of the device, so a network with it is not reproduced by `init_seeded`
    /// alone.
    #[config(default = 0.0)]
    pub dropout: f64,
    /// The nonlinearity before each pooling.
    #[config(default = "Activation::Relu")]
    pub activation: Activation,
}

/// A convolutional network: twice a convolution (3 by 3, padding 1), perhaps a `BatchNorm`, an
/// activation and a max pooling of 2 by 2; then one linear layer.
///
/// The fields have the names that PyTorch programs give these layers, so their weights load
/// unrenamed.
#[derive(Module, Debug)]
pub struct Cnn {
    /// Weight `[channels[0], input_channels, 3, 3]`.
    pub conv1: Conv2d,
    /// The norm after the first convolution, if the configuration asks for it.
    pub bn1: Option<BatchNorm>,
    /// Weight `[channels[1], channels[0], 3, 3]`.
    pub conv2: Conv2d,
    /// The norm after the second convolution, if the configuration asks for it.
    pub bn2: Option<BatchNorm>,
    /// The dropout before the last layer, if its probability is not 0.
    pub dropout: Option<Dropout>,
    /// Weight `[channels[1] · (side / 4)², classes]`; its inputs are ordered channel, row, column,
    /// as in PyTorch.
    pub fc: Linear,
    /// The pooling that halves rows and columns.
    pub pool: MaxPool2d,
    /// The nonlinearity.
    #[module(skip)]
    pub activation: Activation,
}

impl CnnConfig {
    /// Checks that the configuration describes a network.
    ///
    /// # Errors
    /// [`Error::Config`] if the side is below 4 (nothing would be left after two poolings), a
    /// number of channels or classes is 0, or the probability of dropout is outside of 0..1.
    pub fn check(&self) -> Result<(), Error> {
        let error = |field, value: String, rule| {
            Err(Error::Config {
                model: "a Cnn",
                field,
                value,
                rule,
            })
        };
        if self.side < 4 {
            return error(
                "side",
                self.side.to_string(),
                "at least 4, because two poolings divide it by 4",
            );
        }
        if self.input_channels == 0 {
            return error(
                "input_channels",
                self.input_channels.to_string(),
                "at least 1",
            );
        }
        if self.channels.contains(&0) {
            return error(
                "channels",
                format!("{:?}", self.channels),
                "two numbers, each at least 1",
            );
        }
        if self.classes == 0 {
            return error("classes", self.classes.to_string(), "at least 1");
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return error(
                "dropout",
                self.dropout.to_string(),
                "at least 0 and below 1",
            );
        }
        Ok(())
    }

    /// Makes the network with Burn's own initialiser, which draws on the device when a weight is
    /// first used.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn init(&self, device: &Device) -> Result<Cnn, Error> {
        self.check()?;
        let [first, second] = self.channels;
        let conv = |channels| {
            Conv2dConfig::new(channels, [3, 3])
                .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                .init(device)
        };
        let norm = |channels| {
            self.batch_norm
                .then(|| BatchNormConfig::new(channels).init(device))
        };
        let rest = self.side / 2 / 2;
        Ok(Cnn {
            conv1: conv([self.input_channels, first]),
            bn1: norm(first),
            conv2: conv([first, second]),
            bn2: norm(second),
            dropout: (self.dropout > 0.0).then(|| DropoutConfig::new(self.dropout).init()),
            fc: LinearConfig::new(second * rest * rest, self.classes).init(device),
            pool: MaxPool2dConfig::new([2, 2]).init(),
            activation: self.activation,
        })
    }

    /// Makes the network with weights drawn on the host from `seed`, as
    /// [`MlpConfig::init_seeded`](crate::MlpConfig::init_seeded); the inputs of a convolution
    /// number channels times nine.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn init_seeded(
        &self,
        seed: u64,
        options: impl Into<TensorCreationOptions>,
    ) -> Result<Cnn, Error> {
        let mut initialiser = Initialiser::new(seed, options.into());
        let model = self.init(&initialiser.device())?;
        // Rust evaluates these in the order they are written, which is the order of the forward
        // pass.
        Ok(Cnn {
            conv1: initialiser.conv(model.conv1),
            bn1: model.bn1.map(|norm| initialiser.norm(norm)),
            conv2: initialiser.conv(model.conv2),
            bn2: model.bn2.map(|norm| initialiser.norm(norm)),
            fc: initialiser.linear(model.fc),
            dropout: model.dropout,
            pool: model.pool,
            activation: model.activation,
        })
    }
}

impl Cnn {
    /// Returns the scores before the softmax, `[B, classes]`, of `images`
    /// `[B, input_channels, side, side]`.
    ///
    /// On an autodiff device a `BatchNorm` normalises by the batch and updates its running
    /// statistics, and dropout is active; elsewhere both are as in inference.
    ///
    /// # Panics
    /// If the images have another number of channels or another size than the configuration says.
    #[must_use]
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let hidden = self.stage(&self.conv1, self.bn1.as_ref(), images);
        let hidden = features(self.stage(&self.conv2, self.bn2.as_ref(), hidden));
        let hidden = match &self.dropout {
            Some(dropout) => dropout.forward(hidden),
            None => hidden,
        };
        self.fc.forward(hidden)
    }

    fn stage(&self, conv: &Conv2d, norm: Option<&BatchNorm>, input: Tensor<4>) -> Tensor<4> {
        let hidden = conv.forward(input);
        let hidden = match norm {
            Some(norm) => norm.forward(hidden),
            None => hidden,
        };
        self.pool.forward(self.activation.apply(hidden))
    }
}
