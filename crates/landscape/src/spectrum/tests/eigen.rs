//! Eigenpairs against closed forms and the dense solver.

use std::ops::ControlFlow;

use burn::tensor::DType;
use proptest::prelude::*;

use super::{
    Breaking, Diagonal, dense, diagonal, random_symmetric, rotated, toeplitz, toeplitz_value,
};
use crate::error::Error;
use crate::operator::{Counted, LinearOperator, Observed, Shifted};
use crate::spectrum::{
    EigenPair, LanczosConfig, SymmetricMatrix, Which, extremes, extremes_from, top_eigenpairs,
    top_eigenpairs_from,
};
use crate::vector::download;

fn values(pairs: &[EigenPair]) -> Vec<f64> {
    pairs.iter().map(|pair| pair.value).collect()
}

fn close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (found - expected).abs() <= tolerance,
            "{found} is not {expected}"
        );
    }
}

fn config(which: Which) -> LanczosConfig {
    LanczosConfig::new().with_seed(7).with_which(which)
}

/// Smooth bulk in (0, 1) with some outliers: the shape of a network's Hessian.
fn outliers(bulk: u32) -> Vec<f64> {
    let mut values: Vec<f64> = (0..bulk).map(|i| f64::from(i) / f64::from(bulk)).collect();
    values.extend([10.0, 7.0, 4.0, -3.0]);
    values
}

#[test]
fn which_names_the_end_and_the_order() {
    let op = diagonal(&[1.0, -9.0, 4.0, -2.0, 6.0]);
    let found = |which| values(&top_eigenpairs(&op, 3, &config(which)).unwrap());
    close(&found(Which::LargestAlgebraic), &[6.0, 4.0, 1.0], 1e-13);
    close(&found(Which::SmallestAlgebraic), &[-9.0, -2.0, 1.0], 1e-13);
    close(&found(Which::LargestMagnitude), &[-9.0, 6.0, 4.0], 1e-13);
}

#[test]
fn toeplitz_matrix_gives_its_closed_form_pairs() {
    let pairs = top_eigenpairs(&toeplitz(90), 3, &config(Which::LargestAlgebraic)).unwrap();
    for (k, pair) in (0..).zip(&pairs) {
        // The error of the value is the square of the relative residual, 1e-5, over the relative
        // gap, which is 1e-3 here.
        assert!((pair.value - toeplitz_value(90 - k, 90)).abs() < 1e-6);
        assert!(pair.converged);
    }
    // The vectors are sines: √(2 / 91) sin(j k π / 91).
    let vector = download(&pairs[0].vector);
    for (j, entry) in (1..).zip(vector) {
        let expected =
            (2.0_f64 / 91.0).sqrt() * (f64::from(j) * 90.0 * std::f64::consts::PI / 91.0).sin();
        // The largest entries are 45 and 46, equal in magnitude; the first is made positive.
        let sign = (45.0 * 90.0 * std::f64::consts::PI / 91.0).sin().signum();
        // Angle of the residual over the gap, 4e-5 / 3.6e-3.
        assert!((entry - sign * expected).abs() < 1.2e-2, "entry {j}");
    }
}

#[test]
fn negative_definite_operator_has_its_largest_value_near_zero() {
    let values: Vec<f64> = (0..300).map(|i| -1.0 - f64::from(i * i)).collect();
    let top = top_eigenpairs(&diagonal(&values), 1, &config(Which::SmallestAlgebraic)).unwrap();
    assert!((top[0].value + 1.0 + 299.0 * 299.0).abs() < 1e-4 && top[0].converged);
    let ends = extremes(&diagonal(&[-1.0, -2.0, -3.0]), &LanczosConfig::new()).unwrap();
    close(&[ends.max.value, ends.min.value], &[-1.0, -3.0], 1e-14);
}

#[test]
fn residual_is_that_of_the_value_and_the_vector_returned() {
    let rows = random_symmetric(120, 4);
    for tolerance in [1e-1, 1e-3, 1e-8] {
        let config = config(Which::LargestMagnitude).with_tolerance(tolerance);
        for pair in top_eigenpairs(&dense(&rows, 120), 4, &config).unwrap() {
            let v = download(&pair.vector);
            let norm: f64 = v.iter().map(|x| x * x).sum();
            assert!((norm - 1.0).abs() < 1e-14);
            let square: f64 = (0..120)
                .map(|i| {
                    let product: f64 = rows[i * 120..][..120]
                        .iter()
                        .zip(&v)
                        .map(|(a, x)| a * x)
                        .sum();
                    (product - pair.value * v[i]).powi(2)
                })
                .sum();
            // Rounding of a product with a matrix of norm about 15.
            assert!(
                (square.sqrt() - pair.residual).abs() < 1e-13,
                "{:e} {:e}",
                square.sqrt(),
                pair.residual
            );
            // In exact arithmetic the bound is the residual.
            assert!(
                (pair.bound - pair.residual).abs() < 1e-12,
                "{:e} {:e}",
                pair.bound,
                pair.residual
            );
            assert!(pair.converged);
        }
    }
}

