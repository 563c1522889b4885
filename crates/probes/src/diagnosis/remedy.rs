//! The remedies: a closed list that a program can carry out.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A change of a training that may help. Shown with `{}` it is a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "remedy", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Remedy {
    /// Multiplying the learning rate.
    LearningRate {
        /// The factor: below 1 for smaller steps.
        factor: f64,
    },
    /// Growing the learning rate from zero over the first steps.
    Warmup {
        /// The number of steps.
        steps: u64,
    },
    /// Training for more steps.
    LongerTraining {
        /// The factor by which the number of steps grows.
        factor: f64,
    },
    /// Drawing the first weights from another distribution.
    Initialisation {
        /// The distribution.
        scheme: InitialisationScheme,
    },
    /// Using another activation function.
    Activation {
        /// The function.
        function: ActivationFunction,
    },
    /// Adding normalisation layers.
    Normalisation,
    /// Adding residual connections around blocks of layers.
    Residual,
    /// Using fewer layers.
    FewerLayers,
    /// Bounding the norm of the gradient.
    GradientClip {
        /// The largest norm.
        norm: f64,
    },
    /// Using another optimiser.
    Optimiser {
        /// The optimiser.
        kind: OptimiserKind,
    },
    /// Minimising the loss at its highest point within a radius (sharpness-aware minimisation).
    Sam {
        /// The radius.
        rho: f64,
    },
    /// Looking for wrong or shuffled labels, and for inputs that say nothing of them.
    CleanLabels,
    /// Regularising more: weight decay, augmentation, dropout, an earlier stop.
    MoreRegularisation,
    /// Multiplying the batch size.
    BatchSize {
        /// The factor.
        factor: f64,
    },
    /// Scaling the inputs to mean 0 and variance 1.
    ScaleInputs,
    /// Computing BatchNorm's running statistics anew from the training data after the last step,
    /// or letting them follow the batches faster.
    BatchNormStatistics,
    /// Moving the weights a small way in a random direction, or along the most negative curvature.
    Perturbation,
    /// Training with more seeds, and reporting all of them.
    MoreSeeds,
}

/// A distribution of first weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum InitialisationScheme {
    /// Variance 2 / fan-in, for ReLU (He et al. 2015, equation 10).
    He,
    /// Variance 2 / (fan-in + fan-out), for tanh (Glorot and Bengio 2010, equation 16).
    Glorot,
}

/// An activation function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ActivationFunction {
    /// max(0, z).
    Relu,
    /// z for z > 0, a small multiple of z below.
    LeakyRelu,
    /// z Φ(z).
    Gelu,
    /// The hyperbolic tangent.
    Tanh,
}

/// An optimiser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OptimiserKind {
    /// Gradient descent with momentum 0.9.
    Momentum,
    /// Adam.
    Adam,
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::LearningRate { factor } if factor < 1.0 => {
                write!(f, "divide the learning rate by {}", round(1.0 / factor))
            }
            Self::LearningRate { factor } => {
                write!(f, "multiply the learning rate by {}", round(factor))
            }
            Self::Warmup { steps } => {
                write!(f, "let the learning rate grow from 0 over {steps} steps")
            }
            Self::LongerTraining { factor } => {
                write!(f, "train {} times as many steps", round(factor))
            }
            Self::Initialisation { scheme } => f.write_str(match scheme {
                InitialisationScheme::He => {
                    "draw the first weights by He's scheme (variance 2 / fan-in)"
                }
                InitialisationScheme::Glorot => {
                    "draw the first weights by Glorot's scheme (variance 2 / (fan-in + fan-out))"
                }
            }),
            Self::Activation { function } => write!(
                f,
                "use {} as the activation",
                match function {
                    ActivationFunction::Relu => "ReLU",
                    ActivationFunction::LeakyRelu => "leaky ReLU",
                    ActivationFunction::Gelu => "GELU",
                    ActivationFunction::Tanh => "tanh",
                }
            ),
            Self::Normalisation => f.write_str("add normalisation layers (BatchNorm, LayerNorm)"),
            Self::Residual => f.write_str(
                "add residual connections, in a deep network together with normalisation",
            ),
            Self::FewerLayers => f.write_str("use fewer layers"),
            Self::GradientClip { norm } => {
                write!(f, "clip the norm of the gradient at {}", round(norm))
            }
            Self::Optimiser { kind } => f.write_str(match kind {
                OptimiserKind::Momentum => "use gradient descent with momentum 0.9",
                OptimiserKind::Adam => "use Adam, which scales each weight's step",
            }),
            Self::Sam { rho } => write!(f, "train with SAM, rho {}", round(rho)),
            Self::CleanLabels => {
                f.write_str("look for wrong or shuffled labels: compare some examples by eye")
            }
            Self::MoreRegularisation => {
                f.write_str("regularise more: weight decay, augmentation, an earlier stop")
            }
            Self::BatchSize { factor } if factor < 1.0 => {
                write!(f, "divide the batch size by {}", round(1.0 / factor))
            }
            Self::BatchSize { factor } => {
                write!(f, "multiply the batch size by {}", round(factor))
            }
            Self::ScaleInputs => f.write_str("scale the inputs to mean 0 and variance 1"),
            Self::BatchNormStatistics => f.write_str(
                "compute BatchNorm's running statistics anew, or let them follow faster",
            ),
            Self::Perturbation => {
                f.write_str("move the weights a little along the most negative curvature")
            }
            Self::MoreSeeds => f.write_str("train with more seeds, and report all of them"),
        }
    }
}

/// Returns a factor to two significant digits.
fn round(value: f64) -> String {
    let text = super::words::number(value, 2);
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}
