//! The scale of a displacement in each coordinate, and what it makes invariant.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::parameters::{Block, ParameterSpace};
use crate::vector::norm_of;

/// The invariance of a measure under the rescaling of ReLU units, which leaves the function that
/// the network computes as it is.
///
/// A hidden ReLU unit is rescaled by multiplying its incoming weights and its bias by some `a > 0`
/// and its outgoing weights by `1/a`; a layer, by rescaling all its units by one a. The
/// parameters become `D θ` with a positive diagonal D and `L(D θ) = L(θ)`, so that the gradient
/// becomes `D⁻¹ g` and the Hessian `D⁻¹ H D⁻¹`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rescaling {
    /// The same number, whatever units are rescaled.
    Invariant,
    /// The same number where whole layers are rescaled, another one where single units are.
    InvariantByLayer,
    /// Another number.
    NotInvariant,
}

impl fmt::Display for Rescaling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Invariant => "yes",
            Self::InvariantByLayer => "by layer",
            Self::NotInvariant => "no",
        })
    }
}

/// The tensors that a [`Scale`] takes from the weights; elsewhere `T = 1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ScaledTensors {
    /// Those of rank 2 and more, so neither biases nor the scale and shift of norm layers.
    Matrices,
    /// All.
    All,
}

/// The scale `T > 0` of a displacement `e = T u`, one number for each coordinate.
///
/// Rescaling ReLU units turns the weights θ into `D θ`. Where T becomes `D T` with them, the
/// displaced weights `θ + T u` become `D (θ + T u)`, at which the loss is what it was: for every u,
/// and so for every measure that is made of the losses at all u of a ball. That is so for
/// `T = |θ|` on all tensors alone: a small constant η does not grow with the weights, and neither
/// does the one on biases. The norms of filters, the weights into one unit, grow with a whole layer
/// but not with single units, each of which has a share in every filter of the next layer.
///
/// A weight that is zero stays zero where `T = |θ|`.
///
/// # References
/// Kwon, Kim, Park, Choi 2021, "ASAM: Adaptive Sharpness-Aware Minimization", definition 1 and
/// equation 4.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Scale {
    /// `T = 1`.
    One,
    /// `T = |θ| + η` entry by entry.
    Weights {
        /// The small constant η, zero or more.
        eta: f64,
        /// The tensors that have it.
        tensors: ScaledTensors,
    },
    /// `T = ‖θ_f‖ + η` for all entries of a [filter](crate::Block#filters) f; `|θ| + η` on tensors
    /// of rank 0 and 1, where these have it.
    Filters {
        /// The small constant η, zero or more.
        eta: f64,
        /// The tensors that have it.
        tensors: ScaledTensors,
    },
}

impl Scale {
    /// The scale of ASAM: `T = |θ| + 0.01` on tensors of rank 2 and more, one elsewhere. Not
    /// invariant.
    pub const ASAM: Self = Self::Weights {
        eta: 0.01,
        tensors: ScaledTensors::Matrices,
    };

    /// The one that is invariant to rescaling ReLU units: `T = |θ|` on all tensors.
    pub const INVARIANT: Self = Self::Weights {
        eta: 0.0,
        tensors: ScaledTensors::All,
    };

    /// Returns whether what is measured with it survives the rescaling of ReLU layers.
    #[must_use]
    pub fn rescaling(&self) -> Rescaling {
        match *self {
            Self::Weights {
                eta: 0.0,
                tensors: ScaledTensors::All,
            } => Rescaling::Invariant,
            Self::Filters {
                eta: 0.0,
                tensors: ScaledTensors::All,
            } => Rescaling::InvariantByLayer,
            Self::One | Self::Weights { .. } | Self::Filters { .. } => Rescaling::NotInvariant,
        }
    }

    /// Checks the small constant.
    ///
    /// # Errors
    /// [`Error::Setting`].
    pub(super) fn check(&self) -> Result<(), Error> {
        match *self {
            Self::Weights { eta, .. } | Self::Filters { eta, .. }
                if !(eta >= 0.0 && eta.is_finite()) =>
            {
                Err(Error::Setting {
                    name: "eta",
                    value: eta.to_string(),
                    allowed: "zero or more, and finite",
                })
            }
            Self::One | Self::Weights { .. } | Self::Filters { .. } => Ok(()),
        }
    }

    /// Returns T at the weights `theta` of a space, `[P]`; none where it is one everywhere.
    pub(super) fn of(&self, space: &ParameterSpace, theta: &[f64]) -> Option<Vec<f64>> {
        let (eta, tensors, by_filter) = match *self {
            Self::One => return None,
            Self::Weights { eta, tensors } => (eta, tensors, false),
            Self::Filters { eta, tensors } => (eta, tensors, true),
        };
        let mut scale = vec![1.0; theta.len()];
        for block in &space.blocks {
            let is_matrix = block.shape.len() > 1;
            if !is_matrix && tensors == ScaledTensors::Matrices {
                continue;
            }
            let range = block.range();
            let (t, w) = (&mut scale[range.clone()], &theta[range]);
            match block.filter_axis {
                Some(_) if by_filter && is_matrix => filters(block, eta, t, w),
                _ => t.iter_mut().zip(w).for_each(|(t, w)| *t = w.abs() + eta),
            }
        }
        Some(scale)
    }
}

/// Sets T of a tensor to its filters' norms.
fn filters(block: &Block, eta: f64, t: &mut [f64], w: &[f64]) {
    for runs in block.filters() {
        let size = norm_of(|| runs.iter().flat_map(|run| w[run.clone()].iter().copied())) + eta;
        runs.into_iter().for_each(|run| t[run].fill(size));
    }
}

impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, eta, tensors) = match self {
            Self::One => return f.write_str("T = 1"),
            Self::Weights { eta, tensors } => ("|w|", eta, tensors),
            Self::Filters { eta, tensors } => ("||w_f||", eta, tensors),
        };
        write!(f, "T = {name}")?;
        if *eta > 0.0 {
            write!(f, " + {eta}")?;
        }
        f.write_str(match tensors {
            ScaledTensors::All => " on all tensors",
            ScaledTensors::Matrices => " on matrices",
        })
    }
}
