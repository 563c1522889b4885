//! The squared Frobenius norm.

use super::{Breaking, dense, diagonal, random_symmetric};
use crate::error::Error;
use crate::operator::Counted;
use crate::spectrum::{Estimate, FrobeniusConfig, squared_frobenius_norm};

#[test]
fn estimate_is_unbiased_and_stops_at_its_error() {
    let rows = random_symmetric(20, 1);
    let expected: f64 = rows.iter().map(|a| a * a).sum();
    let op = Counted::new(dense(&rows, 20));
    let config = FrobeniusConfig::new().with_relative_error(0.1);
    let mut made = 0;
    let means = Estimate::of((0..200).map(|seed| {
        let found = squared_frobenius_norm(&op, &config.clone().with_seed(seed)).unwrap();
        assert!(found.converged && !found.below_resolution);
        assert!(found.squared.standard_error <= 0.1 * found.squared.mean);
        made += found.products + 1;
        found.squared.mean
    }));
    assert_eq!(op.products(), made);
    assert!((means.mean - expected).abs() < 4.0 * means.standard_error, "{means:?} {expected}");
}

#[test]
fn diagonal_is_exact_zero_is_marked_and_failures_reach_the_caller() {
    let found = squared_frobenius_norm(&diagonal(&[3.0, -4.0, 0.0]), &FrobeniusConfig::new());
    let found = found.unwrap();
    assert_eq!((found.squared.mean, found.squared.standard_error), (25.0, 0.0));
    let zero = squared_frobenius_norm(&diagonal(&[0.0; 9]), &FrobeniusConfig::new()).unwrap();
    assert!(zero.below_resolution && zero.converged && zero.squared.mean == 0.0);
    assert!(matches!(
        squared_frobenius_norm(&Breaking::new(5), &FrobeniusConfig::new()),
        Err(Error::NonFiniteVector { .. })
    ));
    for bad in [
        FrobeniusConfig::new().with_relative_error(-1.0),
        FrobeniusConfig::new().with_min_probes(0).with_max_probes(0),
        FrobeniusConfig::new().with_max_probes(3),
    ] {
        assert!(matches!(
            squared_frobenius_norm(&diagonal(&[1.0]), &bad),
            Err(Error::Setting { .. })
        ));
    }
}
