//! The spectral density: mass, moments, weights.

use burn::tensor::{DType, Device, Tensor};

use super::{Breaking, Diagonal, dense, diagonal, random_symmetric, rotated};
use crate::error::Error;
use crate::operator::{Counted, Domain, LinearOperator};
use crate::spectrum::{Density, DensityConfig, Lanczos, LanczosConfig, spectral_density};

fn integral(density: &Density) -> f64 {
    let spacing = density.grid[1] - density.grid[0];
    let ends = density.density[0] + density.density[density.density.len() - 1];
    spacing * (density.density.iter().sum::<f64>() - 0.5 * ends)
}

#[test]
fn density_has_integral_one() {
    let values: Vec<f64> = (0..300).map(|i| f64::from(i * i) / 1e3 - 20.0).collect();
    for (fraction, points) in [(0.01, 1024), (0.01, 113), (0.1, 23), (0.003, 1024)] {
        let config = DensityConfig::new()
            .with_starts(3)
            .with_sigma_fraction(fraction)
            .with_grid_points(points);
        let density = spectral_density(&diagonal(&values), &config).unwrap();
        assert!(
            (integral(&density) - 1.0).abs() < 2e-8,
            "{} at {fraction}",
            integral(&density) - 1.0
        );
        assert!((density.weights.iter().sum::<f64>() - 1.0).abs() < 1e-13);
        assert!(
            density.nodes.is_sorted() && density.grid.is_sorted() && density.grid.len() == points
        );
    }
}

#[test]
fn smoothed_density_of_a_whole_run_is_the_sum_of_weighted_gaussians() {
    let op = dense(&rotated(&[-1.0, 0.0, 2.0], 4), 3);
    let density = spectral_density(
        &op,
        &DensityConfig::new()
            .with_starts(4000)
            .with_sigma_fraction(0.1),
    )
    .unwrap();
    assert!((density.sigma - 0.3).abs() < 1e-12);
    for (lambda, found) in density.grid.iter().zip(&density.density) {
        let expected: f64 = [-1.0, 0.0, 2.0]
            .iter()
            .map(|value| {
                (-(lambda - value) * (lambda - value) / 0.18).exp()
                    / (2.0 * std::f64::consts::PI).sqrt()
                    / 0.3
                    / 3.0
            })
            .sum();
        // A weight has variance 4/45 over 4000 starts, standard error 0.005; heights are 1.33.
        assert!(
            (found - expected).abs() < 4.0 * 0.005 * 1.33,
            "{found} {expected}"
        );
    }
}

#[test]
fn moments_estimate_the_traces_of_powers() {
    let rows = random_symmetric(60, 7);
    let density = spectral_density(
        &dense(&rows, 60),
        &DensityConfig::new().with_starts(200).with_steps(6),
    )
    .unwrap();
    let trace: f64 = (0..60).map(|i| rows[i * 61]).sum();
    let squares: f64 = rows.iter().map(|a| a * a).sum();
    assert!((density.moment(0).mean - 1.0).abs() < 1e-13);
    for (k, expected) in [(1, trace / 60.0), (2, squares / 60.0)] {
        let moment = density.moment(k);
        assert!(
            (moment.mean - expected).abs() < 4.0 * moment.standard_error,
            "moment {k}"
        );
    }
}

#[test]
fn mass_below_counts_eigenvalues() {
    // 70 of 100 eigenvalues are negative, with a gap around zero.
    let values: Vec<f64> = (0..100)
        .map(|i| {
            if i < 70 {
                -1.0 - f64::from(i)
            } else {
                1.0 + f64::from(i)
            }
        })
        .collect();
    let density =
        spectral_density(&diagonal(&values), &DensityConfig::new().with_starts(40)).unwrap();
    let negative = density.mass_below(0.0);
    assert!((negative.mean - 0.7).abs() < 4.0 * negative.standard_error + 1e-6);
    assert!(negative.standard_error < 0.02);
}

#[test]
fn equal_eigenvalues_give_one_peak_at_their_value() {
    for (value, sigma) in [(-4.0, 0.04), (0.0, 0.01)] {
        let density = spectral_density(
            &diagonal(&[value; 30]),
            &DensityConfig::new().with_starts(2),
        )
        .unwrap();
        assert!((density.sigma - sigma).abs() < 1e-14);
        assert!((integral(&density) - 1.0).abs() < 1e-8);
        assert!((density.moment(1).mean - value).abs() < 1e-14);
        let peak = density.density.iter().copied().fold(0.0, f64::max);
        assert!((peak * sigma * (2.0 * std::f64::consts::PI).sqrt() - 1.0).abs() < 1e-3);
    }
}

