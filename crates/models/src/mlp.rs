//! A multilayer perceptron.

use burn::config::Config;
use burn::module::Module;
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use burn::tensor::{Device, Tensor, TensorCreationOptions};

use crate::activation::Activation;
use crate::error::Error;
use crate::initialise::Initialiser;

/// The shape of an [`Mlp`].
#[derive(Config, Debug)]
pub struct MlpConfig {
    /// Features of the input, of every hidden layer, and the number of classes: `[64, 32, 16,
    /// 10]`.
    pub widths: Vec<usize>,
    /// The nonlinearity after every layer but the last.
    #[config(default = "Activation::Relu")]
    pub activation: Activation,
    /// Whether a `BatchNorm` follows every layer but the last.
    #[config(default = false)]
    pub batch_norm: bool,
    /// The share of a batch in the running statistics of a `BatchNorm` after it.
    #[config(default = 0.1)]
    pub norm_momentum: f64,
}

/// A multilayer perceptron: `xₗ₊₁ = σ(xₗ Wₗ + bₗ)`, without `σ` after the last layer.
///
/// With `BatchNorm` it is `xₗ₊₁ = σ(norm(xₗ Wₗ + bₗ))`.
#[derive(Module, Debug)]
pub struct Mlp {
    /// The layers, from the input on; each weight is `[in, out]`.
    pub layers: Vec<Linear>,
    /// The norms after every layer but the last, or none.
    pub norms: Vec<BatchNorm>,
    /// The nonlinearity between them.
    #[module(skip)]
    pub activation: Activation,
}

impl MlpConfig {
    /// Checks that the configuration describes a network.
    ///
    /// # Errors
    /// [`Error::Config`] if there are fewer than two widths or one of them is 0, or the share of a
    /// batch in the running statistics is outside of 0..=1.
    pub fn check(&self) -> Result<(), Error> {
        if self.widths.len() < 2 || self.widths.contains(&0) {
            return Err(Error::Config {
                model: "an Mlp",
                field: "widths",
                value: format!("{:?}", self.widths),
                rule: "at least two numbers, none of them 0",
            });
        }
        check_momentum("an Mlp", self.norm_momentum)
    }

    /// Makes the network with Burn's own initialiser, which draws on the device when a weight is
    /// first used.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn init(&self, device: &Device) -> Result<Mlp, Error> {
        self.check()?;
        let layers = self
            .widths
            .windows(2)
            .map(|pair| LinearConfig::new(pair[0], pair[1]).init(device))
            .collect();
        let norms = if self.batch_norm {
            self.widths.len() - 2
        } else {
            0
        };
        let norms = self.widths[1..=norms].iter().map(|&width| {
            let config = BatchNormConfig::new(width).with_momentum(self.norm_momentum);
            config.init(device)
        });
        Ok(Mlp {
            layers,
            norms: norms.collect(),
            activation: self.activation,
        })
    }

    /// Makes the network with weights drawn on the host from `seed`: uniform in `±1/√in`, the
    /// default of PyTorch and of Burn. `options` is `&device`, or `(&device, DType::F64)` for
    /// another float type than the device's.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn init_seeded(
        &self,
        seed: u64,
        options: impl Into<TensorCreationOptions>,
    ) -> Result<Mlp, Error> {
        let mut initialiser = Initialiser::new(seed, options.into());
        let model = self.init(&initialiser.device())?;
        let layers = model.layers.into_iter();
        let layers = layers.map(|layer| initialiser.linear(layer)).collect();
        let norms = model.norms.into_iter();
        let norms = norms.map(|norm| initialiser.norm(norm)).collect();
        Ok(Mlp {
            layers,
            norms,
            activation: model.activation,
        })
    }
}

impl Mlp {
    /// Returns the scores before the softmax, `[B, classes]`, of `images`: `[B, features]`, or
    /// `[B, C, H, W]` taken row by row.
    ///
    /// # Panics
    /// If an image has another number of values than the first layer has inputs.
    #[must_use]
    pub fn forward<const D: usize>(&self, images: Tensor<D>) -> Tensor<2> {
        let mut hidden = features(images);
        for (index, layer) in self.layers.iter().enumerate() {
            if index > 0 {
                if let Some(norm) = self.norms.get(index - 1) {
                    hidden = norm.forward(hidden);
                }
                hidden = self.activation.apply(hidden);
            }
            hidden = layer.forward(hidden);
        }
        hidden
    }
}

/// Returns `[B, ...]` as `[B, features]`.
pub(crate) fn features<const D: usize>(images: Tensor<D>) -> Tensor<2> {
    let dims = images.dims();
    images.reshape([dims[0], dims[1..].iter().product()])
}

/// Checks the share of a batch in the running statistics of a `BatchNorm`.
pub(crate) fn check_momentum(model: &'static str, momentum: f64) -> Result<(), Error> {
    if (0.0..=1.0).contains(&momentum) {
        return Ok(());
    }
    Err(Error::Config {
        model,
        field: "norm_momentum",
        value: momentum.to_string(),
        rule: "at least 0 and at most 1",
    })
}
