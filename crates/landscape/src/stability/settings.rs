//! The settings of one of Burn's optimisers.

use burn::optim::{AdamConfig, AdamWConfig, RmsPropConfig, SgdConfig};
use serde::{Deserialize, Serialize};

use super::Optimiser;
use super::read::{Adam, AdamW, RmsProp, Sgd, read, refuse_clipping};
use crate::error::Error;

/// The settings of one of Burn's optimisers that its stability depends on, read from its
/// configuration with the values that it computes with (Burn rounds most to f32).
///
/// Made by `OptimiserSettings::try_from(&config)` of an
/// [`SgdConfig`], [`AdamConfig`], [`AdamWConfig`] or [`RmsPropConfig`]. Gradient clipping is an
/// error: a clipped step is not linear in the weights, so it has no threshold.
///
/// # Examples
/// ```
/// use burn::optim::{SgdConfig, momentum::MomentumConfig};
/// use landscape::stability::OptimiserSettings;
///
/// let config =
///     SgdConfig::new().with_momentum(Some(MomentumConfig::new().with_momentum(0.5)));
/// let settings = OptimiserSettings::try_from(&config)?;
/// // Heavy ball with Burn's default dampening 0.1: 2 · 1.5 / (0.9 · 0.1).
/// assert!((settings.optimiser.threshold(0.1, 0.0)? - 100.0 / 3.0).abs() < 1e-12);
/// # Ok::<(), landscape::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct OptimiserSettings {
    /// The optimiser with its momentum.
    pub optimiser: Optimiser,
    /// The L2 penalty w that is added to the gradient, 0 for none: the threshold is of the
    /// spectrum of `H + w I`. AdamW's decoupled decay is not here, but in `optimiser`.
    pub weight_decay: f64,
    /// Rule by which the preconditioner follows from the second moments; none for SGD.
    pub moments: Option<Moments>,
}

/// A rule by which a preconditioner follows from an optimiser's second moments.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Moments {
    /// Adam and AdamW after t steps: `p = √(v / (1 − β₂ᵗ)) + ε`, with the largest v so far
    /// (AMSGrad) where `amsgrad` is set.
    Adam {
        /// The decay `β₂` of the second moment.
        beta_2: f32,
        /// `ε`.
        epsilon: f32,
        /// Whether the largest second moment is taken.
        amsgrad: bool,
    },
    /// RMSprop: `p = √a + ε`, with a the mean square of the gradient, from which the square of
    /// the mean gradient is taken where the optimiser is centred.
    RmsProp {
        /// `ε`.
        epsilon: f32,
    },
}

impl TryFrom<&SgdConfig> for OptimiserSettings {
    type Error = Error;

    /// Reads gradient descent, heavy ball or Nesterov momentum.
    ///
    /// # Errors
    /// [`Error::Setting`] for gradient clipping.
    fn try_from(config: &SgdConfig) -> Result<Self, Error> {
        let config: Sgd = read(config)?;
        refuse_clipping(config.gradient_clipping.as_ref())?;
        let optimiser = match config.momentum {
            None => Optimiser::GradientDescent,
            Some(momentum) => {
                // Burn multiplies by the momentum in f32, and by 1 − τ in f64.
                #[expect(clippy::cast_possible_truncation, reason = "as Burn rounds it")]
                let beta = f64::from(momentum.momentum as f32);
                if momentum.nesterov {
                    Optimiser::Nesterov {
                        momentum: beta,
                        dampening: momentum.dampening,
                    }
                } else {
                    Optimiser::HeavyBall {
                        momentum: beta,
                        dampening: momentum.dampening,
                    }
                }
            }
        };
        Ok(Self {
            optimiser,
            weight_decay: config.weight_decay.map_or(0.0, |d| f64::from(d.penalty)),
            moments: None,
        })
    }
}

impl TryFrom<&AdamConfig> for OptimiserSettings {
    type Error = Error;

