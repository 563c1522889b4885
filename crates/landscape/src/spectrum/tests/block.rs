//! Block Lanczos, thick restart, and where the basis is kept.

use std::ops::ControlFlow;

use burn::tensor::{DType, Device};
use proptest::prelude::*;

use super::{Breaking, Diagonal, Raw, dense, diagonal, random_symmetric, rotated, toeplitz};
use crate::error::Error;
use crate::operator::{Counted, Dense, LinearOperator, Observed};
use crate::spectrum::eigen::select;
use crate::spectrum::growth::grow;
use crate::spectrum::{
    BasisStorage, DensityConfig, EigenPair, Lanczos, LanczosConfig, SymmetricMatrix, Which,
    extremes, rayleigh, spectral_density, top_eigenpairs, top_eigenpairs_from,
};
use crate::vector::download;

const STORAGES: [BasisStorage; 3] = [
    BasisStorage::HostF64,
    BasisStorage::HostF32,
    BasisStorage::Device,
];

fn config(which: Which) -> LanczosConfig {
    LanczosConfig::new()
        .with_seed(3)
        .with_which(which)
        .with_tolerance(1e-9)
        .with_max_steps(2000)
}

/// Spectra of dimension 120: random, in clusters of spread 1e-3, with every value three times,
/// graded over twelve decades with both signs.
fn spectra() -> [(&'static str, Vec<f64>); 4] {
    let random = SymmetricMatrix::from_rows(random_symmetric(120, 1), 120).unwrap();
    let count = |n: u32| (0..n).map(f64::from);
    [
        ("random", random.eigenvalues().unwrap()),
        (
            "clustered",
            count(120)
                .map(|i| (i / 20.0).floor() - 3.0 + 1e-3 * (i % 20.0) / 20.0)
                .collect(),
        ),
        (
            "repeated",
            count(120).map(|i| (i / 3.0).floor().sqrt() - 2.0).collect(),
        ),
        (
            "graded",
            count(120)
                .map(|i| 10.0_f64.powf(-i / 10.0) * if i % 3.0 == 2.0 { -1.0 } else { 1.0 })
                .collect(),
        ),
    ]
}

/// Values and residuals come from the products of the steps: they are those that one more product
/// with the vector returned gives, converged or not, and that product is not made.
#[test]
fn values_and_residuals_are_those_of_one_more_product() {
    let matrix = random_symmetric(120, 5);
    for (dtype, digits) in [(DType::F64, 1e-14), (DType::F32, 1e-6)] {
        let op = Dense::new(&matrix, (&Device::flex(), dtype)).unwrap();
        for (name, config) in ways() {
            for (max_steps, tolerance) in [(36, 1e-9), (2000, 1e-3), (2000, 1e-9)] {
                let config = config
                    .clone()
                    .with_max_steps(max_steps)
                    .with_tolerance(tolerance);
                let counted = Counted::new(&op);
                let pairs = top_eigenpairs(&counted, 4, &config).unwrap();
                // One beside the steps, to see that products do not change.
                assert_eq!(counted.products(), pairs[0].steps + 1, "{name}");
                for pair in &pairs {
                    let again = rayleigh(&op, &pair.vector).unwrap();
                    // Rounding of the products, of a norm of about 15, and of the basis kept.
                    let digits = match config.basis {
                        BasisStorage::HostF32 => 1e-6_f64.max(digits),
                        _ => digits,
                    };
                    let level = 40.0 * 15.0 * digits;
                    assert!(
                        (pair.value - again.quotient).abs() < level
                            && (pair.residual - again.residual).abs() < level,
                        "{name} {dtype:?} {max_steps} {tolerance:e}: {:e} {:e}, {:e} {:e}",
                        pair.value,
                        again.quotient,
                        pair.residual,
                        again.residual,
                    );
                }
            }
        }
    }
}

/// Settings that reach the same pairs in different ways.
fn ways() -> Vec<(&'static str, LanczosConfig)> {
    let base = config(Which::LargestAlgebraic);
    vec![
        ("one vector", base.clone()),
        ("blocks of 3", base.clone().with_block_size(3)),
        ("20 vectors", base.clone().with_max_vectors(Some(20))),
        (
            "20 vectors, blocks of 3",
            base.with_block_size(3).with_max_vectors(Some(20)),
        ),
    ]
}

#[test]
fn converged_pairs_are_those_of_the_dense_spectrum() {
    for (name, values) in spectra() {
        let rows = rotated(&values, 5);
        let mut expected = SymmetricMatrix::from_rows(rows.clone(), 120)
            .unwrap()
            .eigenvalues()
            .unwrap();
        let norm = expected.iter().fold(0.0, |n: f64, x| n.max(x.abs()));
        let rounding = 10.0 * 120.0 * f64::EPSILON * norm;
        let op = dense(&rows, 120);
        for which in [Which::SmallestAlgebraic, Which::LargestAlgebraic] {
            for (way, config) in ways() {
                let found = top_eigenpairs(&op, 5, &config.clone().with_which(which)).unwrap();
                for (index, pair) in found.iter().enumerate() {
                    let distance = expected
                        .iter()
                        .map(|value| (value - pair.value).abs())
                        .fold(f64::INFINITY, f64::min);
                    assert!(distance <= pair.residual + rounding, "{name}, {way}");
                    // Gaps of 5e-5 among values of 3 take more steps with a basis so small.
                    if name == "clustered" && config.max_vectors.is_some() && !pair.converged {
                        assert!(pair.steps + config.block_size > config.max_steps);
                        continue;
                    }
                    assert!(pair.converged, "{name}, {way}: {:e}", pair.residual);
                    // A single vector finds one copy of a repeated eigenvalue.
                    if name == "repeated" && config.block_size < 3 {
                        continue;
                    }
                    let error = (pair.value - expected[index]).abs();
                    assert!(
                        error <= pair.residual + rounding,
                        "{name}, {way}: {} is not {}",
                        pair.value,
                        expected[index]
                    );
                }
            }
            expected.reverse();
        }
    }
}

#[test]
fn every_ritz_value_lies_within_its_bound_of_an_eigenvalue() {
    for (name, values) in spectra() {
        let rows = rotated(&values, 6);
        let expected = SymmetricMatrix::from_rows(rows.clone(), 120)
            .unwrap()
            .eigenvalues()
            .unwrap();
        let norm = expected.iter().fold(0.0, |n: f64, x| n.max(x.abs()));
        let rounding = 10.0 * 120.0 * f64::EPSILON * norm;
        let op = dense(&rows, 120);
        for steps in [3, 20, 60, 120] {
            let mut run = Lanczos::new(&op, 9).unwrap();
            run.extend(&op, steps).unwrap();
            for ritz in run.ritz_values(1e-8).unwrap() {
                let distance = expected
                    .iter()
                    .map(|value| (value - ritz.value).abs())
                    .fold(f64::INFINITY, f64::min);
                assert!(distance <= ritz.bound + rounding, "{name}, {steps} steps");
            }
        }
    }
}

#[test]
fn block_as_wide_as_the_multiplicity_finds_every_copy() {
    let mut values: Vec<f64> = (0..200).map(|i| f64::from(i) / 200.0).collect();
    values.extend([4.0, 4.0, 4.0, 2.0, 2.0, 2.0]);
    let op = diagonal(&values);
    let top = |block_size, k| -> Vec<f64> {
        let config = config(Which::LargestAlgebraic).with_block_size(block_size);
        let pairs = top_eigenpairs(&op, k, &config).unwrap();
        assert!(pairs.iter().all(|pair| pair.converged));
        pairs.iter().map(|pair| pair.value).collect()
    };
    for (found, expected) in top(3, 6).into_iter().zip([4.0, 4.0, 4.0, 2.0, 2.0, 2.0]) {
        assert!((found - expected).abs() < 1e-12, "{found}");
    }
    // A single vector finds one of each until rounding brings in the others.
    for (found, expected) in top(1, 2).into_iter().zip([4.0, 2.0]) {
        assert!((found - expected).abs() < 1e-12, "{found}");
    }
}

#[test]
fn bound_of_a_block_is_the_residual() {
    let rows = random_symmetric(90, 4);
    for tolerance in [1e-1, 1e-4] {
        for max_vectors in [None, Some(24)] {
            let config = config(Which::LargestMagnitude)
                .with_tolerance(tolerance)
                .with_block_size(4)
                .with_max_vectors(max_vectors);
            for pair in top_eigenpairs(&dense(&rows, 90), 4, &config).unwrap() {
                assert!(pair.converged && pair.residual > 1e-9);
                // Rounding of products with a matrix of norm about 14.
                assert!(
                    (pair.bound - pair.residual).abs() < 1e-12,
                    "{:e}",
                    pair.bound
                );
            }
        }
    }
}

#[test]
fn restarted_run_keeps_the_vectors_asked_for_and_finds_the_same() {
    let mut values: Vec<f64> = (0..2000).map(|i| f64::from(i) / 2000.0).collect();
    values.extend([3.0, 2.0, 1.7, 1.5, 1.3]);
    let op = Counted::new(diagonal(&values));
    let whole = top_eigenpairs(&op, 5, &config(Which::LargestAlgebraic)).unwrap();
    for (block_size, most) in [(1, 7), (1, 20), (2, 20), (3, 20), (5, 15)] {
        let config = config(Which::LargestAlgebraic)
            .with_block_size(block_size)
            .with_max_vectors(Some(most));
        let before = op.products();
        let found = top_eigenpairs(&op, 5, &config).unwrap();
        assert_eq!(op.products() - before, found[0].steps + 1);
        for (found, whole) in found.iter().zip(&whole) {
            assert!(found.converged && whole.converged);
            assert!((found.value - whole.value).abs() <= found.residual + whole.residual);
            let (a, b) = (download(&found.vector), download(&whole.vector));
            let cosine: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
            assert!(cosine > 1.0 - 1e-12, "{cosine}");
        }
        let rank = |values: &[f64], n| select(values, n, Which::LargestAlgebraic);
        let run = grow(&op, Vec::new(), &config, 5, rank).unwrap().run;
        assert!(run.most_vectors() <= most, "{}", run.most_vectors());
        assert!(run.steps() > most, "no restart was needed");
    }
}

#[test]
fn both_ends_are_kept_through_restarts() {
    let mut values: Vec<f64> = (0..1000).map(|i| f64::from(i) / 1000.0).collect();
    values.extend([1.1, -0.1]);
    let config = LanczosConfig::new()
        .with_tolerance(1e-8)
        .with_max_vectors(Some(12))
        .with_max_steps(3000);
    let ends = extremes(&diagonal(&values), &config).unwrap();
    assert!(ends.min.converged && ends.max.converged && ends.max.steps > 24);
    assert!((ends.min.value + 0.1).abs() < 1e-12 && (ends.max.value - 1.1).abs() < 1e-12);
}

#[test]
fn a_block_that_loses_rank_goes_on_with_random_vectors() {
    for value in [1.0, 0.0] {
        let op = diagonal(&[value; 10]);
        // Ten is no multiple of four.
        for block_size in [1, 4, 10, 17] {
            let config = config(Which::LargestAlgebraic).with_block_size(block_size);
            let pairs = top_eigenpairs(&op, 10, &config).unwrap();
            assert_eq!(pairs.len(), 10);
            for pair in &pairs {
                assert!((pair.value - value).abs() < 1e-15 && pair.converged);
            }
            assert_orthonormal(&pairs, 1e-14);
        }
    }
    // Starts that are one vector three times.
    let op = dense(&random_symmetric(30, 2), 30);
    let start = op.domain().upload(&[1.0; 30]).unwrap();
    let config = config(Which::LargestAlgebraic).with_block_size(3);
    let expected = top_eigenpairs(&op, 4, &config).unwrap();
    let starts = [start.clone(), start.clone(), start];
    let found = top_eigenpairs_from(&op, 4, &starts, &config).unwrap();
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.converged && (found.value - expected.value).abs() < 1e-12);
    }
}

