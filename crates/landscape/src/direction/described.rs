//! A direction with the record of how it was made.

use std::fmt;

use burn::module::Module;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::random::direction;
use super::{Normalization, NormalizeConfig, VectorParameters, normalize, orthogonalize};
use crate::error::Error;
use crate::parameters::ParameterSpace;
use crate::sharpness::Ball;
use crate::trajectory::Centre;
use crate::vector::Domain;

/// A direction with the record of how it was made.
///
/// # Examples
/// ```
/// use burn::nn::LinearConfig;
/// use burn::tensor::Device;
/// use landscape::ParameterSpace;
/// use landscape::direction::{Direction, NormalizeConfig};
///
/// let model = LinearConfig::new(2, 3).init(&Device::flex());
/// let space = ParameterSpace::of(&model)?;
/// let config = NormalizeConfig::new();
/// let first = Direction::random(&space, 42, 0).normalized(&space, &model, &config)?;
/// let second = Direction::random(&space, 42, 1)
///     .normalized(&space, &model, &config)?
///     .orthogonal_to(&space.domain, &first)?;
/// assert_eq!(
///     second.info.to_string(),
///     "random, seed 42, number 1; normalised by filter, biases and norm layers at rest; \
///      orthogonalised against: random, seed 42, number 0; normalised by filter, biases and norm \
///      layers at rest"
/// );
/// # Ok::<(), landscape::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Direction {
    /// The direction d, `[P]`.
    pub vector: Tensor<1>,
    /// How it was made.
    pub info: DirectionInfo,
}

/// The record of how a direction was made. Its text is a phrase for captions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DirectionInfo {
    /// The kind, with what made it.
    pub kind: DirectionKind,
    /// What was done to it afterwards, in order.
    pub steps: Vec<DirectionStep>,
}

/// The kind of a direction, with what made it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum DirectionKind {
    /// Independent N(0,1) entries.
    Random {
        /// The seed.
        seed: u64,
        /// The number of the direction among those of the seed, from zero.
        number: u64,
    },
    /// The unit vector along the gradient, uphill.
    Gradient {
        /// The norm of the gradient.
        norm: f64,
    },
    /// SAM's displacement to its peak.
    Ascent {
        /// The ball whose first-order maximum it is.
        ball: Ball,
        /// The norm of the gradient.
        gradient_norm: f64,
    },
    /// A unit eigenvector.
    Eigenvector {
        /// The position among the pairs asked for, from zero.
        number: usize,
        /// The eigenvalue.
        value: f64,
        /// The residual `‖Hv − λv‖`.
        residual: f64,
        /// Whether the residual meets the tolerance asked for.
        converged: bool,
    },
    /// The difference of two models.
    Difference {
        /// The model at coordinate 0, from zero.
        from: usize,
        /// The model at coordinate 1, from zero.
        to: usize,
    },
    /// A unit vector of the plane through three models.
    ModelPlane {
        /// The position in the basis, from zero.
        number: usize,
    },
    /// A principal direction of a trajectory.
    Principal {
        /// The position among the principal directions, from zero.
        number: usize,
        /// The centre of the deviations.
        centre: Centre,
        /// The share of the deviations' squares along it, from 0 to 1.
        explained: f64,
    },
    /// A vector of the caller's.
    Given {
        /// The caller's name of it.
        name: String,
    },
}

/// A change of a direction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum DirectionStep {
    /// It was scaled by [`normalize`].
    Normalised(NormalizeConfig),
    /// Its component along another direction was taken away by [`orthogonalize`].
    Orthogonalised {
        /// How the other direction was made.
        against: Box<DirectionInfo>,
    },
}

impl Direction {
    /// Returns direction `number` of a seed: of [`random_directions`](super::random_directions) the
    /// first is number 0 and the second number 1.
    #[must_use]
    pub fn random(space: &ParameterSpace, seed: u64, number: u64) -> Self {
        let kind = DirectionKind::Random { seed, number };
        Self::new(direction(space, seed, number), kind)
    }

    /// Returns a direction of the caller's, `[P]`, under a name.
    #[must_use]
    pub fn given(name: &str, vector: Tensor<1>) -> Self {
        let name = name.to_owned();
        Self::new(vector, DirectionKind::Given { name })
    }