#[test]
fn single_precision_residual_is_not_reported_below_single_precision() {
    let op = Diagonal::new(&outliers(996), DType::F32);
    let config = config(Which::LargestAlgebraic).with_tolerance(1e-12);
    for pair in top_eigenpairs(&op, 3, &config).unwrap() {
        let unit = 2.0_f64.powi(-24);
        assert!(
            pair.residual >= unit * pair.value && pair.residual < 1e-5,
            "{:e}",
            pair.residual
        );
        assert!(
            pair.bound < 1e-11,
            "the recurrence alone claims {:e}",
            pair.bound
        );
        assert!(!pair.converged);
        assert!(pair.steps < 100, "more steps do not help against rounding");
    }
    let reachable = config.with_tolerance(1e-5);
    assert!(
        top_eigenpairs(&op, 3, &reachable)
            .unwrap()
            .iter()
            .all(|pair| pair.converged)
    );
}

#[test]
fn warm_start_takes_fewer_products() {
    // Three values above a bulk in (0, 1), and the same matrix after a small symmetric change.
    let dim = 300;
    let mut before: Vec<f64> = (0..297).map(|i| f64::from(i) / 297.0).collect();
    before.extend([1.5, 1.35, 1.2]);
    let before = rotated(&before, 1);
    let after: Vec<f64> = before
        .iter()
        .zip(random_symmetric(dim, 2))
        .map(|(a, b)| a + 1e-4 * b)
        .collect();
    let start: Vec<_> = top_eigenpairs(&dense(&before, dim), 3, &config(Which::LargestAlgebraic))
        .unwrap()
        .into_iter()
        .map(|pair| pair.vector)
        .collect();
    let cold = Counted::new(dense(&after, dim));
    let expected = top_eigenpairs(&cold, 3, &config(Which::LargestAlgebraic)).unwrap();
    let warm = Counted::new(dense(&after, dim));
    let found = top_eigenpairs_from(&warm, 3, &start, &config(Which::LargestAlgebraic)).unwrap();
    assert!(found.iter().all(|pair| pair.converged));
    for (found, expected) in found.iter().zip(&expected) {
        assert!((found.value - expected.value).abs() <= found.residual + expected.residual);
    }
    assert!(
        warm.products() < cold.products(),
        "{} {}",
        warm.products(),
        cold.products()
    );
}

#[test]
fn eigenvector_of_another_value_as_start_does_not_hide_the_top() {
    let values = outliers(500);
    let op = diagonal(&values);
    let mut unit = vec![0.0; values.len()];
    unit[501] = 1.0;
    let start = op.domain().upload(&unit).unwrap();
    let pairs = top_eigenpairs_from(
        &op,
        2,
        std::slice::from_ref(&start),
        &config(Which::LargestAlgebraic),
    )
    .unwrap();
    close(&[pairs[0].value, pairs[1].value], &[10.0, 7.0], 1e-6);
    let ends = extremes_from(&op, &[start], &LanczosConfig::new()).unwrap();
    close(&[ends.min.value, ends.max.value], &[-3.0, 10.0], 1e-6);
}

#[test]
fn eigenvectors_of_other_values_as_start_do_not_hide_the_top() {
    let values = outliers(500);
    let op = diagonal(&values);
    for count in [2, 5, 9, 10, 11, 12] {
        let start: Vec<_> = (0..count)
            .map(|i| {
                let mut unit = vec![0.0; values.len()];
                unit[40 * i] = 1.0;
                op.domain().upload(&unit).unwrap()
            })
            .collect();
        let pairs = top_eigenpairs_from(&op, 1, &start, &config(Which::LargestAlgebraic)).unwrap();
        close(&self::values(&pairs), &[10.0], 1e-6);
    }
}

#[test]
fn not_converging_is_data() {
    // The ends of this spectrum are too dense for 20 steps.
    let pairs = top_eigenpairs(
        &toeplitz(400),
        2,
        &config(Which::LargestAlgebraic).with_max_steps(20),
    )
    .unwrap();
    for pair in pairs {
        assert!(!pair.converged && pair.residual > 1e-5 && pair.steps == 20);
        assert!(pair.value < toeplitz_value(400, 400));
    }
}

#[test]
fn more_pairs_than_coordinates_are_an_error() {
    let op = diagonal(&[2.0, 1.0]);
    close(
        &values(&top_eigenpairs(&op, 2, &LanczosConfig::new()).unwrap()),
        &[2.0, 1.0],
        1e-14,
    );
    let start = [op.domain().upload(&[1.0, 1.0]).unwrap()];
    for error in [
        top_eigenpairs(&op, 5, &LanczosConfig::new()).unwrap_err(),
        top_eigenpairs_from(&op, 5, &start, &LanczosConfig::new()).unwrap_err(),
    ] {
        assert_eq!(
            error.to_string(),
            "the number of eigenpairs k is 5 of an operator with 2 coordinates; it must be at most \
             the number of coordinates P"
        );
    }
    assert!(
        top_eigenpairs(&op, 0, &LanczosConfig::new())
            .unwrap()
            .is_empty()
    );
    let one = diagonal(&[-4.0]);
    close(
        &values(&top_eigenpairs(&one, 1, &LanczosConfig::new()).unwrap()),
        &[-4.0],
        0.0,
    );
    let ends = extremes(&one, &LanczosConfig::new()).unwrap();
    assert_eq!((ends.min.value, ends.max.value), (-4.0, -4.0));
}