fn assert_orthonormal(pairs: &[EigenPair], tolerance: f64) {
    let vectors: Vec<Vec<f64>> = pairs.iter().map(|pair| download(&pair.vector)).collect();
    for (i, a) in vectors.iter().enumerate() {
        for (j, b) in vectors.iter().enumerate() {
            let product: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
            assert!((product - f64::from(i == j)).abs() < tolerance, "{i} {j}");
        }
    }
}

#[test]
fn eigenvectors_as_start_of_a_block_save_products() {
    let mut values: Vec<f64> = (0..300).map(|i| f64::from(i) / 300.0).collect();
    values.extend([1.5, 1.35, 1.2]);
    let rows = rotated(&values, 1);
    let changed: Vec<f64> = rows
        .iter()
        .zip(random_symmetric(303, 2))
        .map(|(a, b)| a + 1e-5 * b)
        .collect();
    let config = config(Which::LargestAlgebraic)
        .with_tolerance(1e-5)
        .with_block_size(3);
    let before = top_eigenpairs(&dense(&rows, 303), 3, &config).unwrap();
    let starts: Vec<_> = before.into_iter().map(|pair| pair.vector).collect();
    let op = dense(&changed, 303);
    let cold = top_eigenpairs(&op, 3, &config).unwrap();
    let warm = top_eigenpairs_from(&op, 3, &starts, &config).unwrap();
    assert!(warm[0].steps < cold[0].steps);
    for (warm, cold) in warm.iter().zip(cold) {
        assert!(warm.converged && (warm.value - cold.value).abs() <= warm.residual + cold.residual);
    }
}

