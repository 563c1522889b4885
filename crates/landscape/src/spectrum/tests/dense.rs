//! The dense spectrum and its statistics.

use burn::tensor::{DType, Device};

use super::{Breaking, Raw, dense, diagonal, random_symmetric, rotated, toeplitz, toeplitz_value};
use crate::error::Error;
use crate::operator::Dense;
use crate::spectrum::{SpectrumStatistics, SymmetricMatrix, dense_spectrum, materialize};

#[test]
fn toeplitz_matrix_has_its_closed_form_spectrum() {
    // 40 is no multiple of the products asked for at once.
    let spectrum = dense_spectrum(&toeplitz(40)).unwrap();
    for (k, value) in (1..).zip(&spectrum.values) {
        assert!((value - toeplitz_value(k, 40)).abs() < 1e-14);
    }
    // det = dim + 1 > 0, trace = 2 dim.
    assert_eq!(spectrum.statistics.determinant_sign, 1);
    assert!((spectrum.statistics.trace - 80.0).abs() < 1e-12);
    assert_eq!(spectrum.asymmetry, 0.0);
}

#[test]
fn statistics_follow_their_definitions() {
    let spectrum = dense_spectrum(&dense(&rotated(&[6.0, -2.0, 1.0, -1.0], 3), 4)).unwrap();
    let s = spectrum.statistics;
    let expected = [
        (s.min, -2.0),
        (s.max, 6.0),
        (s.mean, 1.0),
        (s.median, 0.0),
        // Squared deviations 25, 9, 0, 4 over 4.
        (s.std, 9.5_f64.sqrt()),
        (s.condition, 3.0),
        (s.fraction_negative, 0.5),
        (s.trace, 4.0),
    ];
    for (found, expected) in expected {
        assert!(
            (found - expected).abs() < 1e-13,
            "{found} is not {expected}"
        );
    }
    assert_eq!(s.determinant_sign, 1);
}

#[test]
fn determinant_sign_counts_negative_eigenvalues_and_sees_zeros() {
    let sign = |values: &[f64]| {
        dense_spectrum(&dense(&rotated(values, 2), values.len()))
            .unwrap()
            .statistics
    };
    assert_eq!(sign(&[-1.0, 2.0, 3.0]).determinant_sign, -1);
    assert_eq!(sign(&[-1.0, -2.0, 3.0]).determinant_sign, 1);
    let singular = sign(&[0.0, -2.0, 3.0]);
    assert_eq!(singular.determinant_sign, 0);
    assert!(
        (singular.fraction_negative - 1.0 / 3.0).abs() < 1e-15,
        "rounding of the zero is not negative"
    );
}

#[test]
fn odd_median_is_the_middle_value() {
    assert_eq!(SpectrumStatistics::of(&[-5.0, 1.0, 100.0], 0.0).median, 1.0);
}

#[test]
fn materialized_matrix_has_the_entries_and_reports_asymmetry() {
    let rows = random_symmetric(19, 2);
    assert_eq!(materialize(&dense(&rows, 19)).unwrap().entries, rows);
    let matrix = materialize(&Raw::new(&[1.0, 2.0, 4.0, 8.0], DType::F64, 0.0)).unwrap();
    assert_eq!(matrix.entries, [1.0, 3.0, 3.0, 8.0]);
    assert_eq!(matrix.asymmetry, 0.25);
}

#[test]
fn eigenvectors_diagonalise_the_matrix() {
    for dim in [1, 2, 3, 50, 150] {
        let rows = random_symmetric(dim, 9);
        let matrix = SymmetricMatrix::from_rows(rows.clone(), dim).unwrap();
        let eigen = matrix.eigen().unwrap();
        for (a, b) in eigen.values.iter().zip(matrix.eigenvalues().unwrap()) {
            assert!((a - b).abs() < 1e-12);
        }
        for (value, v) in eigen.values.iter().zip(&eigen.vectors) {
            for (row, x) in rows.chunks(dim).zip(v) {
                let product: f64 = row.iter().zip(v).map(|(a, y)| a * y).sum();
                // Some hundred roundings of the norm, about 17 at dimension 150.
                assert!((product - value * x).abs() < 1e-12);
            }
        }
    }
}

#[test]
fn decomposition_does_not_depend_on_the_scale() {
    let rows = random_symmetric(150, 9);
    let eigen = |scale: f64| {
        let rows = rows.iter().map(|a| a * scale).collect();
        SymmetricMatrix::from_rows(rows, 150)
            .unwrap()
            .eigen()
            .unwrap()
    };
    let (one, small) = (eigen(1.0), eigen(2.0_f64.powi(-60)));
    assert_eq!(one.vectors, small.vectors);
    assert!(
        one.values
            .iter()
            .zip(&small.values)
            .all(|(a, b)| *a == b * 2.0_f64.powi(60))
    );
}

#[test]
fn zero_tolerance_follows_the_float_type() {
    let op = Dense::new(&[1.0, 0.0, 0.0, 1e-9], (&Device::flex(), DType::F32)).unwrap();
    assert_eq!(dense_spectrum(&op).unwrap().statistics.determinant_sign, 0);
    assert_eq!(
        dense_spectrum(&diagonal(&[1.0, 1e-9]))
            .unwrap()
            .statistics
            .determinant_sign,
        1
    );
}

#[test]
fn zero_and_single_matrices_are_decomposed() {
    let zero = dense_spectrum(&diagonal(&[0.0; 3])).unwrap();
    assert_eq!(
        (zero.values, zero.statistics.determinant_sign),
        (vec![0.0; 3], 0)
    );
    let one = dense_spectrum(&diagonal(&[-2.0])).unwrap().statistics;
    assert_eq!(
        (one.min, one.max, one.std, one.determinant_sign),
        (-2.0, -2.0, 0.0, -1)
    );
}

#[test]
fn product_that_is_not_finite_is_an_error() {
    assert!(matches!(
        dense_spectrum(&Breaking::new(3)),
        Err(Error::NonFiniteVector { .. })
    ));
}
