//! Critical points beside explicit Hessians, PyTorch's spectra and counts of negative eigenvalues.

use burn::tensor::{DType, Device};
use landscape::critical::{
    CriticalConfig, CriticalKind, CriticalPoint, EscapeConfig, Inertia, classify, critical_point,
    follow_escape,
};
use landscape::download;
use landscape::operator::Dense;
use serde_json::Value;
use tests::models::Saddle;
use tests::{Case, CaseVisitor, Fixture, Net, for_each_case};

fn examples() -> Fixture {
    Fixture::read("fixtures", "worked_examples")
}

fn numbers(value: &Value) -> Vec<f64> {
    let values = value.as_array().expect("a list");
    values
        .iter()
        .map(|x| x.as_f64().expect("a number"))
        .collect()
}

fn classified(hessian: &[f64]) -> CriticalPoint {
    let op = Dense::new(hessian, (&Device::flex(), DType::F64)).expect("a symmetric matrix");
    classify(&op, 0.0, 0.0, &CriticalConfig::new()).expect("a verdict")
}

#[test]
fn critical_points_of_explicit_hessians_are_those_of_numpy() {
    let examples = examples();
    for name in ["saddle", "minimum", "maximum", "degenerate"] {
        let expected = &examples.manifest[format!("critical_{name}")];
        let found = classified(&numbers(&expected["hessian"]));
        assert_eq!(expected["kind"], found.kind.name(), "{found}");
        let count = |key: &str| usize::try_from(expected[key].as_u64().expect("a count"));
        let inertia = Inertia {
            negative: count("n_negative").expect("small"),
            zero: count("n_zero").expect("small"),
            positive: count("n_positive").expect("small"),
        };
        assert_eq!(found.inertia, Some(inertia), "{name}");
        assert_eq!(found.index.exact(), count("index").ok(), "{name}");
        for (value, key) in [(found.min.value, "min"), (found.max.value, "max")] {
            assert!((value - expected[key].as_f64().expect("a number")).abs() < 1e-12);
        }
        match &found.escape {
            Some(escape) if !expected["escape"].is_null() => {
                let direction = download(&escape.direction);
                for (found, expected) in direction.iter().zip(numbers(&expected["escape"])) {
                    assert!((found.abs() - expected).abs() < 1e-12, "{name}");
                }
            }
            escape => assert_eq!(escape.is_some(), found.index.at_least > 0, "{name}"),
        }
    }
}

#[test]
fn every_statistic_of_a_network_like_spectrum_is_numpys_to_1e_12() {
    let examples = examples();
    let expected = &examples.manifest["network_like"];
    let found = classified(examples.floats("network_like/hessian").1);
    assert_eq!(found.kind, CriticalKind::Saddle);
    let statistics = found.statistics.expect("all eigenvalues");
    let eigenvalues = found.eigenvalues.expect("all eigenvalues");
    let frobenius: f64 = eigenvalues.iter().map(|x| x * x).sum();
    let index = found.index.exact().expect("all eigenvalues");
    for (found, key) in [
        (statistics.min, "min"),
        (statistics.max, "max"),
        (statistics.mean, "mean"),
        (statistics.median, "median"),
        (statistics.std, "std_population"),
        (statistics.fraction_negative, "fraction_negative"),
        (statistics.trace, "trace"),
        (statistics.condition, "condition_max_over_abs_min"),
        (found.condition.value, "condition_max_over_abs_min"),
        (f64::from(statistics.determinant_sign), "det_sign"),
        (index as f64, "index"),
        (frobenius, "squared_frobenius"),
    ] {
        let expected = expected[key].as_f64().expect("a number");
        let error = (found - expected).abs() / expected.abs().max(1.0);
        println!("network_like {key:28} {found:+.12e}  error {error:.1e}");
        assert!(error < 1e-12, "{key}: {found} for {expected}");
    }
    let (_, values) = examples.floats("network_like/eigenvalues");
    for (found, expected) in eigenvalues.iter().zip(values) {
        assert!((found - expected).abs() < 1e-12 * statistics.min.abs());
    }
}

/// Negative eigenvalues at every threshold, and the other counts; the verdict at a gradient that
/// is not small, and at one that is.
struct Signs {
    visited: usize,
}

