//! XTrace: its definition, exactness, size of the error estimate.

use burn::tensor::DType;

use super::{Breaking, Raw, dense, diagonal, random_symmetric, rotated};
use crate::error::Error;
use crate::operator::Counted;
use crate::spectrum::{Estimate, XTraceConfig, xtrace};
use crate::vector::random::{Purpose, sphere};
use crate::vector::{dot, norm};

/// Exactly `products` products.
fn fixed(products: usize) -> XTraceConfig {
    XTraceConfig::new()
        .with_relative_error(0.0)
        .with_min_products(products)
        .with_max_products(products)
}

fn times(rows: &[f64], v: &[f64]) -> Vec<f64> {
    rows.chunks(v.len()).map(|row| dot(row, v)).collect()
}

/// Takes from `v` its part along the orthonormal `basis`, one vector after the other, twice.
fn without(basis: &[Vec<f64>], mut v: Vec<f64>) -> Vec<f64> {
    for q in basis.iter().chain(basis) {
        let along = dot(q, &v);
        for (x, q) in v.iter_mut().zip(q) {
            *x -= along * q;
        }
    }
    v
}

/// The estimates by their definition: for each test vector a basis of the products of the others,
/// computed anew.
fn by_definition(rows: &[f64], dim: usize, vectors: usize, seed: u64) -> Estimate {
    let radius = (dim as f64).sqrt();
    let tests: Vec<Vec<f64>> = (0..vectors as u64)
        .map(|i| sphere(seed, Purpose::Exchangeable.stream(i), dim))
        .collect();
    Estimate::of((0..vectors).map(|i| {
        let mut basis: Vec<Vec<f64>> = Vec::new();
        for test in tests.iter().enumerate().filter(|(j, _)| *j != i) {
            let mut y = without(&basis, times(rows, test.1));
            let length = norm(&y);
            y.iter_mut().for_each(|x| *x /= length);
            basis.push(y);
        }
        let captured: f64 = basis.iter().map(|q| dot(q, &times(rows, q))).sum();
        let omega: Vec<f64> = tests[i].iter().map(|x| x * radius).collect();
        let g = without(&basis, omega);
        let free = (dim - vectors + 1) as f64;
        captured + free * dot(&g, &times(rows, &g)) / dot(&g, &g)
    }))
}

#[test]
fn estimates_are_those_of_the_definition() {
    let decaying: Vec<f64> = (0..30).map(|i| 0.7_f64.powi(i)).collect();
    // Accuracy falls with the condition of the products, whose directions are 1e-4 apart in the
    // second case.
    for (rows, vectors, tolerance) in [
        (random_symmetric(30, 1), 2, 1e-12),
        (random_symmetric(30, 1), 7, 1e-12),
        (random_symmetric(30, 2), 29, 1e-9),
        (rotated(&decaying, 3), 10, 1e-10),
        (rotated(&decaying, 3), 20, 1e-9),
    ] {
        let expected = by_definition(&rows, 30, vectors, 5);
        let found = xtrace(&dense(&rows, 30), &fixed(2 * vectors).with_seed(5)).unwrap();
        let scale = norm(&rows);
        assert!(
            (found.trace - expected.mean).abs() < tolerance * scale,
            "{} {}",
            found.trace,
            expected.mean
        );
        assert!(
            (found.error_estimate - expected.standard_error).abs() < tolerance * scale,
            "{} {}",
            found.error_estimate,
            expected.standard_error
        );
        assert_eq!((found.test_vectors, found.products), (vectors, 2 * vectors));
    }
}

#[test]
fn estimate_is_unbiased_and_its_error_is_of_the_right_size() {
    let dim = 40;
    let rows = random_symmetric(dim, 4);
    let trace: f64 = (0..dim).map(|i| rows[i * dim + i]).sum();
    let op = dense(&rows, dim);
    let (mut errors, mut estimates) = (Vec::new(), 0.0);
    for seed in 0..400 {
        let found = xtrace(&op, &fixed(24).with_seed(seed)).unwrap();
        errors.push(found.trace - trace);
        estimates += found.error_estimate.powi(2) / 400.0;
    }
    let mean = Estimate::of(errors.iter().copied());
    assert!(mean.mean.abs() < 4.0 * mean.standard_error, "{mean:?}");
    let root_mean_square = norm(&errors) / 20.0;
    let ratio = estimates.sqrt() / root_mean_square;
    assert!((0.65..1.5).contains(&ratio), "{ratio}");
}

