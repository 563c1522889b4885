//! What was found, as typed values beside the records: for programs that go on with it.

use crate::workload::Products;

/// A result of one probe at one step.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Finding {
    /// Eigenvalues of the Hessian.
    Eigenvalues(Eigenvalues),
    /// The Hessian's trace.
    Trace(TraceEstimate),
    /// SAM's sharpness, L(w + ρ g/‖g‖) − L(w).
    SamSharpness {
        /// The rise of the loss.
        value: f64,
        /// ρ.
        rho: f64,
    },
    /// How the Hessian products of a step were made, for each risk.
    Products(Products),
}

/// Eigenvalues at the ends of the Hessian's spectrum.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Eigenvalues {
    /// The largest ones, descending.
    pub largest: Vec<Eigenvalue>,
    /// The smallest one, if it was asked for.
    pub smallest: Option<Eigenvalue>,
}

/// An eigenvalue and how well it is known.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Eigenvalue {
    /// The Rayleigh quotient of its vector.
    pub value: f64,
    /// ‖Hv − λv‖: some eigenvalue lies at most this far away.
    pub residual: f64,
    /// Whether the residual is at most the tolerance times the largest |λ| of the run.
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

/// A trace and how well it is known.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct TraceEstimate {
    /// The mean of zᵀHz over the probe vectors z.
    pub value: f64,
    /// The standard error of the mean.
    pub standard_error: f64,
    /// How many probe vectors.
    pub vectors: usize,
}