impl CaseVisitor for Signs {
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        let config = CriticalConfig::new().with_dense_limit(2500);
        let found = critical_point(&case.model, &case.risk(), &config).expect("a verdict");
        let eigenvalues = found.eigenvalues.as_ref().expect("all eigenvalues");
        let largest = case.scalar(&["lambda_max"]);
        let thresholds = case.scalars()["n_negative_at"]
            .as_object()
            .expect("a table");
        assert_eq!(thresholds.len(), 6);
        for (threshold, expected) in thresholds {
            let relative: f64 = threshold.parse().expect("a number");
            let inertia = Inertia::of(eigenvalues, relative * largest);
            let expected = expected.as_u64().expect("a count");
            println!(
                "{case:28} n_negative at {threshold:6}: {}",
                inertia.negative
            );
            assert_eq!(inertia.negative as u64, expected, "{case} at {threshold}");
        }
        // What the verdict itself counts: 1e-8 of the largest, which is more than the error.
        let inertia = found.inertia.expect("all eigenvalues");
        let counts = [
            (inertia.negative, "n_negative"),
            (inertia.zero, "n_near_zero"),
            (inertia.positive, "n_positive"),
        ];
        assert!(found.zero_threshold <= 1.000_001e-8 * largest, "{case}");
        for (found, key) in counts {
            assert!(
                (found as f64 - case.scalar(&[key])).abs() < 0.5,
                "{case} {key}"
            );
        }
        let norm = case.scalar(&["grad_norm"]);
        assert!((found.gradient.norm - norm).abs() <= 1e-12 * norm);
        let kind = if norm == 0.0 {
            CriticalKind::Saddle
        } else {
            CriticalKind::NotCritical
        };
        assert_eq!(found.kind, kind, "{case}: {found}");
        assert_eq!(found.escape.is_some(), inertia.negative > 0);
        self.visited += 1;
    }
}

#[test]
fn inertia_of_every_fixture_is_that_of_pytorch_at_every_threshold() {
    let mut signs = Signs { visited: 0 };
    for_each_case(&mut signs);
    assert_eq!(signs.visited, 10);
}

#[test]
fn saddle_at_zero_has_index_3_and_a_way_down_from_it() {
    let case = Case::<Saddle>::load("zero");
    let risk = case.risk();
    for config in [
        CriticalConfig::new(),
        CriticalConfig::new().with_dense_limit(0),
    ] {
        let found = critical_point(&case.model, &risk, &config).expect("a verdict");
        assert_eq!(found.kind, CriticalKind::Saddle, "{found}");
        let lambda = case.scalar(&["lambda_min"]);
        assert!((found.min.value / lambda - 1.0).abs() < 1e-12);
        assert!(found.index.at_least >= 1 && found.index.at_least <= 3);
        assert_eq!(found.index.exact().is_some(), config.dense_limit > 0);
        let escape = found.escape.expect("a saddle has one");
        let step =
            follow_escape(&case.model, &risk, &escape, &EscapeConfig::new()).expect("a step");
        println!(
            "{case}: {:.3} down by {:.3e} where {:.3e} is predicted",
            step.length, step.decrease, step.predicted_decrease
        );
        assert!(step.falls && step.decrease >= 0.5 * step.predicted_decrease);
        // A short step obeys the quadratic model: the next term, of third order, vanishes by the
        // symmetry of the two layers at zero, and leaves one of the square of the length.
        let short = EscapeConfig::new()
            .with_first_length(Some(1e-3))
            .with_max_halvings(0);
        let step = follow_escape(&case.model, &risk, &escape, &short).expect("a step");
        assert!((step.predicted_decrease / (-0.5e-6 * lambda) - 1.0).abs() < 1e-12);
        assert!((step.decrease / step.predicted_decrease - 1.0).abs() < 1e-5);
    }
    // Beside the saddle the gradient is not small, and the same direction goes down.
    let case = Case::<Saddle>::load("perturbed");
    let found = critical_point(&case.model, &case.risk(), &CriticalConfig::new());
    let found = found.expect("a verdict");
    assert_eq!(
        (found.kind, found.index.exact()),
        (CriticalKind::NotCritical, Some(3))
    );
}
