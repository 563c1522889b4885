//! The squared Frobenius norm by random probes.

use burn::config::Config;

use super::checks::FirstTwo;
use super::estimate::{Estimate, Running};
use super::probing::{Stopping, products};
use crate::error::Error;
use crate::operator::LinearOperator;
use crate::operator::check::check_dimension;
use crate::vector::dot;
use crate::vector::random::{Purpose, rademacher};

/// Settings of [`squared_frobenius_norm`].
#[derive(Config, Debug, PartialEq)]
pub struct FrobeniusConfig {
    /// Seed of the probes.
    #[config(default = 0)]
    pub seed: u64,
    /// Stops when the standard error is at most this part of the mean. Zero asks for `max_probes`,
    /// unless all probes agree exactly.
    #[config(default = 0.05)]
    pub relative_error: f64,
    /// Fewest probes, two or more.
    #[config(default = 16)]
    pub min_probes: usize,
    /// Most probes, each one product.
    #[config(default = 1000)]
    pub max_probes: usize,
}

/// The result of [`squared_frobenius_norm`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FrobeniusNorm {
    /// Estimate of `‖A‖²_F`, the sum of the squared eigenvalues: `‖Az‖²` over the probes z.
    pub squared: Estimate,
    /// Products made. One more is made to see that products do not change and are linear.
    pub products: usize,
    /// Whether the standard error met `relative_error`.
    pub converged: bool,
    /// Whether every product was zero, so that the norm is not told from zero. See
    /// [`EigenPair::below_resolution`](super::EigenPair::below_resolution).
    pub below_resolution: bool,
}

/// Returns the squared Frobenius norm of a symmetric operator, the sum of its squared eigenvalues.
///
/// ```text
/// ‖A‖²_F = Σᵢ λᵢ² ≈ 1/m Σⱼ ‖A zⱼ‖²     variance  2/m (‖A²‖²_F − Σᵢ (A²)ᵢᵢ²)
/// ```
///
/// This is Hutchinson's estimator of `tr(A²)` with Rademacher probes z, unbiased. Where one
/// eigenvalue rules, its relative error at m probes is up to `√(2/m)`. Costs one product per probe,
/// and one. Of a trace's probes it comes at no further product: [`TraceConfig::frobenius`].
///
/// [`TraceConfig::frobenius`]: super::TraceConfig::frobenius
///
/// # Errors
/// [`Error::Setting`] for a negative `relative_error`, fewer than two probes, `max_probes` below
/// `min_probes` or an operator without coordinates, [`Error::NonFiniteVector`] for a product that
/// is not finite, [`Error::ChangingProducts`], [`Error::NotLinear`] and [`Error::NotSymmetric`] for
/// an operator that is none, and the operator's own.
///
/// # Examples
/// ```
/// use burn::tensor::{DType, Device};
/// use landscape::operator::Dense;
/// use landscape::spectrum::{FrobeniusConfig, squared_frobenius_norm};
///
/// let op = Dense::new(&[3.0, 0.0, 0.0, 4.0], (&Device::flex(), DType::F64))?;
/// let norm = squared_frobenius_norm(&op, &FrobeniusConfig::new().with_seed(7))?;
/// assert_eq!(
///     (norm.squared.mean, norm.squared.standard_error),
///     (25.0, 0.0)
/// );
/// # Ok::<(), landscape::Error>(())
/// ```
///
/// # References
/// Hutchinson (1990), applied to `A²`.
pub fn squared_frobenius_norm<A: LinearOperator + ?Sized>(
    op: &A,
    config: &FrobeniusConfig,
) -> Result<FrobeniusNorm, Error> {
    let stopping = Stopping {
        relative_error: config.relative_error,
        min_probes: config.min_probes,
        max_probes: config.max_probes,
    };
    stopping.check()?;
    check_dimension(op)?;
    let (mut running, mut check) = (Running::default(), FirstTwo::default());
    let mut made = 0;
    loop {
        let count = stopping.next(&running.estimate(), op.dim());
        let probes: Vec<Vec<f64>> = (made..made + count)
            .map(|probe| {
                rademacher(
                    config.seed,
                    Purpose::Frobenius.stream(probe as u64),
                    op.dim(),
                )
            })
            .collect();
        made += count;
        for (z, image) in probes.iter().zip(products(op, &probes)?) {
            check.take_in(op, z, &image)?;
            running.add(dot(&image, &image));
            let squared = running.estimate();
            let converged = stopping.is_met(&squared);
            if converged || squared.count == config.max_probes {
                return Ok(FrobeniusNorm {
                    squared,
                    products: made,
                    converged,
                    below_resolution: squared.mean == 0.0,
                });
            }
        }
    }
}
