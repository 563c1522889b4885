//! Eigenvalues, traces and spectral densities of symmetric operators.
//!
//! An algorithm here knows an operator only by its dimension and its products
//! ([`LinearOperator`](crate::LinearOperator)); nothing sees a module or data. Recurrences run in
//! f64 on the host whatever the operator's float type, every random number comes from the seed in
//! the configuration, and a run is watched or cancelled by wrapping the operator in
//! [`Observed`](crate::operator::Observed).
//!
//! | wanted | function | products |
//! |---|---|---|
//! | a few eigenpairs at one end | [`top_eigenpairs`] | some tens |
//! | both ends | [`extremes`] | some tens |
//! | the eigenvalue of largest magnitude, with little memory | [`power_iteration`] | hundreds |
//! | trace, diagonal, block traces, Frobenius norm | [`hutchinson_trace`] | by the error wanted |
//! | trace where the spectrum decays, with an interval | [`hutch_plus_plus()`] | by the error wanted |
//! | trace where the spectrum decays, most exactly | [`xtrace()`] | by the error wanted |
//! | Frobenius norm | [`squared_frobenius_norm`] | by the error wanted |
//! | where the eigenvalues lie | [`spectral_density`] | starts times steps |
//! | how many decades they span | [`log_density`] | none beyond the density's |
//! | every eigenvalue, P up to a few thousand | [`dense_spectrum`] | P |
//!
//! Memory is counted in vectors of P numbers. Lanczos keeps one for each step; with
//! [`LanczosConfig::max_vectors`] a run of any length keeps no more than that (thick restart), and
//! [`BasisStorage`] says where they are, and in which float type. [`LanczosConfig::block_size`]
//! makes the run find repeated eigenvalues.
//!
//! A number comes with its error: a residual, or a standard error. Not converging is data, a
//! `converged` flag that is false, and not an error.
//!
//! Every algorithm checks once, by one product more, that products do not change and are linear: an
//! operator whose products change (a closure that draws random numbers, a shuffling loader) is an
//! error. So is one that is not symmetric, which is seen from products that are made anyway.
//! [`check_operator`](crate::operator::check_operator) asks the same of any operator.

mod basis;
mod block;
mod checks;
mod dense;
mod dense_solver;
mod density;
mod eigen;
mod estimate;
mod frobenius;
mod growth;
mod hutch_plus_plus;
mod lanczos;
mod log_density;
mod power;
mod probing;
mod product;
mod rayleigh;
mod student;
mod trace;
mod tridiagonal;
mod xtrace;

pub use crate::operator::SymmetricMatrix;
pub use basis::BasisStorage;
pub(crate) use checks::{is_symmetric, repeats};
pub(crate) use dense::eigenvalue_error;
pub use dense::{DenseEigen, DenseSpectrum, SpectrumStatistics, dense_spectrum, materialize};
pub use dense_solver::DenseSolver;
pub use density::{Density, DensityConfig, spectral_density};
pub use eigen::{
    EigenPair, Extremes, Which, extremes, extremes_from, top_eigenpairs, top_eigenpairs_from,
};
pub use estimate::Estimate;
pub(crate) use estimate::Running;
pub use frobenius::{FrobeniusConfig, FrobeniusNorm, squared_frobenius_norm};
pub use hutch_plus_plus::{HutchPlusPlus, HutchPlusPlusConfig, hutch_plus_plus};
pub use lanczos::{Lanczos, LanczosConfig, Quadrature, RitzValue};
pub use log_density::{LogDensity, LogDensityConfig, log_density};
pub use power::{PowerConfig, PowerIteration, power_iteration};
pub use rayleigh::{Rayleigh, rayleigh};
pub(crate) use trace::check as check_trace;
pub use trace::{BlockTrace, Trace, TraceConfig, hutchinson_trace, hutchinson_trace_by_block};
pub use tridiagonal::{Tridiagonal, TridiagonalEigen};
pub use xtrace::{XTrace, XTraceConfig, xtrace};

#[cfg(test)]
mod tests;
