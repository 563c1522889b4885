//! The settings of a training, and what a remedy makes of them.

use anyhow::Result;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamConfig, ModuleOptimizer, SgdConfig};
use burn::tensor::Device;
use landscape::stability;
use models::{Activation, MlpConfig, ResidualMlpConfig, he_normal, rescale_layers, xavier_normal};
use probes::diagnosis::{ActivationFunction, InitialisationScheme, OptimiserKind, Remedy};

use crate::network::Network;

/// The first weights.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Start {
    /// Uniform in ±1/√inputs, as PyTorch and Burn have it.
    Uniform,
    /// Those of He et al., times a factor.
    He(f64),
    /// Those of Glorot and Bengio.
    Glorot,
}

/// The settings of a training.
#[derive(Debug, Clone)]
pub(crate) struct Setting {
    /// Widths of the hidden layers.
    pub(crate) hidden: Vec<usize>,
    /// Whether blocks of two layers are added to their inputs.
    pub(crate) residual: bool,
    /// Whether a `BatchNorm` follows each hidden layer.
    pub(crate) norm: bool,
    pub(crate) activation: Activation,
    pub(crate) start: Start,
    /// The factor of the first layer, by which the second is divided.
    pub(crate) rescale: f64,
    pub(crate) learning_rate: f64,
    pub(crate) momentum: f64,
    pub(crate) adam: bool,
    /// Examples of a step, at most.
    pub(crate) batch: usize,
    pub(crate) epochs: u64,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            hidden: vec![64, 32],
            residual: false,
            norm: false,
            activation: Activation::Relu,
            start: Start::Uniform,
            rescale: 1.0,
            learning_rate: 0.1,
            momentum: 0.9,
            adam: false,
            batch: 50,
            epochs: 20,
        }
    }
}

impl Setting {
    /// Returns the settings with a remedy, if it is one that this program can carry out.
    pub(crate) fn with(&self, remedy: &Remedy) -> Option<Self> {
        let mut after = self.clone();
        match *remedy {
            Remedy::LearningRate { factor } => after.learning_rate *= factor,
            Remedy::Initialisation { scheme } => {
                after.start = match scheme {
                    InitialisationScheme::Glorot => Start::Glorot,
                    _ => Start::He(1.0),
                };
                after.rescale = 1.0;
            }
            Remedy::Activation { function } => {
                after.activation = match function {
                    ActivationFunction::Relu => Activation::Relu,
                    ActivationFunction::Gelu => Activation::Gelu,
                    ActivationFunction::Tanh => Activation::Tanh,
                    _ => return None,
                };
            }
            Remedy::BatchSize { factor } => {
                after.batch = scaled(self.batch, factor);
            }
            Remedy::Normalisation if !self.residual => after.norm = true,
            Remedy::Residual => {
                // As many layers: two a block, and two more.
                let blocks = self.hidden.len().saturating_sub(1).div_ceil(2).max(1);
                let width = self.hidden.iter().copied().max()?;
                after.hidden = vec![width; blocks];
                after.residual = true;
            }
            Remedy::FewerLayers => after.hidden.truncate(2),
            Remedy::Optimiser {
                kind: OptimiserKind::Adam,
            } => {
                after.adam = true;
                after.learning_rate = 0.001;
            }
            _ => return None,
        }
        Some(after)
    }

    /// Returns the network with its first weights.
    pub(crate) fn network(&self, seed: u64, device: &Device) -> Result<Network> {
        let network = if self.residual {
            let width = self.hidden.first().copied().unwrap_or(1);
            let config = ResidualMlpConfig::new(64, width, self.hidden.len());
            let config = config.with_activation(self.activation);
            Network::Residual(config.init_seeded(seed, device)?)
        } else {
            let widths = [&[64], &self.hidden[..], &[10]].concat();
            let config = MlpConfig::new(widths)
                .with_activation(self.activation)
                .with_batch_norm(self.norm);
            Network::Plain(config.init_seeded(seed, device)?)
        };
        let network = match self.start {
            Start::Uniform => network,
            Start::He(factor) => he_normal(network, seed, factor),
            Start::Glorot => xavier_normal(network, seed, 1.0),
        };
        Ok(rescale_layers(network, self.rescale))
    }

    /// Returns the optimiser.
    pub(crate) fn optimiser(&self) -> ModuleOptimizer {
        if self.adam {
            return AdamConfig::new().with_epsilon(1e-8).init();
        }
        let momentum = MomentumConfig::new()
            .with_momentum(self.momentum)
            .with_dampening(0.0);
        SgdConfig::new()
            .with_momentum((self.momentum > 0.0).then_some(momentum))
            .init()
    }

    /// Returns what the optimiser is to the stability of its steps, where it is known.
    pub(crate) fn stability(&self) -> Option<stability::Optimiser> {
        (!self.adam).then_some(stability::Optimiser::HeavyBall {
            momentum: self.momentum,
            dampening: 0.0,
        })
    }
}

/// Returns a number of examples times a factor, one at least.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a small number"
)]
fn scaled(examples: usize, factor: f64) -> usize {
    (examples as f64 * factor).round().max(1.0) as usize
}
