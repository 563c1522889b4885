//! The spectral density by stochastic Lanczos quadrature.

use burn::config::Config;

use super::checks::is_symmetric;
use super::estimate::Running;
use super::{BasisStorage, Estimate, Lanczos, Quadrature};
use crate::error::Error;
use crate::operator::LinearOperator;

/// Settings of [`spectral_density`].
#[derive(Config, Debug, PartialEq)]
pub struct DensityConfig {
    /// Seed of the start vectors. The first is that of [`top_eigenpairs`](super::top_eigenpairs)
    /// with the same seed.
    #[config(default = 0)]
    pub seed: u64,
    /// Number of start vectors, each uniform on the unit sphere.
    #[config(default = 10)]
    pub starts: usize,
    /// Lanczos steps from each start vector.
    #[config(default = 50)]
    pub steps: usize,
    /// Standard deviation of the smoothing Gaussian as a part of the range of the nodes (of the
    /// largest magnitude where all nodes are equal up to the error of the products, of one where
    /// all are zero). It is never less than the error of the products times the largest magnitude.
    #[config(default = 0.01)]
    pub sigma_fraction: f64,
    /// Number of grid points. The grid reaches six standard deviations beyond the nodes, and its
    /// spacing must not exceed the standard deviation: at least 13 + 1 / `sigma_fraction` points.
    #[config(default = 1024)]
    pub grid_points: usize,
    /// Place and float type of the basis of a run.
    #[config(default = "BasisStorage::Automatic")]
    pub basis: BasisStorage,
}

/// The density of the eigenvalues of an operator, normalised to one.
#[derive(Debug, Clone, PartialEq)]
pub struct Density {
    /// Ritz values of all start vectors, ascending.
    pub nodes: Vec<f64>,
    /// Their weights; the sum is one.
    pub weights: Vec<f64>,
    /// Eigenvalues at which the smoothed density is given, equally spaced, ascending.
    pub grid: Vec<f64>,
    /// The smoothed density at the grid, in eigenvalues per unit of lambda as a part of P. Its
    /// integral by the trapezoid rule is one to about 1e-8.
    pub density: Vec<f64>,
    /// Standard error of `density` at the grid: the spread between start vectors over the root of
    /// their number. Start vectors are independent, so that this is what other seeds would move
    /// `density` by; it does not see the smoothing. Empty with one start vector, which has no
    /// spread.
    pub standard_error: Vec<f64>,
    /// Standard deviation of the smoothing Gaussian, in units of lambda.
    pub sigma: f64,
    /// The quadrature of each start vector.
    pub quadratures: Vec<Quadrature>,
    /// Lanczos steps, each one product. One more is made to see that products do not change.
    pub products: usize,
}

/// Returns the spectral density `1/P Σᵢ δ(λ − λᵢ)` of an operator, by stochastic
/// Lanczos quadrature: the mean over start vectors v of the Gauss quadrature of v's spectral
/// measure, smoothed by a Gaussian.
///
/// ```text
/// φ(λ) = 1/n Σ_l Σᵢ wᵢ g(λ − θᵢ)     g(x) = exp(−x² / 2σ²) / (√(2π) σ)     wᵢ = s₁ᵢ²
/// ```
///
/// The sums are over the n start vectors l and the m steps i of each. The nodes `θᵢ` are the Ritz
/// values and the weights `wᵢ` the squared FIRST components of the eigenvectors of T. For each
/// start vector m steps reproduce the moments `vᵀ Aᵏ v` up to `k = 2m − 1`. Costs `starts` times
/// `steps` products and one. One run's basis is kept at a time: `steps` + 1 vectors of P numbers,
/// in the precision of `config.basis`, beside some five in f64 on the host.
///
/// # Errors
/// [`Error::Setting`] for no start or step, a `sigma_fraction` that is not positive, or a grid too
/// coarse for it, [`Error::NonFiniteVector`] for a product that is not finite,
/// [`Error::ChangingProducts`], [`Error::NotSymmetric`], and the operator's own.
///
/// # Examples
/// ```
/// use burn::tensor::{DType, Device};
/// use landscape::operator::Dense;
/// use landscape::spectrum::{DensityConfig, spectral_density};
///
/// let op = Dense::new(&[1.0, 0.0, 0.0, 3.0], (&Device::flex(), DType::F64))?;
/// let density = spectral_density(&op, &DensityConfig::new().with_starts(200))?;
/// // Half of the eigenvalues lie below 2; the error shrinks with the root of the starts.
/// assert!((density.mass_below(2.0).mean - 0.5).abs() < 0.1);
/// # Ok::<(), landscape::Error>(())
/// ```
///
/// # References
/// Lin, Saad and Yang (2016), *Approximating spectral densities of large matrices*, section 3.2;
/// Ghorbani, Krishnan and Xiao (2019); Golub and Meurant (2010), chapter 6.
pub fn spectral_density<A: LinearOperator + ?Sized>(
    op: &A,
    config: &DensityConfig,
) -> Result<Density, Error> {
    check(config)?;
    let mut products = 0;
    let mut quadratures = Vec::with_capacity(config.starts);
    for start in 0..config.starts {
        let mut run = Lanczos::numbered(op, config.seed, start as u64, config.basis)?;
        if start == 0 {
            run.begin(op, config.steps)?;
        }
        run.extend(op, config.steps - run.steps())?;
        is_symmetric(op, run.asymmetry)?;
        products += run.steps();
        quadratures.push(run.quadrature()?);
    }
    Density::of(quadratures, products, config)
}

