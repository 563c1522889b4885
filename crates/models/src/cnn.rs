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
use crate::mlp::{check_momentum, features};

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
    /// The share of a batch in the running statistics of a `BatchNorm` after it.
    #[config(default = 0.1)]
    pub norm_momentum: f64,
    /// Further convolutions (3 by 3, padding 1, `channels[1]` to `channels[1]`) after the second
    /// pooling.
    #[config(default = 0)]
    pub depth: usize,
    /// Whether each further convolution is added to its input.
    #[config(default = false)]
    pub skip: bool,
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
/// activation and a max pooling of 2 by 2; then, if the configuration asks for them, further
/// convolutions of one size; then one linear layer.
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
    /// The further convolutions.
    pub deep: Vec<ConvLayer>,
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
    /// Whether each further convolution is added to its input.
    #[module(skip)]
    pub skip: bool,
}

/// A further convolution of a [`Cnn`]: `σ(norm(conv x))`, or `x + σ(norm(conv x))` with a skip
/// connection.
#[derive(Module, Debug)]
pub struct ConvLayer {
    /// Weight `[channels[1], channels[1], 3, 3]`.
    pub conv: Conv2d,
    /// The norm after it, if the configuration asks for it.
    pub norm: Option<BatchNorm>,
}

impl CnnConfig {
    /// Checks that the configuration describes a network.
    ///
    /// # Errors
    /// [`Error::Config`] if the side is below 4 (nothing would be left after two poolings), a
    /// number of channels or classes is 0, the probability of dropout is outside of 0..1, or the
    /// share of a batch in the running statistics is outside of 0..=1.
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
        check_momentum("a Cnn", self.norm_momentum)
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
                .then(|| BatchNormConfig::new(channels).with_momentum(self.norm_momentum))
                .map(|config| config.init(device))
        };
        let deep = (0..self.depth).map(|_| ConvLayer {
            conv: conv([second, second]),
            norm: norm(second),
        });
        let rest = self.side / 2 / 2;
        Ok(Cnn {
            conv1: conv([self.input_channels, first]),
            bn1: norm(first),
            conv2: conv([first, second]),
            bn2: norm(second),
            deep: deep.collect(),
            dropout: (self.dropout > 0.0).then(|| DropoutConfig::new(self.dropout).init()),
            fc: LinearConfig::new(second * rest * rest, self.classes).init(device),
            pool: MaxPool2dConfig::new([2, 2]).init(),
            activation: self.activation,
            skip: self.skip,
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
            deep: model
                .deep
                .into_iter()
                .map(|layer| ConvLayer {
                    conv: initialiser.conv(layer.conv),
                    norm: layer.norm.map(|norm| initialiser.norm(norm)),
                })
                .collect(),
            fc: initialiser.linear(model.fc),
            dropout: model.dropout,
            pool: model.pool,
            activation: model.activation,
            skip: model.skip,
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
        let mut hidden = self.stage(&self.conv2, self.bn2.as_ref(), hidden);
        for ConvLayer { conv, norm } in &self.deep {
            let layer = self.layer(conv, norm.as_ref(), hidden.clone());
            hidden = if self.skip { hidden + layer } else { layer };
        }
        let hidden = features(hidden);
        let hidden = match &self.dropout {
            Some(dropout) => dropout.forward(hidden),
            None => hidden,
        };
        self.fc.forward(hidden)
    }

    fn stage(&self, conv: &Conv2d, norm: Option<&BatchNorm>, input: Tensor<4>) -> Tensor<4> {
        self.pool.forward(self.layer(conv, norm, input))
    }

    fn layer(&self, conv: &Conv2d, norm: Option<&BatchNorm>, input: Tensor<4>) -> Tensor<4> {
        let hidden = conv.forward(input);
        let hidden = match norm {
            Some(norm) => norm.forward(hidden),
            None => hidden,
        };
        self.activation.apply(hidden)
    }
}
