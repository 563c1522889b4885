//! The spectral density over the logarithm of the eigenvalues' magnitude.

use burn::config::Config;

use super::density::{MARGIN, UNRESOLVED, products_error, smooth};
use super::estimate::Running;
use super::{Density, Estimate, Quadrature};
use crate::error::Error;

/// Settings of [`log_density`].
#[derive(Config, Debug, PartialEq)]
pub struct LogDensityConfig {
    /// Standard deviation of the smoothing Gaussian in decades.
    #[config(default = 0.1)]
    pub sigma: f64,
    /// Number of grid points. The grid reaches six standard deviations beyond the logarithms of
    /// the nodes, and its spacing must not exceed the standard deviation.
    #[config(default = 512)]
    pub grid_points: usize,
}

/// The density of the eigenvalues over the decimal logarithm of their magnitude.
///
/// Both parts and `unresolved` together have the integral one.
#[derive(Debug, Clone, PartialEq)]
pub struct LogDensity {
    /// `log₁₀ |λ|` at which the densities are given, equally spaced, ascending; empty where no
    /// eigenvalue is told from zero.
    pub grid: Vec<f64>,
    /// Smoothed density of the positive eigenvalues at the grid, per decade, as a part of P.
    pub positive: Vec<f64>,
    /// The same of the negative eigenvalues.
    pub negative: Vec<f64>,
    /// Standard error of `positive` between start vectors; empty with one start vector.
    pub positive_error: Vec<f64>,
    /// The same of `negative`.
    pub negative_error: Vec<f64>,
    /// Standard deviation of the smoothing Gaussian, in decades.
    pub sigma: f64,
    /// Magnitude up to which an eigenvalue is not told from zero, and so has no logarithm: 32
    /// times the relative error of the products, times the largest magnitude.
    pub resolution: f64,
    /// Share of the eigenvalues of magnitude up to `resolution`.
    pub unresolved: Estimate,
}

/// Returns the density of `log₁₀ |λ|`, from the quadratures of a spectral density and without
/// further products: what a linear axis hides of a spectrum that spans decades.
///
/// ```text
/// φ±(x) = 1/n Σ_l Σᵢ wᵢ g(x − log₁₀ |θᵢ|)     over the nodes with ± θᵢ > resolution
/// ```
///
/// A Ritz value inside a dense part of the spectrum stands for the eigenvalues around it, so that
/// the small ones are resolved no better than the steps allow: a run of m steps has at most m
/// nodes. Magnitudes up to `resolution` are counted and not drawn.
///
/// # Errors
/// [`Error::Setting`] for a `sigma` that is not positive, and a grid too coarse for it.
///
/// # Examples
/// ```
/// use burn::tensor::{DType, Device};
/// use landscape::operator::Dense;
/// use landscape::spectrum::{
///     DensityConfig, LogDensityConfig, log_density, spectral_density,
/// };
///
/// // One eigenvalue of three is 100, one is -0.01, and one is zero.
/// let rows = [100.0, 0.0, 0.0, 0.0, -0.01, 0.0, 0.0, 0.0, 0.0];
/// let op = Dense::new(&rows, (&Device::flex(), DType::F64))?;
/// let density = spectral_density(&op, &DensityConfig::new().with_starts(300))?;
/// let found = log_density(&density, &LogDensityConfig::new())?;
/// assert!((found.unresolved.mean - 1.0 / 3.0).abs() < 0.1);
/// let (low, high) = (found.grid[0], found.grid[found.grid.len() - 1]);
/// assert!((low + 2.6).abs() < 1e-6 && (high - 2.6).abs() < 1e-6);
/// # Ok::<(), landscape::Error>(())
/// ```
pub fn log_density(density: &Density, config: &LogDensityConfig) -> Result<LogDensity, Error> {
    if !(config.sigma > 0.0 && config.sigma.is_finite()) {
        return Err(Error::Setting {
            name: "sigma",
            value: config.sigma.to_string(),
            allowed: "positive and finite",
        });
    }
    let all = &density.quadratures;
    let magnitudes = || all.iter().flat_map(|q| &q.nodes).map(|node| node.abs());
    let largest = magnitudes().fold(0.0, f64::max);
    let resolution = UNRESOLVED * products_error(all) * largest;
    let unresolved = Estimate::of(all.iter().map(|quadrature| {
        let pairs = quadrature.nodes.iter().zip(&quadrature.weights);
        let unresolved = pairs.filter(|(node, _)| node.abs() <= resolution);
        unresolved.map(|(_, weight)| weight).sum()
    }));
    let smallest = magnitudes()
        .filter(|x| *x > resolution)
        .fold(f64::INFINITY, f64::min);
    let grid = if smallest.is_finite() {
        grid(smallest.log10(), largest.log10(), config)?
    } else {
        Vec::new()
    };
    let part = |sign: f64| side(all, sign, resolution, &grid, config.sigma);
    let ((positive, positive_error), (negative, negative_error)) = (part(1.0), part(-1.0));
    Ok(LogDensity {
        grid,
        positive,
        negative,
        positive_error,
        negative_error,
        sigma: config.sigma,
        resolution,
        unresolved,
    })
}

/// Returns the grid for logarithms between `low` and `high`.
fn grid(low: f64, high: f64, config: &LogDensityConfig) -> Result<Vec<f64>, Error> {
    let (first, last) = (low - MARGIN * config.sigma, high + MARGIN * config.sigma);
    let points = config.grid_points;
    let spacing = (last - first) / (points as f64 - 1.0);
    if points < 2 || spacing > config.sigma {
        return Err(Error::Setting {
            name: "grid_points",
            value: points.to_string(),
            allowed: "at least 13 + decades / sigma",
        });
    }
    Ok((0..points).map(|i| first + i as f64 * spacing).collect())
}

/// Returns the density of the eigenvalues of one sign, and its standard error.
fn side(
    quadratures: &[Quadrature],
    sign: f64,
    resolution: f64,
    grid: &[f64],
    sigma: f64,
) -> (Vec<f64>, Vec<f64>) {
    let mut spread = vec![Running::default(); grid.len()];
    for quadrature in quadratures {
        let (logs, weights): (Vec<f64>, Vec<f64>) = quadrature
            .nodes
            .iter()
            .zip(&quadrature.weights)
            .filter(|(node, _)| sign * **node > resolution)
            .map(|(node, weight)| (node.abs().log10(), *weight))
            .unzip();
        for (spread, value) in spread.iter_mut().zip(smooth(&logs, &weights, grid, sigma)) {
            spread.add(value);
        }
    }
    let estimates: Vec<Estimate> = spread.iter().map(Running::estimate).collect();
    let errors = estimates.iter().map(|estimate| estimate.standard_error);
    let errors = if quadratures.len() < 2 {
        Vec::new()
    } else {
        errors.collect()
    };
    let means = estimates.iter().map(|estimate| estimate.mean);
    (means.collect(), errors)
}