#[test]
fn restarted_run_that_does_not_converge_is_data() {
    let config = config(Which::LargestAlgebraic)
        .with_max_vectors(Some(10))
        .with_max_steps(61);
    for (block_size, steps) in [(1, 61), (2, 60)] {
        let config = config.clone().with_block_size(block_size);
        for pair in top_eigenpairs(&toeplitz(400), 2, &config).unwrap() {
            assert!(!pair.converged && pair.steps == steps && pair.value < 4.0);
        }
    }
}

#[test]
fn where_the_basis_is_kept_changes_rounding_only() {
    // More coordinates than a panel of the host, and a matrix that is not diagonal in them.
    let mut values: Vec<f64> = (0..20_000).map(|i| f64::from(i) / 20_000.0).collect();
    values.extend([3.0, 2.0, -1.0]);
    for dtype in [DType::F64, DType::F32] {
        let op = Diagonal::new(&values, dtype);
        let config = config(Which::LargestMagnitude).with_tolerance(1e-5);
        let expected = top_eigenpairs(&op, 3, &config).unwrap();
        for storage in STORAGES {
            for (block_size, max_vectors) in [(1, None), (1, Some(12)), (2, Some(20))] {
                let config = config
                    .clone()
                    .with_basis(storage)
                    .with_block_size(block_size)
                    .with_max_vectors(max_vectors);
                let found = top_eigenpairs(&op, 3, &config).unwrap();
                for (found, expected) in found.iter().zip(&expected) {
                    assert!(found.converged, "{storage:?} {:e}", found.residual);
                    // The squares of the relative residuals over the gaps, and rounding in f32.
                    let error = (found.value - expected.value).abs();
                    assert!(error < 2e-6, "{storage:?}: {error:e}");
                }
                // Rounding of sums of products of numbers that are kept in f32.
                assert_orthonormal(&found, 2e-5);
            }
        }
    }
}