#[test]
fn equal_eigenvalues_up_to_rounding_give_the_same_peak_in_f32_as_in_f64() {
    /// Three times v over three: v up to the rounding of the float type.
    struct Identity(Domain);
    impl LinearOperator for Identity {
        fn domain(&self) -> &Domain {
            &self.0
        }

        fn apply(&self, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
            Ok(v.clone() * 3.0 / 3.0)
        }
    }
    for dtype in [DType::F32, DType::F64] {
        let device = Device::flex();
        let op = Identity(Domain {
            dim: 300,
            dtype,
            device,
        });
        let density = spectral_density(&op, &DensityConfig::new()).unwrap();
        // A Gaussian of standard deviation 0.01 has the height 1 / (0.01 √(2π)) = 39.894.
        assert!((density.sigma - 0.01).abs() < 1e-8, "{}", density.sigma);
        let peak = density.density.iter().copied().fold(0.0, f64::max);
        assert!((peak - 39.894).abs() < 0.05, "{peak}");
        assert!((integral(&density) - 1.0).abs() < 2e-8);
    }
}

#[test]
fn no_peak_is_narrower_than_the_error_of_the_products() {
    // A range of 1e-4 is resolved in f32 (6e-8), a hundred-thousandth of it is not.
    let values: Vec<f64> = (0..100).map(|i| 1.0 + f64::from(i) * 1e-6).collect();
    let config = DensityConfig::new()
        .with_sigma_fraction(1e-5)
        .with_grid_points(200_000);
    let density = spectral_density(&Diagonal::new(&values, DType::F32), &config).unwrap();
    let error = f64::from(f32::EPSILON) / 2.0;
    assert!(
        (density.sigma / error - 1.0).abs() < 1e-3,
        "{}",
        density.sigma
    );
    let density = spectral_density(&diagonal(&values), &config).unwrap();
    assert!(
        (density.sigma / 0.99e-9 - 1.0).abs() < 0.02,
        "{}",
        density.sigma
    );
}

#[test]
fn a_finished_lanczos_run_gives_the_density_of_its_start() {
    let op = Counted::new(diagonal(&(0..90).map(f64::from).collect::<Vec<_>>()));
    let config = DensityConfig::new()
        .with_seed(5)
        .with_starts(1)
        .with_steps(20);
    let expected = spectral_density(&op, &config).unwrap();
    let before = op.products();
    let mut run = Lanczos::new(&op, 5).unwrap();
    run.extend(&op, 20).unwrap();
    let pairs = run.eigenpairs(&op, 2, &LanczosConfig::new()).unwrap();
    assert_eq!((pairs.len(), pairs[0].steps), (2, 20));
    assert_eq!(
        Density::of(vec![run.quadrature().unwrap()], 20, &config).unwrap(),
        expected
    );
    assert_eq!(op.products() - before, 22);
}

#[test]
fn products_are_counted() {
    let op = Counted::new(diagonal(&(0..30).map(f64::from).collect::<Vec<_>>()));
    let density =
        spectral_density(&op, &DensityConfig::new().with_starts(3).with_steps(50)).unwrap();
    assert_eq!((density.products, op.products()), (90, 91));
}

#[test]
fn failures_reach_the_caller() {
    assert!(matches!(
        spectral_density(&Breaking::new(60), &DensityConfig::new()),
        Err(Error::NonFiniteVector { .. })
    ));
    for bad in [
        DensityConfig::new().with_starts(0),
        DensityConfig::new().with_steps(0),
        DensityConfig::new().with_sigma_fraction(0.0),
        DensityConfig::new().with_sigma_fraction(f64::NAN),
        DensityConfig::new().with_grid_points(112),
    ] {
        assert!(matches!(
            spectral_density(&diagonal(&[1.0, 2.0]), &bad),
            Err(Error::Setting { .. })
        ));
    }
    assert!(matches!(
        Density::of(vec![], 0, &DensityConfig::new()),
        Err(Error::Setting { .. })
    ));
}