    pub(crate) const fn new(vector: Tensor<1>, kind: DirectionKind) -> Self {
        let info = DirectionInfo {
            kind,
            steps: Vec::new(),
        };
        Self { vector, info }
    }

    /// Returns this direction scaled to the weights of `model`, and says so in its record.
    ///
    /// # Errors
    /// As [`normalize`].
    pub fn normalized<M: Module>(
        mut self,
        space: &ParameterSpace,
        model: &M,
        config: &NormalizeConfig,
    ) -> Result<Self, Error> {
        self.vector = normalize(space, model, self.vector, config)?;
        self.info
            .steps
            .push(DirectionStep::Normalised(config.clone()));
        Ok(self)
    }

    /// Returns this direction without its component along `other`, and says so in its record.
    ///
    /// # Errors
    /// As [`orthogonalize`].
    pub fn orthogonal_to(mut self, domain: &Domain, other: &Self) -> Result<Self, Error> {
        self.vector = orthogonalize(domain, &self.vector, &other.vector)?;
        self.info.steps.push(DirectionStep::Orthogonalised {
            against: Box::new(other.info.clone()),
        });
        Ok(self)
    }
}

impl DirectionInfo {
    /// Returns the seed of a random direction.
    #[must_use]
    pub const fn seed(&self) -> Option<u64> {
        match self.kind {
            DirectionKind::Random { seed, .. } => Some(seed),
            _ => None,
        }
    }

    /// Returns the last normalisation; none where there was none.
    #[must_use]
    pub fn normalisation(&self) -> Option<&NormalizeConfig> {
        self.steps.iter().rev().find_map(|step| match step {
            DirectionStep::Normalised(config) => Some(config),
            DirectionStep::Orthogonalised { .. } => None,
        })
    }

    /// Returns whether the direction was made orthogonal to another and has not been normalised by
    /// filters or layers since, which would undo it.
    #[must_use]
    pub fn is_orthogonalised(&self) -> bool {
        let mut is = false;
        for step in &self.steps {
            is = match step {
                DirectionStep::Orthogonalised { .. } => true,
                DirectionStep::Normalised(config) => {
                    is && matches!(
                        config.normalization,
                        Normalization::Global | Normalization::None
                    )
                }
            };
        }
        is
    }
}

impl fmt::Display for DirectionInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        for step in &self.steps {
            write!(f, "; {step}")?;
        }
        Ok(())
    }
}

impl fmt::Display for DirectionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Random { seed, number } => write!(f, "random, seed {seed}, number {number}"),
            Self::Gradient { norm } => write!(f, "gradient, of norm {norm:.3e}"),
            Self::Ascent { ball, .. } => write!(f, "ascent of SAM in the {ball}"),
            Self::Eigenvector {
                number,
                value,
                converged,
                ..
            } => {
                let doubt = if *converged { "" } else { ", not converged" };
                write!(f, "eigenvector {}, λ = {value:.4e}{doubt}", number + 1)
            }
            Self::Difference { from, to } => write!(f, "from model {from} to model {to}"),
            Self::ModelPlane { number } => {
                write!(f, "unit vector {} of the models' plane", number + 1)
            }
            Self::Principal {
                number,
                centre,
                explained,
            } => {
                let share = 100.0 * explained;
                let number = number + 1;
                write!(
                    f,
                    "principal direction {number} about the {centre}, {share:.1} %"
                )
            }
            Self::Given { name } => f.write_str(name),
        }
    }
}

impl fmt::Display for DirectionStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Normalised(config) => {
                let by = match config.normalization {
                    Normalization::Filter => "normalised by filter",
                    Normalization::Layer => "normalised by layer",
                    Normalization::Global => return f.write_str("normalised to unit norm"),
                    Normalization::None => return f.write_str("not normalised"),
                };
                let vectors = match config.vectors {
                    VectorParameters::Ignore => "at rest",
                    VectorParameters::Copy => "along themselves",
                };
                write!(f, "{by}, biases and norm layers {vectors}")
            }
            Self::Orthogonalised { against } => write!(f, "orthogonalised against: {against}"),
        }
    }
}
