//! Operators that are none: products that change, and matrices that are not symmetric.

use burn::tensor::{DType, Device};

use super::{Diagonal, Raw, dense, diagonal, random_symmetric};
use crate::error::Error;
use crate::operator::{Counted, Dense, LinearOperator};
use crate::spectrum::{
    DensityConfig, LanczosConfig, PowerConfig, TraceConfig, dense_spectrum, extremes,
    hutchinson_trace, materialize, power_iteration, spectral_density, top_eigenpairs,
    top_eigenpairs_from,
};

/// What each algorithm says of an operator.
fn all(op: &Raw) -> Vec<(&'static str, Result<(), Error>)> {
    let start = op.domain.upload(&vec![1.0; op.dim()]).unwrap();
    let lanczos = LanczosConfig::new();
    let density = DensityConfig::new().with_starts(2);
    vec![
        ("eigenpairs", top_eigenpairs(op, 1, &lanczos).map(drop)),
        (
            "warm",
            top_eigenpairs_from(op, 1, &[start], &lanczos).map(drop),
        ),
        ("extremes", extremes(op, &lanczos).map(drop)),
        ("power", power_iteration(op, &PowerConfig::new()).map(drop)),
        ("trace", hutchinson_trace(op, &TraceConfig::new()).map(drop)),
        ("density", spectral_density(op, &density).map(drop)),
        ("dense", dense_spectrum(op).map(drop)),
    ]
}

#[test]
fn products_that_change_are_an_error_everywhere() {
    let rows = random_symmetric(20, 3);
    for (dtype, noise) in [(DType::F64, 1e-6), (DType::F64, 0.1), (DType::F32, 0.01)] {
        for (name, result) in all(&Raw::new(&rows, dtype, noise)) {
            assert!(
                matches!(result, Err(Error::ChangingProducts { .. })),
                "{name} at {noise}: {result:?}"
            );
        }
    }
    assert!(matches!(
        materialize(&Raw::new(&rows, DType::F64, 0.1)),
        Err(Error::ChangingProducts { .. })
    ));
    for dtype in [DType::F64, DType::F32] {
        for (name, result) in all(&Raw::new(&rows, dtype, 0.0)) {
            assert_eq!(result, Ok(()), "{name}");
        }
        // A change at the level of rounding is none.
        for (name, result) in all(&Raw::new(&rows, dtype, 1e-15)) {
            assert_eq!(result, Ok(()), "{name}");
        }
    }
}

#[test]
fn operators_that_are_not_symmetric_are_an_error_everywhere() {
    // The products of a loss with a stopped gradient, a nilpotent matrix, and a large one.
    let mut large = random_symmetric(200, 5);
    for i in 0..200 {
        for j in 0..i {
            large[i * 200 + j] *= 0.8;
        }
    }
    for rows in [vec![2.0, -2.0, 0.0, 1.0], vec![0.0, 1.0, 0.0, 0.0], large] {
        for dtype in [DType::F64, DType::F32] {
            for (name, result) in all(&Raw::new(&rows, dtype, 0.0)) {
                assert!(
                    matches!(result, Err(Error::NotSymmetric { .. })),
                    "{name}: {result:?}"
                );
            }
        }
    }
}

#[test]
fn a_dense_matrix_is_symmetric_or_an_error() {
    let device = Device::flex();
    let error = Dense::new(&[0.0, 1.0, 0.0, 0.0], (&device, DType::F64)).unwrap_err();
    assert!(matches!(
        error,
        Error::NotSymmetric {
            what: "matrix",
            asymmetry: 1.0,
            ..
        }
    ));
    // Rounding of its own is taken off.
    let op = Dense::new(&[1.0, 2.0 + 1e-12, 2.0, 1.0], (&device, DType::F64)).unwrap();
    assert_eq!(materialize(&op).unwrap().asymmetry, 0.0);
}

#[test]
fn the_check_costs_one_product() {
    let rows = random_symmetric(20, 3);
    let op = Counted::new(dense(&rows, 20));
    let trace = hutchinson_trace(&op, &TraceConfig::new()).unwrap();
    assert_eq!(op.products(), trace.products + 1);
    let op = Counted::new(dense(&rows, 20));
    let pairs = top_eigenpairs(&op, 2, &LanczosConfig::new()).unwrap();
    assert_eq!(op.products(), pairs[0].steps + 2 + 1);
    let op = Counted::new(dense(&rows, 20));
    let density = spectral_density(&op, &DensityConfig::new().with_starts(3)).unwrap();
    assert_eq!((op.products(), density.products), (61, 60));
    let op = Counted::new(dense(&rows, 20));
    let found = power_iteration(&op, &PowerConfig::new().with_max_products(7)).unwrap();
    assert_eq!((op.products(), found.products), (8, 7));
    let op = Counted::new(dense(&rows, 20));
    dense_spectrum(&op).unwrap();
    assert_eq!(op.products(), 21);
}

#[test]
fn a_value_that_is_rounded_to_zero_is_below_resolution() {
    // p (1 - p) of a fit with logit 20 is 2.06e-9; 1 - p is no number of f32 but 0 or 1.2e-7.
    let curvature = |one: f32| {
        let p = one / (1.0 + (-20.0_f32).exp());
        f64::from(p * (1.0 - p))
    };
    let in_f32 = curvature(1.0);
    assert_eq!(in_f32, 0.0);
    let flat = Diagonal::new(&[in_f32; 12], DType::F32);
    let pair = &top_eigenpairs(&flat, 1, &LanczosConfig::new()).unwrap()[0];
    assert_eq!((pair.value, pair.residual), (0.0, 0.0));
    assert!(pair.below_resolution && !pair.has_certain_sign());
    let found = power_iteration(&flat, &PowerConfig::new()).unwrap();
    assert!(found.below_resolution);
    assert!(
        hutchinson_trace(&flat, &TraceConfig::new())
            .unwrap()
            .below_resolution
    );
    // Tiny, but resolved.
    let tiny = diagonal(&[2.06e-9; 12]);
    let pair = &top_eigenpairs(&tiny, 1, &LanczosConfig::new()).unwrap()[0];
    assert!(!pair.below_resolution && pair.has_certain_sign());
    assert!(
        !hutchinson_trace(&tiny, &TraceConfig::new())
            .unwrap()
            .below_resolution
    );
    assert!(
        !power_iteration(&tiny, &PowerConfig::new())
            .unwrap()
            .below_resolution
    );
    // A smallest eigenvalue of 1e-9 beside a largest of 1 is resolved in f64 and not in f32.
    for (dtype, below) in [(DType::F64, false), (DType::F32, true)] {
        let mut values = vec![1.0; 12];
        values[3] = 1e-9;
        let op = Diagonal::new(&values, dtype);
        let ends = extremes(&op, &LanczosConfig::new()).unwrap();
        assert_eq!(ends.min.below_resolution, below, "{:?}", ends.min);
        assert!(!ends.max.below_resolution);
    }
}
