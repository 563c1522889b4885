//! The starts of the trainings.

use anyhow::Result;
use burn::tensor::TensorCreationOptions;
use models::{Mlp, MlpConfig, he_normal};

/// The initial weights of an MLP 64-10-10-10-10 with ReLU: He's normal weights times a gain.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Start {
    /// Every weight 0.
    Zero,
    /// A tenth of He's.
    TooSmall,
    /// He's.
    He,
    /// Three times He's.
    TooLarge,
}

impl Start {
    pub(crate) const ALL: [Self; 4] = [Self::Zero, Self::TooSmall, Self::He, Self::TooLarge];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Zero => "zero",
            Self::TooSmall => "a tenth of He",
            Self::He => "He",
            Self::TooLarge => "three times He",
        }
    }

    const fn gain(self) -> f64 {
        match self {
            Self::Zero => 0.0,
            Self::TooSmall => 0.1,
            Self::He => 1.0,
            Self::TooLarge => 3.0,
        }
    }

    /// Returns the model with these weights.
    pub(crate) fn model(self, seed: u64, options: impl Into<TensorCreationOptions>) -> Result<Mlp> {
        let model = MlpConfig::new(vec![64, 10, 10, 10, 10]).init_seeded(seed, options)?;
        Ok(he_normal(model, seed, self.gain()))
    }
}