impl Density {
    /// Returns the density of quadratures from Lanczos runs done already; of `config`,
    /// `sigma_fraction` and `grid_points` are used. It speaks for the whole spectrum only if the
    /// runs had random starts.
    ///
    /// # Errors
    /// [`Error::Setting`] for no quadrature and as [`spectral_density`].
    pub fn of(
        quadratures: Vec<Quadrature>,
        products: usize,
        config: &DensityConfig,
    ) -> Result<Self, Error> {
        check(config)?;
        if quadratures
            .iter()
            .all(|quadrature| quadrature.nodes.is_empty())
        {
            return Err(Error::Setting {
                name: "quadratures",
                value: "empty".into(),
                allowed: "one or more",
            });
        }
        let share = 1.0 / quadratures.len() as f64;
        let mut pairs: Vec<(f64, f64)> = quadratures
            .iter()
            .flat_map(|quadrature| quadrature.nodes.iter().zip(&quadrature.weights))
            .map(|(node, weight)| (*node, weight * share))
            .collect();
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (nodes, weights): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
        let (low, high) = (nodes[0], nodes[nodes.len() - 1]);
        let magnitude = low.abs().max(high.abs());
        // A range at the level of the products' error is no range.
        let error = products_error(&quadratures) * magnitude;
        let range = if high - low > UNRESOLVED * error {
            high - low
        } else if magnitude > 0.0 {
            magnitude
        } else {
            1.0
        };
        let sigma = (config.sigma_fraction * range).max(error);
        let (first, last) = (low - MARGIN * sigma, high + MARGIN * sigma);
        let spacing = (last - first) / (config.grid_points - 1) as f64;
        let grid: Vec<f64> = (0..config.grid_points)
            .map(|i| first + i as f64 * spacing)
            .collect();
        let density = smooth(&nodes, &weights, &grid, sigma);
        let standard_error = standard_error(&quadratures, &grid, sigma);
        Ok(Self {
            nodes,
            weights,
            grid,
            density,
            standard_error,
            sigma,
            quadratures,
            products,
        })
    }

    /// Returns the moment `tr(Aᵏ) / P`: mean of the start vectors' moments, with its standard
    /// error. Each start vector's moment is exact for k up to twice its steps less one.
    #[must_use]
    pub fn moment(&self, k: i32) -> Estimate {
        Estimate::of(
            self.quadratures
                .iter()
                .map(|quadrature| quadrature.moment(k)),
        )
    }

    /// Returns the share of eigenvalues below `lambda`, from the unsmoothed nodes, with the
    /// standard error between start vectors.
    #[must_use]
    pub fn mass_below(&self, lambda: f64) -> Estimate {
        Estimate::of(self.quadratures.iter().map(|quadrature| {
            let pairs = quadrature.nodes.iter().zip(&quadrature.weights);
            pairs
                .filter(|(node, _)| **node < lambda)
                .map(|(_, weight)| weight)
                .sum()
        }))
    }
}

/// Standard deviations by which the grid reaches beyond the nodes: the mass left out is below
/// 2e-9. With a spacing of at most one standard deviation the trapezoid rule's own error on a
/// Gaussian is 2 exp(−2π²), about 5e-9 (Poisson summation).
pub(super) const MARGIN: f64 = 6.0;

/// Errors of the products up to which nodes are not told apart, nor from zero: a node may be off by
/// some twenty of them, since Lanczos takes couplings of up to ten for zero.
pub(super) const UNRESOLVED: f64 = 32.0;

/// Returns the relative error of the products that quadratures came from.
pub(super) fn products_error(quadratures: &[Quadrature]) -> f64 {
    let errors = quadratures
        .iter()
        .map(|quadrature| quadrature.relative_error);
    errors.fold(f64::EPSILON, f64::max)
}

/// Returns the sum of Gaussians of the given weights around the nodes, at the points of the grid.
pub(super) fn smooth(nodes: &[f64], weights: &[f64], grid: &[f64], sigma: f64) -> Vec<f64> {
    let height = 1.0 / ((2.0 * std::f64::consts::PI).sqrt() * sigma);
    grid.iter()
        .map(|lambda| {
            let sum: f64 = nodes
                .iter()
                .zip(weights)
                .map(|(node, weight)| {
                    let z = (lambda - node) / sigma;
                    weight * (-0.5 * z * z).exp()
                })
                .sum();
            height * sum
        })
        .collect()
}

/// Returns the standard error at each point of the grid, from the densities of the start vectors;
/// nothing for one.
fn standard_error(quadratures: &[Quadrature], grid: &[f64], sigma: f64) -> Vec<f64> {
    if quadratures.len() < 2 {
        return Vec::new();
    }
    let mut spread = vec![Running::default(); grid.len()];
    for quadrature in quadratures {
        let density = smooth(&quadrature.nodes, &quadrature.weights, grid, sigma);
        for (spread, value) in spread.iter_mut().zip(density) {
            spread.add(value);
        }
    }
    let errors = spread.iter().map(|spread| spread.estimate().standard_error);
    errors.collect()
}

fn check(config: &DensityConfig) -> Result<(), Error> {
    let setting = |name, value: String, allowed| {
        Err(Error::Setting {
            name,
            value,
            allowed,
        })
    };
    if config.starts == 0 {
        return setting("starts", "0".into(), "at least 1");
    }
    if config.steps == 0 {
        return setting("steps", "0".into(), "at least 1");
    }
    if !(config.sigma_fraction > 0.0 && config.sigma_fraction.is_finite()) {
        return setting(
            "sigma_fraction",
            config.sigma_fraction.to_string(),
            "positive and finite",
        );
    }
    if ((config.grid_points as f64) - 1.0) < 2.0 * MARGIN + 1.0 / config.sigma_fraction {
        return setting(
            "grid_points",
            config.grid_points.to_string(),
            "at least 13 + 1 / sigma_fraction",
        );
    }
    Ok(())
}
