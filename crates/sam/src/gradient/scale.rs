//! The units in which the ball around the weights is measured.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// The diagonal scale T of an ascent `e = ρ T² g / ‖T g‖`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    /// `T = 1`: a Euclidean ball.
    Unit,
    /// `T = |w| + η` on parameters of rank 2 and more, and on the others if `all` is set, where T
    /// is 1 else.
    Weights {
        /// The number η that is added to `|w|`.
        eta: f64,
        /// Whether parameters of rank 0 and 1 are scaled too.
        all: bool,
    },
}

impl Scale {
    /// Returns T for one parameter, or `None` where it is 1.
    pub(crate) fn of<const D: usize>(self, weight: &Tensor<D>) -> Option<Tensor<D>> {
        let eta = self.eta::<D>()?;
        Some(weight.clone().abs().add_scalar(eta))
    }

    /// Returns the η of T for a parameter of rank D, or `None` where T is 1.
    pub(crate) const fn eta<const D: usize>(self) -> Option<f64> {
        match self {
            Self::Weights { eta, all } if D > 1 || all => Some(eta),
            _ => None,
        }
    }
}
