//! Operators that are none: products that change, and matrices that are not symmetric.

use burn::tensor::{DType, Device, Tensor};

use super::{Breaking, Diagonal, Raw, dense, diagonal, random_symmetric};
use crate::error::Error;
use crate::operator::{CheckConfig, Counted, Dense, LinearOperator, agreement, check_operator};
use crate::spectrum::{
    DensityConfig, FrobeniusConfig, HutchPlusPlusConfig, LanczosConfig, PowerConfig, TraceConfig,
    XTraceConfig, dense_spectrum, extremes, hutch_plus_plus, hutchinson_trace, materialize,
    power_iteration, spectral_density, squared_frobenius_norm, top_eigenpairs, top_eigenpairs_from,
    xtrace,
};
use crate::vector::Domain;

/// What each algorithm says of an operator.
fn all(op: &impl LinearOperator) -> Vec<(&'static str, Result<(), Error>)> {
    let start = op.domain().upload(&vec![1.0; op.dim()]).unwrap();
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
        ("with norm", hutchinson_trace(op, &with_norm()).map(drop)),
        (
            "norm",
            squared_frobenius_norm(op, &FrobeniusConfig::new()).map(drop),
        ),
        (
            "hutch++",
            hutch_plus_plus(op, &HutchPlusPlusConfig::new()).map(drop),
        ),
        ("xtrace", xtrace(op, &XTraceConfig::new()).map(drop)),
    ]
}

fn with_norm() -> TraceConfig {
    TraceConfig::new().with_frobenius(true)
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

/// A matrix applied to the magnitudes of a vector's entries: products repeat, and grow with the
/// vector, but do not add up.
struct OfMagnitudes(Raw);

impl LinearOperator for OfMagnitudes {
    fn domain(&self) -> &Domain {
        self.0.domain()
    }

    fn apply(&self, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
        self.0.apply(&(v.clone() + v.clone().abs() * 0.1))
    }
}

#[test]
fn operators_that_are_not_linear_are_an_error() {
    for dtype in [DType::F64, DType::F32] {
        let op = OfMagnitudes(Raw::new(&random_symmetric(20, 3), dtype, 0.0));
        for (name, result) in all(&op) {
            assert!(
                matches!(result, Err(Error::NotLinear { .. })),
                "{name}: {result:?}"
            );
        }
    }
}

#[test]
fn products_of_another_length_are_an_error_everywhere() {
    struct Longer(Domain);
    impl LinearOperator for Longer {
        fn domain(&self) -> &Domain {
            &self.0
        }

        fn apply(&self, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
            Ok(Tensor::cat(vec![v.clone(), v.clone()], 0))
        }
    }
    let longer = Longer(Domain {
        dim: 20,
        dtype: DType::F64,
        device: Device::flex(),
    });
    for (name, result) in all(&longer) {
        let expected = Error::Length {
            what: "operator's product",
            expected: 20,
            found: 40,
        };
        assert_eq!(result, Err(expected), "{name}");
    }
}

#[test]
fn an_operator_without_coordinates_is_an_error() {
    struct Empty(Domain);
    impl LinearOperator for Empty {
        fn domain(&self) -> &Domain {
            &self.0
        }

        fn apply(&self, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
            Ok(v.clone())
        }
    }
    let empty = Empty(Domain {
        dim: 0,
        dtype: DType::F64,
        device: Device::flex(),
    });
    for result in [
        hutchinson_trace(&empty, &TraceConfig::new()).map(drop),
        squared_frobenius_norm(&empty, &FrobeniusConfig::new()).map(drop),
        hutch_plus_plus(&empty, &HutchPlusPlusConfig::new()).map(drop),
        xtrace(&empty, &XTraceConfig::new()).map(drop),
        check_operator(&empty, &CheckConfig::new()).map(drop),
    ] {
        assert!(matches!(result, Err(Error::Setting { .. })), "{result:?}");
    }
}

#[test]
fn a_check_finds_the_departure_and_names_it() {
    let rows = random_symmetric(30, 3);
    for dtype in [DType::F64, DType::F32] {
        let check = check_operator(&Raw::new(&rows, dtype, 0.0), &CheckConfig::new()).unwrap();
        assert!(check.passed(), "{check:?}");
        assert_eq!((check.determinism.found, check.products), (0.0, 10));
        assert!(check.linearity.found < 1e-6 && check.symmetry.found < 1e-6);
    }
    let failed = |op: &dyn LinearOperator| {
        let check = check_operator(op, &CheckConfig::new()).unwrap();
        assert!(!check.passed());
        (check, check.ensure().unwrap_err())
    };
    let (check, error) = failed(&Raw::new(&rows, DType::F64, 1e-3));
    assert!(matches!(error, Error::ChangingProducts { .. }), "{error}");
    // The scales of two products differ by 1e-3 times a difference of two sines, at most 2.
    assert!(check.determinism.found > 1e-5 && check.determinism.found < 2.1e-3);
    let (_, error) = failed(&OfMagnitudes(Raw::new(&rows, DType::F64, 0.0)));
    assert!(matches!(error, Error::NotLinear { .. }), "{error}");
    // Of a skew matrix uᵀAv − vᵀAu has the standard deviation ‖A − Aᵀ‖ = 2 ‖A‖.
    let skew: Vec<f64> = (0..900_usize)
        .map(|i| (i / 30).cmp(&(i % 30)) as i8)
        .map(f64::from)
        .collect();
    let (check, error) = failed(&Raw::new(&skew, DType::F64, 0.0));
    assert!(matches!(error, Error::NotSymmetric { .. }), "{error}");
    assert!(check.symmetry.found > 0.1 && check.symmetry.found < 10.0);
    assert!(check.linearity.passed() && check.determinism.passed());

    struct WrongForm(Raw);
    impl LinearOperator for WrongForm {
        fn domain(&self) -> &Domain {
            self.0.domain()
        }

        fn apply(&self, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
            self.0.apply(v)
        }

        fn quadratic_form(&self, v: &Tensor<1>) -> Result<f64, Error> {
            Ok(1.001 * self.0.quadratic_form(v)?)
        }
    }
    let (_, error) = failed(&WrongForm(Raw::new(&rows, DType::F64, 0.0)));
    assert!(matches!(error, Error::AnotherForm { .. }), "{error}");
    let none = CheckConfig::new().with_pairs(0);
    assert!(check_operator(&diagonal(&[1.0]), &none).is_err());
    assert!(matches!(
        check_operator(&Breaking::new(1), &CheckConfig::new()),
        Err(Error::NonFiniteVector { .. })
    ));
}

#[test]
fn two_operators_agree_up_to_their_errors() {
    let rows = random_symmetric(30, 3);
    let ours = Raw::new(&rows, DType::F32, 0.0);
    let theirs = Raw::new(&rows, DType::F64, 0.0);
    let finding = agreement(&ours, &theirs, 1).unwrap();
    assert!(
        finding.passed() && finding.found > 0.0 && finding.found < 1e-6,
        "{finding:?}"
    );
    let mut other = rows;
    other[31] += 3.0;
    let finding = agreement(&ours, &Raw::new(&other, DType::F64, 0.0), 1).unwrap();
    assert!(!finding.passed(), "{finding:?}");
    assert!(matches!(
        agreement(&ours, &diagonal(&[1.0]), 1),
        Err(Error::Length { .. })
    ));
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
    assert_eq!(op.products(), pairs[0].steps + 1);
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
