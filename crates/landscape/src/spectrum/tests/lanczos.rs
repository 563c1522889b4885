//! Lanczos runs: basis, bounds, restarts, quadrature.

use std::ops::ControlFlow;

use burn::tensor::DType;

use super::{Breaking, Raw, dense, diagonal, random_symmetric, rotated};
use crate::error::Error;
use crate::operator::{LinearOperator, Observed};
use crate::spectrum::Lanczos;
use crate::vector::random::normal;

fn run<A: LinearOperator>(op: &A, seed: u64, steps: usize) -> Lanczos {
    let mut run = Lanczos::new(op, seed).unwrap();
    run.extend(op, steps).unwrap();
    run
}

/// Returns the basis vectors, read through the combinations with unit coefficients.
fn basis(run: &Lanczos) -> Vec<Vec<f64>> {
    (0..run.steps())
        .map(|j| {
            let mut coefficients = vec![0.0; run.steps()];
            coefficients[j] = 1.0;
            run.combine(&coefficients)
        })
        .collect()
}

#[test]
fn basis_stays_orthonormal_after_ritz_values_have_converged() {
    // Outliers converge within a few steps; without reorthogonalisation the basis would lose
    // orthogonality completely from then on.
    let mut values: Vec<f64> = (0..500).map(|i| f64::from(i) / 500.0).collect();
    values.extend([1e3, 1e5, -1e6]);
    let run = run(&diagonal(&values), 3, 100);
    let q = basis(&run);
    for i in 0..100 {
        for j in 0..=i {
            let product: f64 = q[i].iter().zip(&q[j]).map(|(a, b)| a * b).sum();
            // Rounding of sums of 500 products of numbers below one.
            assert!(
                (product - f64::from(i == j)).abs() < 1e-14,
                "{i} {j} {product:e}"
            );
        }
    }
    assert!(run.asymmetry < 1e-14, "{:e}", run.asymmetry);
}

#[test]
fn tridiagonal_matrix_is_the_projected_operator() {
    let rows = random_symmetric(30, 1);
    let run = run(&dense(&rows, 30), 2, 12);
    let q = basis(&run);
    for i in 0..12 {
        for j in 0..12 {
            let mut entry = 0.0;
            for a in 0..30 {
                for b in 0..30 {
                    entry += q[i][a] * rows[a * 30 + b] * q[j][b];
                }
            }
            let expected = match i.abs_diff(j) {
                0 => run.tridiagonal.alpha[i],
                1 => run.tridiagonal.beta[i.min(j)],
                _ => 0.0,
            };
            assert!((entry - expected).abs() < 1e-13);
        }
    }
}

#[test]
fn every_residual_bound_has_an_eigenvalue_within_it() {
    let values: Vec<f64> = (0..60).map(|i| (f64::from(i) * 0.7).sin() * 10.0).collect();
    let op = dense(&rotated(&values, 5), 60);
    for steps in [1, 5, 20, 59, 60] {
        for ritz in run(&op, 9, steps).ritz_values(1e-8).unwrap() {
            let distance = values
                .iter()
                .map(|value| (value - ritz.value).abs())
                .fold(f64::INFINITY, f64::min);
            assert!(
                distance <= ritz.bound + 1e-12,
                "{distance:e} {:e}",
                ritz.bound
            );
            assert!(!ritz.converged || distance <= 1e-7 + 1e-12);
        }
    }
}

#[test]
fn restarts_find_every_copy_of_repeated_eigenvalues() {
    let mut values = [5.0, 5.0, 5.0, 1.0, 1.0, 0.0, -2.0, -2.0];
    let run = run(&dense(&rotated(&values, 8), 8), 4, 8);
    values.sort_by(f64::total_cmp);
    // The first space has one dimension for each of the four distinct eigenvalues. What is left
    // then is rounding, which the division by the betas before it has magnified.
    assert!(run.tridiagonal.beta[3] < 1e-12);
    let ritz = run.ritz_values(1e-10).unwrap();
    assert_eq!(ritz.len(), 8);
    for (ritz, value) in ritz.iter().zip(values) {
        assert!((ritz.value - value).abs() < 1e-13, "{} {value}", ritz.value);
        assert!(ritz.converged);
    }
}

#[test]
fn identity_and_zero_break_down_at_every_step() {
    for value in [1.0, 0.0] {
        let run = run(&diagonal(&[value; 6]), 1, 100);
        assert_eq!(run.steps(), 6);
        assert_eq!(run.restarts, [1, 2, 3, 4, 5]);
        for ritz in run.ritz_values(1e-10).unwrap() {
            assert!((ritz.value - value).abs() < 1e-15 && ritz.bound < 1e-15 && ritz.converged);
        }
    }
}

#[test]
fn one_coordinate_needs_one_step() {
    let run = run(&diagonal(&[-3.0]), 1, 10);
    assert_eq!((run.steps(), run.tridiagonal.alpha[0]), (1, -3.0));
}