#[test]
fn precision_of_the_basis_limits_the_residual_and_the_residual_says_so() {
    let mut values: Vec<f64> = (0..3000).map(|i| f64::from(i) / 3000.0).collect();
    values.extend([3.0, 2.0]);
    let op = diagonal(&values);
    let config = config(Which::LargestAlgebraic).with_tolerance(1e-12);
    let exact = top_eigenpairs(&op, 2, &config).unwrap();
    assert!(exact.iter().all(|pair| pair.converged));
    let config = config.with_basis(BasisStorage::HostF32).with_max_steps(100);
    for pair in top_eigenpairs(&op, 2, &config).unwrap() {
        assert!(!pair.converged && pair.residual > 1e-10 && pair.residual < 1e-6);
        let nearest = if pair.value > 2.5 { 3.0 } else { 2.0 };
        assert!((pair.value - nearest).abs() <= pair.residual);
    }
}

#[test]
fn densities_agree_wherever_the_basis_is_kept() {
    let values: Vec<f64> = (0..20_000).map(|i| (f64::from(i) * 0.01).sin()).collect();
    let op = Diagonal::new(&values, DType::F64);
    let config = DensityConfig::new().with_starts(2).with_steps(20);
    let expected = spectral_density(&op, &config).unwrap();
    for storage in STORAGES {
        let found = spectral_density(&op, &config.clone().with_basis(storage)).unwrap();
        for (found, expected) in found.density.iter().zip(&expected.density) {
            // The nodes move by the rounding of f32 at most; sigma is 0.02.
            assert!((found - expected).abs() < 1e-3, "{storage:?}");
        }
    }
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let mut values: Vec<f64> = (0..60_000).map(|i| f64::from(i) / 60_000.0).collect();
    values.extend([3.0, 2.0]);
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            let op = diagonal(&values);
            let config = config(Which::LargestAlgebraic)
                .with_tolerance(1e-6)
                .with_max_vectors(Some(12));
            let pairs = top_eigenpairs(&op, 2, &config).unwrap();
            let density =
                spectral_density(&op, &DensityConfig::new().with_starts(2).with_steps(10));
            let pairs: Vec<_> = pairs
                .iter()
                .map(|pair| (pair.value, pair.residual, download(&pair.vector)))
                .collect();
            (pairs, density.unwrap())
        })
    };
    let one = on(1);
    assert!(on(3) == one);
}

