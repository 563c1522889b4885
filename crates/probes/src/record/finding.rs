//! Typed results beside the records, for programs that go on with them.

use landscape::spectrum::Estimate;

use crate::workload::Products;

/// A result of one probe at one step.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Finding {
    /// Eigenvalues of the Hessian.
    Eigenvalues(Eigenvalues),
    /// The Hessian's trace, the mean of `zᵀHz` over the probe vectors z.
    Trace(Estimate),
    /// SAM's sharpness, `L(w + ρ g/‖g‖) − L(w)`.
    SamSharpness {
        /// The rise of the loss.
        value: f64,
        /// The radius `ρ`.
        rho: f64,
    },
    /// The way in which the Hessian products of a step were made, for each risk.
    Products(Products),
}

/// Eigenvalues at the ends of the Hessian's spectrum.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Eigenvalues {
    /// The largest ones, descending.
    pub largest: Vec<Eigenvalue>,
    /// The smallest one, if it was asked for.
    pub smallest: Option<Eigenvalue>,
}

/// An eigenvalue and how well it is known.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Eigenvalue {
    /// The Rayleigh quotient of its vector.
    pub value: f64,
    /// The residual `‖Hv − λv‖`: some eigenvalue lies at most this far away.
    pub residual: f64,
    /// Whether the residual is at most the tolerance times the largest `|λ|` of the run.
    pub converged: bool,
    /// Whether the value is not told from zero.
    pub below_resolution: bool,
}

impl From<&landscape::spectrum::EigenPair> for Eigenvalue {
    fn from(pair: &landscape::spectrum::EigenPair) -> Self {
        Self {
            value: pair.value,
            residual: pair.residual,
            converged: pair.converged,
            below_resolution: pair.below_resolution,
        }
    }
}