#[test]
fn zero_matrix_has_converged_zero_pairs() {
    let counted = Counted::new(diagonal(&[0.0; 200]));
    for pair in top_eigenpairs(&counted, 2, &LanczosConfig::new()).unwrap() {
        assert_eq!(
            (pair.value, pair.residual, pair.converged),
            (0.0, 0.0, true)
        );
    }
    assert!(counted.products() < 20);
}

#[test]
fn repeated_top_eigenvalue_is_found_as_often_as_it_occurs_in_a_small_space() {
    let op = dense(&rotated(&[3.0, 3.0, 3.0, 1.0, 0.5, -1.0], 2), 6);
    close(
        &values(&top_eigenpairs(&op, 4, &LanczosConfig::new()).unwrap()),
        &[3.0, 3.0, 3.0, 1.0],
        1e-13,
    );
}

#[test]
fn extremes_are_both_ends_of_an_indefinite_spectrum() {
    let op = Shifted::new(diagonal(&outliers(1000)), -6.0);
    let ends = extremes(&op, &LanczosConfig::new().with_seed(1)).unwrap();
    // |min| = 9 exceeds max = 4.
    assert!((ends.min.value + 9.0).abs() <= ends.min.residual && ends.min.converged);
    assert!((ends.max.value - 4.0).abs() <= ends.max.residual && ends.max.converged);
}

#[test]
fn same_seed_gives_the_same_bits_and_signs_do_not_depend_on_the_seed() {
    let op = dense(&random_symmetric(50, 6), 50);
    let first = top_eigenpairs(&op, 2, &config(Which::LargestAlgebraic)).unwrap();
    let again = top_eigenpairs(&op, 2, &config(Which::LargestAlgebraic)).unwrap();
    let other = top_eigenpairs(&op, 2, &config(Which::LargestAlgebraic).with_seed(8)).unwrap();
    for ((a, b), c) in first.iter().zip(&again).zip(&other) {
        assert_eq!(
            (a.value, download(&a.vector)),
            (b.value, download(&b.vector))
        );
        let cosine: f64 = download(&a.vector)
            .iter()
            .zip(download(&c.vector))
            .map(|(x, y)| x * y)
            .sum();
        assert!(cosine > 0.999);
    }
}

#[test]
fn settings_survive_the_way_through_json() {
    use burn::config::Config;
    let settings = config(Which::SmallestAlgebraic).with_tolerance(1e-7);
    assert_eq!(
        LanczosConfig::load_binary(settings.to_string().as_bytes()).unwrap(),
        settings
    );
}

#[test]
fn failures_reach_the_caller() {
    let nan = top_eigenpairs(&Breaking::new(4), 1, &LanczosConfig::new());
    assert!(matches!(nan, Err(Error::NonFiniteVector { .. })));
    let op = diagonal(&outliers(100));
    let observed = Observed::new(&op, |done| {
        if done < 5 {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    });
    assert!(matches!(
        extremes(&observed, &LanczosConfig::new()),
        Err(Error::Cancelled { done: 5 })
    ));
    for bad in [
        LanczosConfig::new().with_tolerance(0.0),
        LanczosConfig::new().with_tolerance(f64::NAN),
        LanczosConfig::new().with_max_steps(1),
    ] {
        assert!(matches!(
            top_eigenpairs(&op, 2, &bad),
            Err(Error::Setting { .. })
        ));
    }
    assert!(matches!(
        top_eigenpairs_from(&op, 2, &[], &LanczosConfig::new()),
        Err(Error::NoDirection { .. })
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn lanczos_agrees_with_the_dense_solver(dim in 1_usize..50, k in 1_usize..6, seed in 0_u64..1_000_000, exponent in -8..8_i32) {
        let scale = 10.0_f64.powi(exponent);
        let rows: Vec<f64> = random_symmetric(dim, seed).iter().map(|x| x * scale).collect();
        let mut expected = SymmetricMatrix::from_rows(rows.clone(), dim).unwrap().eigenvalues().unwrap();
        expected.reverse();
        let config = LanczosConfig::new().with_seed(seed).with_tolerance(1e-10);
        let k = k.min(dim);
        let pairs = top_eigenpairs(&dense(&rows, dim), k, &config).unwrap();
        prop_assert_eq!(pairs.len(), k);
        for (pair, expected) in pairs.iter().zip(expected) {
            // A few hundred roundings of numbers of the size of the norm, below 20 scale.
            prop_assert!((pair.value - expected).abs() < 1e-12 * scale, "{} {}", pair.value, expected);
            prop_assert!(pair.converged);
        }
    }
}