    /// Reads Adam.
    ///
    /// # Errors
    /// [`Error::Setting`] for gradient clipping.
    fn try_from(config: &AdamConfig) -> Result<Self, Error> {
        let config: Adam = read(config)?;
        refuse_clipping(config.grad_clipping.as_ref())?;
        Ok(Self {
            optimiser: Optimiser::Adam {
                beta_1: f64::from(config.beta_1),
            },
            weight_decay: config.weight_decay.map_or(0.0, |d| f64::from(d.penalty)),
            moments: Some(Moments::Adam {
                beta_2: config.beta_2,
                epsilon: config.epsilon,
                amsgrad: config.amsgrad,
            }),
        })
    }
}

impl TryFrom<&AdamWConfig> for OptimiserSettings {
    type Error = Error;

    /// Reads AdamW.
    ///
    /// # Errors
    /// [`Error::Setting`] for gradient clipping, and for cautious weight decay, which is not
    /// linear in the weights.
    fn try_from(config: &AdamWConfig) -> Result<Self, Error> {
        let config: AdamW = read(config)?;
        refuse_clipping(config.grad_clipping.as_ref())?;
        if config.cautious_weight_decay && config.weight_decay > 0.0 {
            return Err(Error::Setting {
                name: "cautious_weight_decay",
                value: "on".into(),
                allowed: "off: a decay that depends on signs has no threshold of stability",
            });
        }
        Ok(Self {
            optimiser: Optimiser::AdamW {
                beta_1: f64::from(config.beta_1),
                weight_decay: f64::from(config.weight_decay),
            },
            weight_decay: 0.0,
            moments: Some(Moments::Adam {
                beta_2: config.beta_2,
                epsilon: config.epsilon,
                amsgrad: config.amsgrad,
            }),
        })
    }
}

impl TryFrom<&RmsPropConfig> for OptimiserSettings {
    type Error = Error;

    /// Reads RMSprop.
    ///
    /// # Errors
    /// [`Error::Setting`] for gradient clipping.
    fn try_from(config: &RmsPropConfig) -> Result<Self, Error> {
        let config: RmsProp = read(config)?;
        refuse_clipping(config.grad_clipping.as_ref())?;
        Ok(Self {
            optimiser: Optimiser::RmsProp {
                momentum: f64::from(config.momentum),
            },
            weight_decay: config.weight_decay.map_or(0.0, |d| f64::from(d.penalty)),
            moments: Some(Moments::RmsProp {
                epsilon: config.epsilon,
            }),
        })
    }
}

impl OptimiserSettings {
    /// Returns whether the threshold depends on the norm of the gradient.
    pub(super) const fn needs_gradient(&self) -> bool {
        matches!(self.optimiser, Optimiser::Sam { .. })
    }

    /// Returns the settings of an optimiser without L2 penalty and preconditioner.
    #[must_use]
    pub const fn plain(optimiser: Optimiser) -> Self {
        Self {
            optimiser,
            weight_decay: 0.0,
            moments: None,
        }
    }

    /// Returns the settings of SAM with radius `rho` over this optimiser.
    ///
    /// # Errors
    /// [`Error::Setting`] for an optimiser other than gradient descent and heavy ball, for which
    /// no threshold is known.
    pub fn with_sam(self, rho: f64) -> Result<Self, Error> {
        let (momentum, dampening) = match self.optimiser {
            Optimiser::GradientDescent => (0.0, 0.0),
            Optimiser::HeavyBall {
                momentum,
                dampening,
            } => (momentum, dampening),
            other => {
                return Err(Error::Setting {
                    name: "the base optimiser of SAM",
                    value: format!("{other:?}"),
                    allowed: "gradient descent or heavy ball, for which SAM's threshold is known",
                });
            }
        };
        if self.weight_decay > 0.0 {
            return Err(Error::Setting {
                name: "the weight decay under SAM",
                value: self.weight_decay.to_string(),
                allowed: "0: the decay is taken at the weights and the gradient beside them",
            });
        }
        Ok(Self {
            optimiser: Optimiser::Sam {
                rho,
                momentum,
                dampening,
            },
            ..self
        })
    }
}
