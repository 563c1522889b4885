//! Hutch++: its definition, exactness, honesty of the error.

use super::{Breaking, dense, diagonal, random_symmetric, rotated};
use crate::error::Error;
use crate::operator::Counted;
use crate::spectrum::{Estimate, HutchPlusPlusConfig, hutch_plus_plus};
use crate::vector::random::{Purpose, rademacher};
use crate::vector::{dot, norm};

/// Exactly `products` products.
fn fixed(products: usize) -> HutchPlusPlusConfig {
    HutchPlusPlusConfig::new()
        .with_relative_error(0.0)
        .with_min_products(products)
        .with_max_products(products)
}

/// Spectrum 0.7^i, which decays fast, and its sum.
fn decaying(dim: i32) -> (Vec<f64>, f64) {
    let values: Vec<f64> = (0..dim).map(|i| 0.7_f64.powi(i)).collect();
    let sum = values.iter().sum();
    (values, sum)
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

#[test]
fn estimate_is_the_one_of_the_definition() {
    let (dim, seed) = (25, 3);
    let rows = random_symmetric(dim, 1);
    let found = hutch_plus_plus(&dense(&rows, dim), &fixed(18).with_seed(seed)).unwrap();
    // A third of 18 products each: Q from AS by modified Gram-Schmidt, tr QᵀAQ, and six probes.
    let signs = |purpose: Purpose, i| rademacher(seed, purpose.stream(i), dim);
    let mut basis: Vec<Vec<f64>> = Vec::new();
    for column in 0..6 {
        let mut y = without(&basis, times(&rows, &signs(Purpose::Sketch, column)));
        let length = norm(&y);
        y.iter_mut().for_each(|x| *x /= length);
        basis.push(y);
    }
    let captured: f64 = basis.iter().map(|q| dot(q, &times(&rows, q))).sum();
    let expected = Estimate::of((0..6).map(|probe| {
        let g = without(&basis, signs(Purpose::Trace, probe));
        captured + dot(&g, &times(&rows, &g))
    }));
    assert!((found.captured - captured).abs() < 1e-12);
    assert!((found.estimate.mean - expected.mean).abs() < 1e-11);
    assert!((found.estimate.standard_error / expected.standard_error - 1.0).abs() < 1e-10);
    assert_eq!((found.estimate.count, found.rank, found.products), (6, 6, 18));
}

#[test]
fn intervals_cover_the_trace_and_the_estimate_is_unbiased() {
    let dim = 40;
    let rows = random_symmetric(dim, 4);
    let trace: f64 = (0..dim).map(|i| rows[i * dim + i]).sum();
    let op = dense(&rows, dim);
    let (mut covered, mut means) = (0, Vec::new());
    for seed in 0..400 {
        let found = hutch_plus_plus(&op, &fixed(60).with_seed(seed)).unwrap();
        let [low, high] = found.estimate.interval(0.95).unwrap();
        covered += u32::from(low <= trace && trace <= high);
        means.push(found.estimate.mean);
    }
    // 400 trials at 0.95: 380 with a standard deviation of 4.36; four of them.
    assert!((363..=397).contains(&covered), "{covered} of 400");
    let mean = Estimate::of(means);
    assert!((mean.mean - trace).abs() < 4.0 * mean.standard_error);
}

#[test]
fn a_matrix_of_low_rank_is_exact() {
    let mut values = vec![0.0; 60];
    values[..4].copy_from_slice(&[5.0, -3.0, 2.0, 1e-3]);
    let op = Counted::new(dense(&rotated(&values, 2), 60));
    let found = hutch_plus_plus(&op, &HutchPlusPlusConfig::new()).unwrap();
    // Some hundreds of roundings of numbers up to 5.
    assert!((found.estimate.mean - 4.001).abs() < 1e-12, "{found:?}");
    assert!(found.converged && found.rank == 4 && !found.below_resolution);
    assert_eq!(op.products(), found.products + 1);
}

#[test]
fn a_sketch_grows_until_the_error_is_reached() {
    let (values, trace) = decaying(80);
    let op = Counted::new(dense(&rotated(&values, 5), 80));
    let config = HutchPlusPlusConfig::new()
        .with_min_products(12)
        .with_relative_error(1e-4)
        .with_seed(1);
    let found = hutch_plus_plus(&op, &config).unwrap();
    assert!(found.converged && found.rank > 4, "{found:?}");
    assert!(found.estimate.standard_error <= 1e-4 * found.estimate.mean);
    // Few probes: Student's t has wide tails.
    let [low, high] = found.estimate.interval(0.999).unwrap();
    assert!(low < trace && trace < high, "{found:?}");
    assert_eq!(op.products(), found.products + 1);
    // The budget is kept, whatever it is, and the error is then data.
    for most in [6, 7, 8, 11, 13, 24, 37, 60, 61, 100] {
        let op = Counted::new(dense(&random_symmetric(80, 6), 80));
        let config = HutchPlusPlusConfig::new()
            .with_min_products(6)
            .with_max_products(most)
            .with_relative_error(1e-9);
        let found = hutch_plus_plus(&op, &config).unwrap();
        assert!(!found.converged && found.products <= most, "{found:?}");
        assert!(found.products + 1 >= most && found.estimate.count >= 2, "{found:?}");
        assert!(found.estimate.mean.is_finite() && found.estimate.standard_error.is_finite());
        assert_eq!(op.products(), found.products + 1);
    }
}

#[test]
fn zero_is_not_told_from_zero_and_failures_reach_the_caller() {
    let zero = hutch_plus_plus(&diagonal(&[0.0; 30]), &HutchPlusPlusConfig::new()).unwrap();
    assert_eq!((zero.estimate.mean, zero.estimate.standard_error), (0.0, 0.0));
    assert!(zero.converged && zero.below_resolution && zero.rank == 0);
    for good in [0, 5, 25] {
        assert!(matches!(
            hutch_plus_plus(&Breaking::new(good), &fixed(60)),
            Err(Error::NonFiniteVector { .. })
        ));
    }
    for bad in [
        fixed(60).with_relative_error(-0.1),
        fixed(60).with_relative_error(f64::NAN),
        fixed(5),
        fixed(0),
        fixed(60).with_max_products(59),
    ] {
        assert!(matches!(
            hutch_plus_plus(&diagonal(&[1.0]), &bad),
            Err(Error::Setting { .. })
        ));
    }
}