#[test]
fn moments_of_the_start_vector_are_exact_up_to_twice_the_steps_less_one() {
    let values: Vec<f64> = (0..40).map(|i| (f64::from(i) * 1.3).cos()).collect();
    let op = diagonal(&values);
    for seed in 0..3 {
        for steps in [1_i32, 2, 3, 5, 8] {
            let start = normal(seed, 77, 40);
            let square: f64 = start.iter().map(|x| x * x).sum();
            let mut run =
                Lanczos::from_start(&op, &op.domain().upload(&start).unwrap(), seed).unwrap();
            run.extend(&op, usize::try_from(steps).unwrap()).unwrap();
            let quadrature = run.quadrature().unwrap();
            let moment = |k: i32| {
                start
                    .iter()
                    .zip(&values)
                    .map(|(x, value)| x * x * value.powi(k))
                    .sum::<f64>()
                    / square
            };
            for k in 0..2 * steps {
                // Magnitudes are below one, so the tolerance is rounding of sums of 40 terms.
                assert!(
                    (quadrature.moment(k) - moment(k)).abs() < 1e-14,
                    "{steps} steps, moment {k}"
                );
            }
            // The next moment is not reproduced: its error is the product of the squared betas.
            let beta: f64 = run
                .tridiagonal
                .beta
                .iter()
                .chain([&run.last_beta])
                .map(|beta| beta * beta)
                .product();
            assert!((moment(2 * steps) - quadrature.moment(2 * steps) - beta).abs() < 1e-14);
        }
    }
}

#[test]
fn quadrature_weights_come_from_the_first_components() {
    // The weight of each eigenvalue is the start vector's squared component along it; the last
    // components of T's eigenvectors, and the rows of a transposed matrix, would differ.
    let values = [1.0, 2.0, 3.0, 4.0];
    let op = diagonal(&values);
    let start = op.domain().upload(&[1.0, 2.0, 3.0, 4.0]).unwrap();
    let mut run = Lanczos::from_start(&op, &start, 0).unwrap();
    run.extend(&op, 4).unwrap();
    let quadrature = run.quadrature().unwrap();
    for ((node, weight), value) in quadrature.nodes.iter().zip(&quadrature.weights).zip(values) {
        assert!((node - value).abs() < 1e-13);
        assert!((weight - value * value / 30.0).abs() < 1e-13);
    }
    let ritz = run.ritz_values(1e-8).unwrap();
    assert!(
        ritz.iter()
            .zip(&quadrature.weights)
            .all(|(ritz, weight)| ritz.weight == *weight)
    );
}

#[test]
fn asymmetry_shows_an_operator_that_is_not_symmetric() {
    let mut rows = random_symmetric(20, 3);
    rows[7] += 1e-3;
    // The defect of one entry among 400, seen through 10 unit vectors and relative to the norm.
    let asymmetry = run(&Raw::new(&rows, DType::F64, 0.0), 1, 10).asymmetry;
    assert!(asymmetry > 1e-7 && asymmetry < 1e-3, "{asymmetry:e}");
}

#[test]
fn cancelled_run_goes_on_as_if_it_had_not_been_cancelled() {
    let values: Vec<f64> = (0..80).map(|i| f64::from(i).sqrt()).collect();
    let op = diagonal(&values);
    let observed = Observed::new(&op, |done| {
        if done < 7 {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    });
    let mut cancelled = Lanczos::new(&op, 6).unwrap();
    assert_eq!(
        cancelled.extend(&observed, 20),
        Err(Error::Cancelled { done: 7 })
    );
    assert_eq!(cancelled.steps(), 6);
    cancelled.extend(&op, 14).unwrap();
    assert_eq!(cancelled.tridiagonal, run(&op, 6, 20).tridiagonal);
}

#[test]
fn product_that_is_not_finite_is_an_error() {
    let op = Breaking::new(3);
    let mut run = Lanczos::new(&op, 6).unwrap();
    assert!(matches!(
        run.extend(&op, 20),
        Err(Error::NonFiniteVector { .. })
    ));
    assert_eq!(run.steps(), 3);
}

#[test]
fn starts_that_give_no_direction_are_errors() {
    let op = diagonal(&[1.0, 2.0]);
    let start = |entries: &[f64]| {
        Lanczos::from_start(&op, &op.domain().upload(entries).unwrap(), 0).map(|_| ())
    };
    assert!(matches!(start(&[0.0, 0.0]), Err(Error::NoDirection { .. })));
    assert!(matches!(
        start(&[f64::NAN, 0.0]),
        Err(Error::NonFiniteVector { .. })
    ));
    let long = diagonal(&[1.0; 3]).domain().upload(&[1.0; 3]).unwrap();
    assert!(matches!(
        Lanczos::from_start(&op, &long, 0),
        Err(Error::Length {
            expected: 2,
            found: 3,
            ..
        })
    ));
    assert!(matches!(
        Lanczos::new(&diagonal(&[]), 0),
        Err(Error::Setting { .. })
    ));
}
