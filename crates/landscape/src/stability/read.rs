//! Burn's configurations, read.
//!
//! Their fields are private, and they can be written as JSON: each is read back as a type of our
//! own with the same fields. A field that Burn renames is an error, not a default.

use std::fmt::Display;

use burn::config::Config;
use burn::optim::decay::WeightDecayConfig;
use burn::optim::grad_clipping::GradientClippingConfig;
use burn::optim::momentum::MomentumConfig;

use crate::error::Error;

/// The fields of [`burn::optim::SgdConfig`].
#[derive(Config, Debug)]
pub(super) struct Sgd {
    pub(super) weight_decay: Option<WeightDecayConfig>,
    pub(super) momentum: Option<MomentumConfig>,
    pub(super) gradient_clipping: Option<GradientClippingConfig>,
}

/// The fields of [`burn::optim::AdamConfig`].
#[derive(Config, Debug)]
pub(super) struct Adam {
    pub(super) beta_1: f32,
    pub(super) beta_2: f32,
    pub(super) epsilon: f32,
    pub(super) amsgrad: bool,
    pub(super) weight_decay: Option<WeightDecayConfig>,
    pub(super) grad_clipping: Option<GradientClippingConfig>,
}

/// The fields of [`burn::optim::AdamWConfig`].
#[derive(Config, Debug)]
pub(super) struct AdamW {
    pub(super) beta_1: f32,
    pub(super) beta_2: f32,
    pub(super) epsilon: f32,
    pub(super) weight_decay: f32,
    pub(super) cautious_weight_decay: bool,
    pub(super) amsgrad: bool,
    pub(super) grad_clipping: Option<GradientClippingConfig>,
}

/// The fields of [`burn::optim::RmsPropConfig`].
#[derive(Config, Debug)]
pub(super) struct RmsProp {
    pub(super) alpha: f32,
    pub(super) momentum: f32,
    pub(super) epsilon: f32,
    pub(super) centered: bool,
    pub(super) weight_decay: Option<WeightDecayConfig>,
    pub(super) grad_clipping: Option<GradientClippingConfig>,
}

/// Reads a configuration of Burn's, whose text is its JSON.
///
/// # Errors
/// [`Error::Setting`] for a configuration that has not the fields of `T`.
pub(super) fn read<T: Config>(config: &impl Display) -> Result<T, Error> {
    T::load_binary(config.to_string().as_bytes()).map_err(|error| Error::Setting {
        name: "the optimiser's configuration",
        value: error.to_string(),
        allowed: "one of Burn 0.22's",
    })
}

/// Refuses gradient clipping.
///
/// # Errors
/// [`Error::Setting`].
pub(super) fn refuse_clipping(clipping: Option<&GradientClippingConfig>) -> Result<(), Error> {
    let value = match clipping {
        None => return Ok(()),
        Some(GradientClippingConfig::Value(value)) => format!("by value at {value}"),
        Some(GradientClippingConfig::Norm(norm)) => format!("by norm at {norm}"),
    };
    Err(Error::Setting {
        name: "gradient clipping",
        value,
        allowed: "off: a clipped step is not linear in the weights, and has no threshold of stability",
    })
}
