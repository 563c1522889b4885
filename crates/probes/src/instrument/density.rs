//! The spectral density of the Hessian.

use burn::module::Module;
use landscape::operator::Observed;
use landscape::{Batch, DensityConfig, Hessian, Risk, spectral_density};
use serde_json::json;

use crate::Error;
use crate::probe::{Moment, Probe};
use crate::record::{Bin, Histogram, Records, json_number, json_numbers};
use crate::render::{self, Spectrum, density};

/// Bins of the histogram; the browser draws 30.
const BINS: usize = 60;

/// The spectral density of the Hessian by stochastic Lanczos quadrature: the weights of the Ritz values in bins as `curvature/density`, a picture on a logarithmic scale
/// as `curvature/density_picture`, and the nodes, weights, grid and density as `curvature/density_data`.
///
/// A linear histogram hides the few large eigenvalues, which carry a weight of 1 / P each: the picture shows them.
#[derive(Clone, Debug)]
pub struct SpectralDensity<M, B> {
    risk: Risk<M, B>,
    config: DensityConfig,
}

impl<M: Module, B: Batch> SpectralDensity<M, B> {
    /// The density of the Hessian of `risk`.
    pub fn of(risk: &Risk<M, B>) -> Self {
        Self {
            risk: risk.clone(),
            config: DensityConfig::new(),
        }
    }

    /// The seed of the start vectors.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.config.seed = seed;
        self
    }

    /// All settings of the quadrature.
    #[must_use]
    pub fn with_config(self, config: DensityConfig) -> Self {
        Self { config, ..self }
    }
}

impl<M: Module, B: Batch> Probe<M> for SpectralDensity<M, B> {
    fn name(&self) -> String {
        "spectral density".into()
    }

    fn measure(&mut self, moment: &Moment<'_, M>, records: &mut Records) -> Result<(), Error> {
        let hessian = Hessian::at(moment.model, &self.risk)?;
        let watched = Observed::new(&hessian, |_| moment.going_on());
        let found = spectral_density(&watched, &self.config)?;
        records.scalar(
            "curvature/density_unresolved_products",
            hessian.unresolved() as f64,
        );
        records.data(
            "curvature/density_data",
            json!({
                "nodes": json_numbers(&found.nodes),
                "weights": json_numbers(&found.weights),
                "grid": json_numbers(&found.grid),
                "density": json_numbers(&found.density),
                "sigma": json_number(found.sigma),
            }),
        );
        let bins = binned(&found.nodes, &found.weights)
            .map(|histogram| records.bins("curvature/density", histogram));
        let title = format!("Spectral density of the Hessian, step {}", moment.step);
        let spectrum = Spectrum {
            grid: &found.grid,
            density: &found.density,
            nodes: &found.nodes,
        };
        records.picture(
            "curvature/density_picture",
            density(&spectrum, &render::DensityConfig::new(title))?,
        );
        bins
    }
}

/// The weights of the nodes, ascending, in bins of equal width.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the index is clamped to the bins"
)]
fn binned(nodes: &[f64], weights: &[f64]) -> Result<Histogram, Error> {
    let (Some(low), Some(high)) = (nodes.first().copied(), nodes.last().copied()) else {
        return Err(Error::Empty {
            what: "the list of Ritz values".into(),
        });
    };
    let width = (high - low) / BINS as f64;
    if width <= 0.0 {
        let half = (0.01 * low.abs()).max(1e-12);
        let bin = Bin {
            left: low - half,
            right: high + half,
            weight: weights.iter().sum(),
        };
        return Ok(Histogram::from_weighted_bins(&[bin])?);
    }
    let edge = |k: usize| {
        if k == BINS {
            high
        } else {
            low + k as f64 * width
        }
    };
    let mut bins: Vec<Bin> = (0..BINS)
        .map(|k| Bin {
            left: edge(k),
            right: edge(k + 1),
            weight: 0.0,
        })
        .collect();
    for (node, weight) in nodes.iter().zip(weights) {
        let k = (((node - low) / width) as usize).min(BINS - 1);
        bins[k].weight += weight.max(0.0);
    }
    Ok(Histogram::from_weighted_bins(&bins)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_hold_the_weights_of_their_nodes() {
        let histogram = binned(&[-1.0, 0.0, 0.01, 5.0], &[0.1, 0.5, 0.3, 0.1]).unwrap();
        let weight = |at: f64| {
            histogram
                .bins()
                .iter()
                .filter(|b| b.left <= at && at < b.right)
                .map(|b| b.weight)
                .sum::<f64>()
        };
        assert_eq!(histogram.bins().len(), BINS);
        assert!(
            (weight(-1.0) - 0.1).abs() < 1e-15
                && (weight(0.005) - 0.8).abs() < 1e-15
                && (weight(4.99) - 0.1).abs() < 1e-15
        );
        assert_eq!(binned(&[2.0, 2.0], &[0.5, 0.5]).unwrap().bins().len(), 1);
    }
}