#[test]
fn low_rank_and_the_whole_space_are_exact() {
    let mut values = vec![0.0; 60];
    values[..4].copy_from_slice(&[5.0, -3.0, 2.0, 1e-3]);
    let op = Counted::new(dense(&rotated(&values, 2), 60));
    let found = xtrace(&op, &XTraceConfig::new().with_relative_error(1e-10)).unwrap();
    assert!((found.trace - 4.001).abs() < 1e-11, "{found:?}");
    assert!(found.converged && found.error_estimate < 1e-11, "{found:?}");
    assert_eq!(op.products(), found.products + 1);
    // One coordinate that is not zero: the products are parallel, exactly.
    let mut values = [0.0; 30];
    values[7] = -2.0;
    let found = xtrace(&diagonal(&values), &XTraceConfig::new()).unwrap();
    assert!((found.trace + 2.0).abs() < 1e-13, "{found:?}");
    for dim in [1_usize, 2, 3, 10, 20] {
        let rows = random_symmetric(dim, 9);
        let trace: f64 = (0..dim).map(|i| rows[i * dim + i]).sum();
        let found = xtrace(&dense(&rows, dim), &fixed(100)).unwrap();
        assert!((found.trace - trace).abs() < 1e-12, "{dim}: {found:?}");
        assert_eq!(found.test_vectors, dim);
    }
}

#[test]
fn a_spectrum_over_twelve_decades_keeps_its_error_estimate() {
    let values: Vec<f64> = (0..100).map(|i| 10.0_f64.powf(-f64::from(i) * 0.12)).collect();
    let trace: f64 = values.iter().sum();
    let op = dense(&rotated(&values, 8), 100);
    for products in [20, 60, 120, 190] {
        let found = xtrace(&op, &fixed(products).with_seed(2)).unwrap();
        let error = (found.trace - trace).abs();
        // Rounding of a hundred terms of the size of the norm, 1, beside six times the estimate.
        assert!(error < 6.0 * found.error_estimate + 1e-13, "{products}: {error:e} {found:?}");
    }
}

#[test]
fn the_sketch_doubles_and_uses_its_products_again() {
    let values: Vec<f64> = (0..80).map(|i| 0.8_f64.powi(i)).collect();
    let rows = rotated(&values, 5);
    let op = Counted::new(dense(&rows, 80));
    let config = XTraceConfig::new()
        .with_min_products(8)
        .with_relative_error(1e-3)
        .with_seed(1);
    let found = xtrace(&op, &config).unwrap();
    assert!(found.converged && found.products > 8, "{found:?}");
    assert!(found.error_estimate <= 1e-3 * found.trace);
    assert_eq!(op.products(), found.products + 1);
    // Grown step by step or at once, it is the same.
    let at_once = xtrace(&op, &fixed(found.products).with_seed(1)).unwrap();
    assert!((at_once.trace - found.trace).abs() < 1e-13);
    assert!((at_once.error_estimate / found.error_estimate - 1.0).abs() < 1e-8);
    // Not reaching the error is data.
    let flat = dense(&random_symmetric(80, 6), 80);
    let found = xtrace(&flat, &config.with_max_products(50)).unwrap();
    assert!(!found.converged && found.test_vectors == 25, "{found:?}");
}

#[test]
fn products_in_f32_limit_the_error_estimate() {
    let values: Vec<f64> = (0..50).map(|i| 0.5_f64.powi(i)).collect();
    let op = Raw::new(&rotated(&values, 3), DType::F32, 0.0);
    let found = xtrace(&op, &fixed(60)).unwrap();
    // The trace is 2; products are right to 6e-8 of the norm, and thirty of them are summed.
    assert!((found.trace - 2.0).abs() < 1e-5, "{found:?}");
    assert!(found.error_estimate >= 1e-7 && found.error_estimate < 1e-4, "{found:?}");
}

#[test]
fn zero_is_not_told_from_zero_and_failures_reach_the_caller() {
    let zero = xtrace(&diagonal(&[0.0; 30]), &XTraceConfig::new()).unwrap();
    assert_eq!((zero.trace, zero.error_estimate), (0.0, 0.0));
    assert!(zero.converged && zero.below_resolution);
    for good in [0, 5, 25] {
        assert!(matches!(
            xtrace(&Breaking::new(good), &fixed(60)),
            Err(Error::NonFiniteVector { .. })
        ));
    }
    for bad in [
        fixed(60).with_relative_error(-0.1),
        fixed(60).with_relative_error(f64::NAN),
        fixed(3),
        fixed(0),
        fixed(60).with_max_products(59),
    ] {
        assert!(matches!(
            xtrace(&diagonal(&[1.0]), &bad),
            Err(Error::Setting { .. })
        ));
    }
}
