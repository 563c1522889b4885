//! The cases: a network, its data, and how they are cut.

use anyhow::{Context, Result};
use burn::tensor::Device;
use datasets::{Digits, ImageDataset, MnistSubset};
use models::{Classifier, CnnConfig, MlpConfig};

use crate::transformer::TransformerConfig;

/// The data of a case.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Data {
    /// 8 by 8 pixels.
    Digits,
    /// 28 by 28 pixels.
    Mnist,
}

/// The network of a case.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Network {
    Mlp(&'static [usize]),
    Cnn {
        channels: [usize; 2],
        batch_norm: bool,
    },
    Transformer {
        width: usize,
        inner: usize,
        heads: usize,
        layers: usize,
    },
}

/// One problem of the comparison.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) network: Network,
    pub(crate) data: Data,
    pub(crate) examples: usize,
    /// The number of batches in which the data is given.
    pub(crate) batches: usize,
    /// Points of the plane along each direction.
    pub(crate) side: usize,
}

const fn mlp(name: &'static str, widths: &'static [usize], batches: usize) -> Case {
    let data = if widths[0] == 64 {
        Data::Digits
    } else {
        Data::Mnist
    };
    let (examples, side) = match data {
        Data::Digits => (1797, 21),
        Data::Mnist => (4096, 11),
    };
    Case {
        name,
        network: Network::Mlp(widths),
        data,
        examples,
        batches,
        side,
    }
}

const fn cnn(name: &'static str, channels: [usize; 2], batch_norm: bool) -> Case {
    Case {
        name,
        network: Network::Cnn {
            channels,
            batch_norm,
        },
        data: Data::Mnist,
        examples: 1024,
        batches: 4,
        side: 11,
    }
}

const fn transformer(name: &'static str, width: usize, heads: usize, layers: usize) -> Case {
    Case {
        name,
        network: Network::Transformer {
            width,
            inner: 2 * width,
            heads,
            layers,
        },
        data: Data::Mnist,
        examples: 512,
        batches: 4,
        side: 11,
    }
}

/// Three sizes of each kind; those without `small` and `large` are the columns of the table.
pub(crate) const CASES: [Case; 13] = [
    mlp("digits-mlp-small", &[64, 32, 16, 10], 1),
    mlp("digits-mlp", &[64, 64, 64, 10], 1),
    mlp("mnist-mlp", &[784, 256, 128, 10], 8),
    mlp("mnist-mlp-large", &[784, 1024, 512, 10], 8),
    cnn("cnn-small", [8, 16], false),
    cnn("cnn", [16, 32], false),
    cnn("cnn-large", [32, 64], false),
    cnn("cnn-norm-small", [8, 16], true),
    cnn("cnn-norm", [16, 32], true),
    cnn("cnn-norm-large", [32, 64], true),
    transformer("transformer-small", 16, 2, 1),
    transformer("transformer", 32, 2, 2),
    transformer("transformer-large", 64, 4, 2),
];

/// A job on the network of a case, whatever its type.
pub(crate) trait Visitor {
    fn visit<M: Classifier + Sync + 'static>(self, case: &'static Case, model: M) -> Result<()>;
}

impl Case {
    pub(crate) fn of(name: &str) -> Result<&'static Self> {
        let found = CASES.iter().find(|case| case.name == name);
        found.with_context(|| format!("no case is called {name}"))
    }

    /// Hands the network, with weights of a fixed seed, to a visitor.
    pub(crate) fn visit(&'static self, visitor: impl Visitor) -> Result<()> {
        // Parameters that are to have gradients stand on an autodiff device.
        let device = Device::flex().autodiff();
        match self.network {
            Network::Mlp(widths) => {
                let config = MlpConfig::new(widths.to_vec());
                visitor.visit(self, config.init_seeded(1, &device)?)
            }
            Network::Cnn {
                channels,
                batch_norm,
            } => {
                let config = CnnConfig::new(28)
                    .with_channels(channels)
                    .with_batch_norm(batch_norm);
                visitor.visit(self, config.init_seeded(1, &device)?)
            }
            Network::Transformer {
                width,
                inner,
                heads,
                layers,
            } => {
                let config = TransformerConfig::new(width, inner, heads, layers);
                visitor.visit(self, config.init_seeded(1, &device))
            }
        }
    }

    pub(crate) fn load(&self) -> Result<ImageDataset> {
        Ok(match self.data {
            Data::Digits => Digits::load()?.images,
            Data::Mnist => MnistSubset::load()?.train,
        })
    }
}
