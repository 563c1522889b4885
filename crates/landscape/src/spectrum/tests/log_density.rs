//! The density over the logarithm, and the spread between start vectors.

use burn::tensor::DType;

use super::{Diagonal, diagonal};
use crate::error::Error;
use crate::spectrum::{
    Density, DensityConfig, LogDensity, LogDensityConfig, log_density, spectral_density,
};

/// Forty values from 1e-3 to 1e3 in steps of 6/39 decades, every fourth negative, and ten zeros.
fn decades() -> Vec<f64> {
    let mut values: Vec<f64> = (0..40)
        .map(|i| {
            let sign = if i % 4 == 3 { -1.0 } else { 1.0 };
            sign * 10.0_f64.powf(-3.0 + 6.0 * f64::from(i) / 39.0)
        })
        .collect();
    values.extend([0.0; 10]);
    values
}

fn integral(grid: &[f64], density: &[f64]) -> f64 {
    let ends = 0.5 * (density[0] + density[density.len() - 1]);
    (grid[1] - grid[0]) * (density.iter().sum::<f64>() - ends)
}

fn found(starts: usize) -> (Density, LogDensity) {
    // Steps enough to resolve the whole spectrum.
    let config = DensityConfig::new().with_starts(starts).with_steps(50);
    let density = spectral_density(&diagonal(&decades()), &config).unwrap();
    let log = log_density(&density, &LogDensityConfig::new()).unwrap();
    (density, log)
}

#[test]
fn both_signs_and_what_is_zero_have_the_mass_one_together() {
    let (_, log) = found(400);
    let (positive, negative) = (
        integral(&log.grid, &log.positive),
        integral(&log.grid, &log.negative),
    );
    assert!((positive + negative + log.unresolved.mean - 1.0).abs() < 1e-7);
    // Thirty, ten and ten values of fifty; a component's square has the standard deviation √2 / P
    // about, so that a share p of P has √(2 p (1 - p) / P) per start vector. Five of them.
    for (share, expected) in [(positive, 0.6), (negative, 0.2), (log.unresolved.mean, 0.2)] {
        let tolerance = 5.0 * (2.0 * expected * (1.0 - expected) / 50.0 / 400.0_f64).sqrt();
        assert!(
            (share - expected).abs() < tolerance,
            "{share} is not {expected}"
        );
    }
    assert!((log.grid[0] + 3.6).abs() < 1e-6 && (log.grid[511] - 3.6).abs() < 1e-6);
}

#[test]
fn density_over_the_logarithm_is_that_of_its_definition() {
    let (density, log) = found(3);
    for (at, x) in log.grid.iter().enumerate().step_by(37) {
        let mut expected = [0.0, 0.0];
        for quadrature in &density.quadratures {
            for (node, weight) in quadrature.nodes.iter().zip(&quadrature.weights) {
                if node.abs() > log.resolution {
                    let z = (x - node.abs().log10()) / 0.1;
                    let height = (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt() / 0.1;
                    expected[usize::from(*node < 0.0)] += weight * height / 3.0;
                }
            }
        }
        assert!((log.positive[at] - expected[0]).abs() < 1e-12);
        assert!((log.negative[at] - expected[1]).abs() < 1e-12);
    }
}

#[test]
fn spread_between_starts_is_the_standard_error_of_the_mean() {
    let (density, log) = found(8);
    // From the definition, with each start's density from its own quadrature.
    for at in (0..density.grid.len()).step_by(101) {
        let each: Vec<f64> = density
            .quadratures
            .iter()
            .map(|quadrature| {
                let pairs = quadrature.nodes.iter().zip(&quadrature.weights);
                let terms = pairs.map(|(node, weight)| {
                    let z = (density.grid[at] - node) / density.sigma;
                    weight * (-0.5 * z * z).exp()
                });
                terms.sum::<f64>() / (2.0 * std::f64::consts::PI).sqrt() / density.sigma
            })
            .collect();
        let mean = each.iter().sum::<f64>() / 8.0;
        let square: f64 = each.iter().map(|x| (x - mean).powi(2)).sum();
        let error = (square / 7.0 / 8.0).sqrt();
        let scale = mean.abs().max(1e-300);
        assert!((density.density[at] - mean).abs() < 1e-10 * scale.max(1e-12));
        assert!((density.standard_error[at] - error).abs() < 1e-10 * scale.max(1e-12));
    }
    assert_eq!(log.positive_error.len(), log.grid.len());
    let (density, log) = found(1);
    assert!(density.standard_error.is_empty() && log.positive_error.is_empty());
}

#[test]
fn what_rounding_leaves_of_zero_is_not_given_a_logarithm() {
    let mut values = vec![0.0; 200];
    values[0] = 1.0;
    for dtype in [DType::F32, DType::F64] {
        let density =
            spectral_density(&Diagonal::new(&values, dtype), &DensityConfig::new()).unwrap();
        let log = log_density(&density, &LogDensityConfig::new()).unwrap();
        assert!(log.grid[0] > -1.0, "{}", log.grid[0]);
        assert!(log.unresolved.mean > 0.98);
    }
    let zero = spectral_density(&diagonal(&[0.0; 5]), &DensityConfig::new()).unwrap();
    let log = log_density(&zero, &LogDensityConfig::new()).unwrap();
    assert!(log.grid.is_empty() && log.positive.is_empty());
    assert!((log.unresolved.mean - 1.0).abs() < 1e-14);
}

#[test]
fn settings_out_of_range_are_errors() {
    let (density, _) = found(2);
    for bad in [
        LogDensityConfig::new().with_sigma(0.0),
        LogDensityConfig::new().with_sigma(f64::NAN),
        LogDensityConfig::new().with_grid_points(0),
        LogDensityConfig::new().with_grid_points(70),
    ] {
        let refused = log_density(&density, &bad);
        assert!(matches!(refused, Err(Error::Setting { .. })), "{bad:?}");
    }
}