#[test]
fn settings_out_of_range_are_errors_that_name_them() {
    let op = diagonal(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
    let base = LanczosConfig::new();
    for (bad, name) in [
        (base.clone().with_block_size(0), "block_size"),
        (base.clone().with_max_vectors(Some(4)), "max_vectors"),
        (
            base.clone().with_block_size(3).with_max_vectors(Some(8)),
            "max_vectors",
        ),
        (
            base.clone().with_block_size(2).with_max_steps(3),
            "max_steps",
        ),
        (base.with_max_steps(2), "max_steps"),
    ] {
        let error = top_eigenpairs(&op, 3, &bad).unwrap_err();
        assert!(
            matches!(error, Error::Setting { name: found, .. } if found == name),
            "{error}"
        );
    }
}

#[test]
fn failures_reach_the_caller_from_every_basis() {
    for storage in STORAGES {
        for block_size in [1, 3] {
            let config = LanczosConfig::new()
                .with_basis(storage)
                .with_block_size(block_size);
            let nan = top_eigenpairs(&Breaking::new(5), 1, &config);
            assert!(matches!(nan, Err(Error::NonFiniteVector { .. })));
            let op = diagonal(&(0..100).map(f64::from).collect::<Vec<_>>());
            let observed = Observed::new(&op, |done| {
                if done < 8 {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            });
            assert!(matches!(
                top_eigenpairs(&observed, 1, &config),
                Err(Error::Cancelled { done: 8 })
            ));
            let mut rows = random_symmetric(20, 3);
            rows[7] += 1.0;
            let skew = top_eigenpairs(&Raw::new(&rows, DType::F64, 0.0), 2, &config);
            assert!(
                matches!(skew, Err(Error::NotSymmetric { .. })),
                "{storage:?}"
            );
            let changing = Raw::new(&random_symmetric(20, 3), DType::F64, 1e-3);
            assert!(matches!(
                top_eigenpairs(&changing, 2, &config),
                Err(Error::ChangingProducts { .. })
            ));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn blocks_and_restarts_agree_with_the_dense_solver(
        dim in 1_usize..40,
        k in 1_usize..5,
        block_size in 1_usize..5,
        extra in prop::option::of(0_usize..10),
        seed in 0_u64..1_000_000,
        exponent in -8..8_i32,
    ) {
        let scale = 10.0_f64.powi(exponent);
        let rows: Vec<f64> = random_symmetric(dim, seed).iter().map(|x| x * scale).collect();
        let mut expected = SymmetricMatrix::from_rows(rows.clone(), dim).unwrap().eigenvalues().unwrap();
        expected.reverse();
        let config = config(Which::LargestAlgebraic)
            .with_block_size(block_size)
            .with_max_vectors(extra.map(|extra| k + 2 * block_size + 1 + extra));
        let k = k.min(dim);
        let pairs = top_eigenpairs(&dense(&rows, dim), k, &config).unwrap();
        prop_assert_eq!(pairs.len(), k);
        for (pair, expected) in pairs.iter().zip(expected) {
            prop_assert!(pair.converged, "{:e}", pair.residual / scale);
            // A residual of 1e-9 of the norm, below 16 scale, bounds the error.
            prop_assert!((pair.value - expected).abs() < 2e-8 * scale, "{} {}", pair.value, expected);
        }
    }
}
