//! Power iteration.

use super::{Breaking, dense, diagonal, random_symmetric, rotated};
use crate::error::Error;
use crate::operator::Counted;
use crate::spectrum::{PowerConfig, power_iteration, rayleigh};
use crate::vector::download;

#[test]
fn dominant_eigenvalue_is_found_with_its_sign() {
    let op = dense(&rotated(&[-8.0, 5.0, 3.0, 1.0, 0.0], 1), 5);
    let found =
        power_iteration(&op, &PowerConfig::new().with_seed(3).with_tolerance(1e-9)).unwrap();
    // The value's error is the squared residual, 8e-9, over the gap, 13.
    assert!((found.value + 8.0).abs() < 1e-13 && found.converged);
}

#[test]
fn value_and_residual_are_those_of_the_vector_returned() {
    // A momentum-corrected vector, or one of another iteration, would not give this quotient.
    let rows = random_symmetric(40, 5);
    for max_products in [1, 2, 7, 50] {
        let config = PowerConfig::new()
            .with_max_products(max_products)
            .with_tolerance(1e-12);
        let found = power_iteration(&dense(&rows, 40), &config).unwrap();
        let v = download(&found.vector);
        let product: Vec<f64> = rows
            .chunks(40)
            .map(|row| row.iter().zip(&v).map(|(a, x)| a * x).sum())
            .collect();
        let quotient: f64 = v.iter().zip(&product).map(|(x, p)| x * p).sum();
        let residual: f64 = v
            .iter()
            .zip(&product)
            .map(|(x, p)| (p - quotient * x).powi(2))
            .sum();
        assert!((found.value - quotient).abs() < 1e-13);
        assert!((found.residual - residual.sqrt()).abs() < 1e-13);
        assert_eq!(found.products, max_products);
    }
}

#[test]
fn error_shrinks_by_the_ratio_of_the_eigenvalues() {
    let op = diagonal(&[2.0, 1.0]);
    let residual = |products| {
        let config = PowerConfig::new()
            .with_max_products(products)
            .with_tolerance(1e-15);
        power_iteration(&op, &config).unwrap().residual
    };
    assert!((residual(20) / residual(21) - 2.0).abs() < 1e-6);
}

#[test]
fn opposite_dominant_eigenvalues_do_not_converge() {
    let counted = Counted::new(diagonal(&[3.0, -3.0, 1.0]));
    let found = power_iteration(&counted, &PowerConfig::new().with_max_products(40)).unwrap();
    assert!(!found.converged && found.products == 40 && counted.products() == 41);
}

#[test]
fn zero_matrix_converges_to_zero_at_once() {
    let found = power_iteration(&diagonal(&[0.0; 9]), &PowerConfig::new()).unwrap();
    assert_eq!(
        (found.value, found.residual, found.converged, found.products),
        (0.0, 0.0, true, 1)
    );
}

#[test]
fn failures_reach_the_caller() {
    assert!(matches!(
        power_iteration(&Breaking::new(2), &PowerConfig::new()),
        Err(Error::NonFiniteVector { .. })
    ));
    let op = diagonal(&[1.0, 2.0]);
    for bad in [
        PowerConfig::new().with_tolerance(-1.0),
        PowerConfig::new().with_max_products(0),
    ] {
        assert!(matches!(
            power_iteration(&op, &bad),
            Err(Error::Setting { .. })
        ));
    }
    let zero = crate::operator::LinearOperator::domain(&op)
        .upload(&[0.0, 0.0])
        .unwrap();
    assert!(matches!(
        rayleigh(&op, &zero),
        Err(Error::NoDirection { .. })
    ));
}
