//! Critical points of functions known in closed form, and of operators of known spectrum.

use burn::module::{Module, Param};
use burn::tensor::{DType, Device, FloatDType, Tensor, TensorData};
use landscape::critical::{
    CriticalConfig, CriticalKind, CriticalPoint, Escape, EscapeConfig, classify, critical_point,
    critical_point_of, follow_escape,
};
use landscape::operator::{Dense, LinearOperator};
use landscape::{DifferenceConfig, Domain, Error, Hessian, Method, Risk, download};
use proptest::prelude::*;

#[derive(Module, Debug)]
struct Point {
    at: Param<Tensor<1>>,
}

fn vector(values: &[f64]) -> Tensor<1> {
    let data = TensorData::new(values.to_vec(), [values.len()]);
    Tensor::from_data(data, (&Device::flex(), DType::F64))
}

fn point(values: &[f64]) -> Point {
    Point {
        at: Param::from_tensor(vector(values)),
    }
}

/// A risk over one example, whose value is `scale`, which multiplies the function.
fn risk(
    scale: f64,
    function: impl Fn(Tensor<1>) -> Tensor<1> + Send + Sync + 'static,
) -> Risk<Point, Tensor<1>> {
    Risk::mean(
        [vector(&[scale])],
        move |model: &Point, scale: &Tensor<1>| function(model.at.val()) * scale.clone().mean(),
    )
}

fn coordinate(at: &Tensor<1>, index: usize) -> Tensor<1> {
    at.clone().slice_dim(0, index..index + 1)
}

/// `½ Σ λᵢ xᵢ²`.
fn quadratic(lambda: Vec<f64>, scale: f64) -> Risk<Point, Tensor<1>> {
    risk(scale, move |at| {
        let lambda = vector(&lambda).to_device(&at.device());
        (at.powi_scalar(2) * lambda).sum().mul_scalar(0.5)
    })
}

/// `x³ − 3xy²`, the monkey's saddle.
fn monkey(at: Tensor<1>) -> Tensor<1> {
    let (x, y) = (coordinate(&at, 0), coordinate(&at, 1));
    x.clone().powi_scalar(3) - (x * y.powi_scalar(2)).mul_scalar(3.0)
}

/// `x⁴ / 4 − x² / 2 + slope · x`: the double well, tilted.
fn double_well(slope: f64) -> Risk<Point, Tensor<1>> {
    risk(1.0, move |x| {
        x.clone().powi_scalar(4).mul_scalar(0.25) - x.clone().powi_scalar(2).mul_scalar(0.5)
            + x.mul_scalar(slope)
    })
}

fn measured(at: &[f64], risk: &Risk<Point, Tensor<1>>) -> CriticalPoint {
    critical_point(&point(at), risk, &CriticalConfig::new())
        .expect("what the test sets up is valid")
}

/// No dense spectrum, so that the ways of large problems are taken.
fn as_large() -> CriticalConfig {
    CriticalConfig::new().with_dense_limit(0)
}

/// The rows of a diagonal matrix between three reflections: a full matrix of known spectrum.
fn rotated(values: &[f64], seed: u32) -> Vec<f64> {
    let dim = values.len();
    let mut rows = vec![0.0; dim * dim];
    for (i, value) in values.iter().enumerate() {
        rows[i * dim + i] = *value;
    }
    for reflection in 0..3 {
        let mut u: Vec<f64> = (0..dim)
            .map(|i| (f64::from(seed) + 1.3 * reflection as f64 + 0.77 * (i * i) as f64).sin())
            .collect();
        let length = u.iter().map(|x| x * x).sum::<f64>().sqrt();
        u.iter_mut().for_each(|x| *x /= length);
        // (I − 2uuᵀ) A (I − 2uuᵀ), from the left and from the right.
        for _ in 0..2 {
            let mut transposed = vec![0.0; dim * dim];
            for j in 0..dim {
                let product: f64 = (0..dim).map(|i| u[i] * rows[i * dim + j]).sum();
                for i in 0..dim {
                    transposed[j * dim + i] = rows[i * dim + j] - 2.0 * u[i] * product;
                }
            }
            rows = transposed;
        }
    }
    rows
}

fn operator(values: &[f64], seed: u32, dtype: DType) -> Dense {
    Dense::new(&rotated(values, seed), (&Device::flex(), dtype))
        .expect("what the test sets up is valid")
}

#[test]
fn verdicts_are_those_of_the_closed_form() {
    use CriticalKind::{Degenerate, LocalMaximum, LocalMinimum, NotCritical, Saddle};
    for (lambda, kind, index) in [
        (vec![1.0, 3.0], LocalMinimum, 0),
        (vec![-1.0, -3.0], LocalMaximum, 2),
        (vec![2.0, -2.0], Saddle, 1),
        // Zeros do not unmake a saddle, and leave everything else open.
        (vec![2.0, -2.0, 0.0], Saddle, 1),
        (vec![2.0, 0.0], Degenerate, 0),
        (vec![-2.0, 0.0], Degenerate, 1),
        (vec![0.0, 0.0], Degenerate, 0),
    ] {
        let at = vec![0.0; lambda.len()];
        // A verdict does not depend on the unit of the loss.
        for scale in [1.0, 1e-9, 1e9] {
            let found = measured(&at, &quadratic(lambda.clone(), scale));
            assert_eq!(found.kind, kind, "{lambda:?}: {found}");
            assert_eq!(found.index.exact(), Some(index), "{lambda:?}");
            assert_eq!(found.gradient.newton_decrease, Some(0.0));
            assert_eq!(found.escape.is_some(), index > 0);
        }
    }
    let found = measured(&[0.5, 0.0], &quadratic(vec![1.0, 3.0], 1.0));
    assert_eq!(found.kind, NotCritical, "{found}");
    assert!(
        found
            .to_string()
            .contains("not critical: the gradient's norm 5.00e-1")
    );
}

#[test]
fn monkeys_saddle_is_degenerate_and_has_no_escape_direction() {
    let found = measured(&[0.0, 0.0], &risk(1.0, monkey));
    assert_eq!(found.kind, CriticalKind::Degenerate, "{found}");
    assert_eq!(
        found.inertia.expect("what the test sets up is valid").zero,
        2
    );
    assert!(found.escape.is_none() && found.condition.error.is_infinite());
    // Beside it the Hessian is [[6x, -6y], [-6y, -6x]], and the gradient is not small.
    let found = measured(&[0.5, 0.0], &risk(1.0, monkey));
    assert_eq!(found.kind, CriticalKind::NotCritical);
    assert!((found.max.value - 3.0).abs() < 1e-14 && (found.min.value + 3.0).abs() < 1e-14);
}

#[test]
fn newton_decrease_of_a_quadratic_bowl_is_its_loss() {
    // ½ gᵀH⁻¹g = ½ xᵀHx, above the limit of the dense spectrum too: Gauss quadrature with as many
    // steps as there are eigenvalues is exact.
    let lambda = vec![1.0, 2.0, 5.0, 0.5];
    let at = [0.5, -1.0, 0.25, 2.0];
    let risk = quadratic(lambda.clone(), 1.0);
    for config in [CriticalConfig::new(), as_large()] {
        let found =
            critical_point(&point(&at), &risk, &config).expect("what the test sets up is valid");
        let gradient = &found.gradient;
        assert!(
            (gradient
                .newton_decrease
                .expect("what the test sets up is valid")
                / found.loss
                - 1.0)
                .abs()
                < 1e-12
        );
        assert_eq!(gradient.flat_norm, Some(0.0));
        assert!(!gradient.is_small());
        // 1e-6 · ‖H‖ · (1 + ‖θ‖).
        let length = 1.0 + at.iter().map(|x| x * x).sum::<f64>().sqrt();
        assert!((gradient.limit / (1e-6 * 5.0 * length) - 1.0).abs() < 1e-12);
    }
    // Along a flat direction there is no step to speak of: L = x²/2 + y at the origin.
    let tilted = self::risk(1.0, |at| {
        coordinate(&at, 0).powi_scalar(2).mul_scalar(0.5) + coordinate(&at, 1)
    });
    let found = measured(&[0.0, 0.0], &tilted);
    assert_eq!(found.gradient.newton_decrease, Some(0.0));
    assert!(
        (found
            .gradient
            .flat_norm
            .expect("what the test sets up is valid")
            - 1.0)
            .abs()
            < 1e-15
    );
}

#[test]
fn condition_number_has_the_error_of_both_ends() {
    // Of 300 eigenvalues from 1 to 10 none is resolved by ten steps.
    let values: Vec<f64> = (0..300).map(|i| 1.0 + 9.0 * f64::from(i) / 299.0).collect();
    let op = operator(&values, 5, DType::F64);
    for (config, certain) in [
        (CriticalConfig::new(), 1e-11),
        (as_large().with_max_steps(12).with_starts(0), 5.0),
    ] {
        let found = classify(&op, 0.0, 0.0, &config).expect("what the test sets up is valid");
        let error = (found.condition.value - 10.0).abs();
        assert!(error < certain, "{error}");
        if config.dense_limit > 0 {
            assert!(error <= found.condition.error && found.condition.error < 1e-10);
        } else {
            assert!(found.condition.error > 1e-3);
        }
    }
}

#[test]
fn bowl_above_the_dense_limit_is_a_minimum_where_its_steps_reach_and_undecided_elsewhere() {
    let bowl = |low: f64, sign: f64| -> Vec<f64> {
        (0..300_i32)
            .map(|i| sign * (low + f64::from(i) / 299.0))
            .collect()
    };
    let found = |values: &[f64], config: &CriticalConfig| {
        classify(&operator(values, 3, DType::F64), 0.0, 0.0, config)
            .expect("what the test sets up is valid")
    };
    let minimum = found(&bowl(0.5, 1.0), &as_large());
    assert_eq!(minimum.kind, CriticalKind::LocalMinimum, "{minimum}");
    assert_eq!((minimum.index.at_least, minimum.index.at_most), (0, 250));
    assert!(minimum.range[0] <= 0.5 && minimum.range[1] >= 1.5);
    let maximum = found(&bowl(0.5, -1.0), &as_large());
    assert_eq!(maximum.kind, CriticalKind::LocalMaximum, "{maximum}");
    // A bottom of 1e-6 is beyond 50 steps, and without starts nothing is known of what was missed.
    let flat = found(&bowl(1e-6, 1.0), &as_large());
    assert_eq!(flat.kind, CriticalKind::Undecided, "{flat}");
    let blind = found(&bowl(0.5, 1.0), &as_large().with_starts(0));
    assert_eq!(blind.kind, CriticalKind::Undecided, "{blind}");
    assert!(blind.index.estimate.is_none() && blind.range == [f64::NEG_INFINITY, f64::INFINITY]);
    // Its dense spectrum decides.
    let flat = found(&bowl(1e-6, 1.0), &CriticalConfig::new());
    assert_eq!(flat.kind, CriticalKind::LocalMinimum, "{flat}");
}

#[test]
fn index_above_the_dense_limit_is_bounded_and_estimated() {
    // A spread of 240 positive and 160 negative eigenvalues.
    let values: Vec<f64> = (0..400).map(|i| f64::from(i - 160) + 0.5).collect();
    let op = operator(&values, 8, DType::F64);
    let found = classify(&op, 0.0, 0.0, &as_large()).expect("what the test sets up is valid");
    assert_eq!(found.kind, CriticalKind::Saddle, "{found}");
    let index = found.index;
    assert!((15..=160).contains(&index.at_least) && (160..=385).contains(&index.at_most));
    let estimate = index.estimate.expect("what the test sets up is valid");
    // Four standard errors of ten starts, and what each quadrature may be off by.
    let [low, high] = index
        .quadrature_bounds
        .expect("what the test sets up is valid");
    assert!(low <= estimate.mean && estimate.mean <= high && high - low < 80.0);
    assert!(low - 4.0 * estimate.standard_error <= 160.0);
    assert!(high + 4.0 * estimate.standard_error >= 160.0);
    assert!((estimate.mean - 160.0).abs() < 4.0 * estimate.standard_error);
    // As many steps as there are eigenvalues leave nothing open.
    let found = classify(&op, 0.0, 0.0, &as_large().with_steps(400).with_starts(1))
        .expect("what the test sets up is valid");
    assert_eq!(found.index.exact(), Some(160));
}

/// A Hessian of unknown kind is never called one with more negative eigenvalues than it has.
fn assert_bounds_hold(values: &[f64], seed: u32, dtype: DType, config: &CriticalConfig) {
    let found = classify(&operator(values, seed, dtype), 0.0, 0.0, config)
        .expect("what the test sets up is valid");
    let largest = values.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
    let threshold = found.zero_threshold;
    let index = values.iter().filter(|x| **x < -threshold).count();
    assert!(found.index.at_least <= index, "{:?} {index}", found.index);
    assert!(found.index.at_most >= index, "{:?} {index}", found.index);
    // Of those that are zero none is called negative, nor, where not all are known, positive.
    let negative = values.iter().filter(|x| **x < 0.0).count();
    let positive = values.iter().filter(|x| **x > 0.0).count();
    assert!(
        found.index.at_least <= negative,
        "{:?} {negative}",
        found.index
    );
    let certified = match found.inertia {
        Some(inertia) => inertia.positive,
        None => values.len() - found.index.at_most,
    };
    assert!(certified <= positive, "{:?} {positive}", found.index);
    let smallest = values.iter().copied().fold(f64::INFINITY, f64::min);
    let rounding = match dtype {
        DType::F64 => 1e-13,
        _ => 1e-5,
    };
    assert!(found.range[0] <= smallest + rounding * largest);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn certified_bounds_of_the_index_hold_for_any_spectrum(
        kinds in prop::collection::vec(0_u8..6, 20..70),
        sizes in prop::collection::vec(-1.0..1.0_f64, 70),
        seed in 0_u32..1000,
        steps in 3_usize..40,
        single in any::<bool>(),
    ) {
        // Zeros, copies, clusters, eigenvalues at the level of rounding, and any others.
        let values: Vec<f64> = kinds.iter().zip(&sizes).map(|(kind, size)| match kind {
            0 => 0.0,
            1 => -1.0,
            2 => 1e-17 * size,
            3 => -0.5 + 1e-9 * size,
            4 => 1e-8 * size,
            _ => *size,
        }).collect();
        let dtype = if single { DType::F32 } else { DType::F64 };
        let config = as_large().with_steps(steps).with_starts(3).with_max_steps(steps.max(2));
        assert_bounds_hold(&values, seed, dtype, &config);
        assert_bounds_hold(&values, seed, dtype, &CriticalConfig::new());
    }
}

#[test]
fn eigenvalues_that_f32_rounds_to_negative_ones_are_zero() {
    // ½ Σ over 20 examples of (x·w)², in 60 coordinates: 40 eigenvalues are exactly zero.
    let entries: Vec<f64> = (0..20 * 60)
        .map(|i| (f64::from(i * i) * 0.37).sin())
        .collect();
    let inputs = |dtype: DType| {
        let data = TensorData::new(entries.clone(), [20, 60]).convert_dtype(dtype);
        Tensor::<2>::from_data(data, (&Device::flex(), dtype))
    };
    let loss = |model: &Point, x: &Tensor<2>| {
        let outputs = x.clone().matmul(model.at.val().unsqueeze_dim(1));
        outputs.powi_scalar(2).mean()
    };
    let single = Point {
        at: Param::from_tensor(vector(&[0.0; 60]).cast(FloatDType::F32)),
    };
    let model = critical_point(
        &single,
        &Risk::mean([inputs(DType::F32)], loss),
        &CriticalConfig::new(),
    )
    .expect("what the test sets up is valid");
    let smallest = model
        .eigenvalues
        .as_ref()
        .expect("what the test sets up is valid")[0];
    assert!(
        smallest < 0.0 && smallest > -1e-5,
        "rounding: {smallest:.1e}"
    );
    assert_eq!(model.kind, CriticalKind::Degenerate, "{model}");
    assert_eq!(model.index.exact(), Some(0));
    assert_eq!(
        model.inertia.expect("what the test sets up is valid").zero,
        40
    );
    let large = critical_point(
        &single,
        &Risk::mean([inputs(DType::F32)], loss),
        &as_large(),
    )
    .expect("what the test sets up is valid");
    assert_eq!(large.index.at_least, 0);
    assert_eq!(large.kind, CriticalKind::Undecided, "{large}");
}

#[test]
fn hessian_by_differences_says_so_and_decides_nothing_across_kinks() {
    let saddle = quadratic(vec![2.0, -2.0], 1.0);
    let hessian = Hessian::by_differences(&point(&[0.0, 0.0]), &saddle, &DifferenceConfig::new())
        .expect("what the test sets up is valid");
    let found = critical_point_of(&hessian, &CriticalConfig::new())
        .expect("what the test sets up is valid");
    assert_eq!(found.kind, CriticalKind::Saddle);
    assert!(matches!(
        found.method,
        Some(Method::CentralDifference { .. })
    ));
    assert!(
        found
            .to_string()
            .ends_with("by differences, which are less certain")
    );
    // Less certain in numbers: a part of the curvature that exact products resolve counts as zero.
    let exact = measured(&[0.0, 0.0], &saddle);
    assert!(found.min.error > 100.0 * exact.min.error);
    // An L1 penalty at zero has no second derivative.
    let kinked = risk(1.0, |at| {
        let penalty = coordinate(&at, 1).abs().mul_scalar(0.01);
        coordinate(&at, 0).powi_scalar(2) + penalty
    });
    let hessian = Hessian::by_differences(&point(&[0.0, 0.0]), &kinked, &DifferenceConfig::new())
        .expect("what the test sets up is valid");
    let found = critical_point_of(&hessian, &CriticalConfig::new())
        .expect("what the test sets up is valid");
    assert_eq!(found.kind, CriticalKind::Undecided, "{found}");
    assert!(found.unresolved > 0 && found.because.contains("kinks"));
}

#[test]
fn step_along_the_escape_direction_of_a_double_well_lowers_its_loss_as_predicted() {
    let (model, risk) = (point(&[0.0]), double_well(0.0));
    let found = critical_point(&model, &risk, &CriticalConfig::new())
        .expect("what the test sets up is valid");
    assert_eq!(found.kind, CriticalKind::LocalMaximum);
    let escape = found.escape.expect("what the test sets up is valid");
    let step = follow_escape(&model, &risk, &escape, &EscapeConfig::new())
        .expect("what the test sets up is valid");
    // From a loss of zero the first length is 1, the minimum: a quarter where the quadratic model
    // says a half, just enough. Two are too far.
    assert!(step.falls);
    assert!((step.length.abs() - 1.0).abs() < 1e-15 && (step.loss_after + 0.25).abs() < 1e-15);
    assert!((step.predicted_decrease - 0.5).abs() < 1e-15 && (step.decrease - 0.25).abs() < 1e-15);
    let space = landscape::ParameterSpace::of(&model).expect("what the test sets up is valid");
    let moved = space
        .displace(&model, &step.displacement)
        .expect("what the test sets up is valid");
    assert_eq!(
        risk.value(&moved).expect("what the test sets up is valid"),
        step.loss_after
    );
    // The share asked for makes it shorter: x⁴/4 is a tenth of x²/2 at √0.2, below 1/2.
    let strict = EscapeConfig::new().with_share(0.9);
    let step =
        follow_escape(&model, &risk, &escape, &strict).expect("what the test sets up is valid");
    assert_eq!(step.length.abs(), 0.25);
    assert!(step.trials.len() >= 4 && step.decrease > 0.9 * step.predicted_decrease);
}

#[test]
fn gradient_chooses_the_sign_of_an_escape_direction() {
    for slope in [0.3, -0.3] {
        let (model, risk) = (point(&[0.0]), double_well(slope));
        let found = critical_point(&model, &risk, &CriticalConfig::new())
            .expect("what the test sets up is valid");
        assert_eq!(found.kind, CriticalKind::NotCritical);
        let escape = found.escape.expect("what the test sets up is valid");
        assert!((escape.slope.expect("what the test sets up is valid") + 0.3).abs() < 1e-15);
        assert_eq!(download(&escape.direction), [-slope.signum()]);
        let step = follow_escape(&model, &risk, &escape, &EscapeConfig::new())
            .expect("what the test sets up is valid");
        assert!(step.falls && step.length > 0.0 && (step.slope + 0.3).abs() < 1e-15);
    }
}

#[test]
fn no_step_is_taken_where_none_lowers_the_loss() {
    // A direction that is said to fall, and rises.
    let (model, risk) = (point(&[0.0]), quadratic(vec![1.0], 1.0));
    let escape = Escape {
        direction: vector(&[1.0]),
        curvature: -1.0,
        residual: 0.0,
        slope: None,
    };
    let step = follow_escape(&model, &risk, &escape, &EscapeConfig::new())
        .expect("what the test sets up is valid");
    assert!(!step.falls && step.length == 0.0 && step.decrease == 0.0);
    assert_eq!(download(&step.displacement), [0.0]);
    assert!(!step.trials.is_empty());
}

/// An operator that is not symmetric.
struct Skew(Domain);

impl LinearOperator for Skew {
    fn domain(&self) -> &Domain {
        &self.0
    }

    fn apply(&self, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
        let mut v = download(v);
        v.rotate_left(1);
        self.0.upload(&v)
    }
}

/// An operator whose products are NaN.
struct Broken(Domain);

impl LinearOperator for Broken {
    fn domain(&self) -> &Domain {
        &self.0
    }

    fn apply(&self, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
        Ok(v.clone() * f64::NAN)
    }
}

#[test]
fn bad_input_is_one_sentence_that_names_it() {
    let op = operator(&[1.0, -1.0, 0.5, 2.0, 3.0], 1, DType::F64);
    let config = CriticalConfig::new;
    for (norm, loss, config, message) in [
        (
            f64::NAN,
            0.0,
            config(),
            "gradient_norm is NaN; it must be finite and not negative",
        ),
        (
            -1.0,
            0.0,
            config(),
            "gradient_norm is -1; it must be finite and not negative",
        ),
        (
            0.0,
            f64::INFINITY,
            config(),
            "loss is inf; it must be finite",
        ),
        (
            0.0,
            0.0,
            config().with_gradient_tolerance(-1.0),
            "gradient_tolerance is -1; it must be from 0 to below 1",
        ),
        (
            0.0,
            0.0,
            config().with_zero_tolerance(f64::NAN),
            "zero_tolerance is NaN; it must be from 0 to below 1",
        ),
        (
            0.0,
            0.0,
            config().with_length(Some(0.0)),
            "length is 0; it must be positive and finite",
        ),
        (
            0.0,
            0.0,
            config().with_max_steps(1),
            "max_steps is 1; it must be at least 2",
        ),
        (
            0.0,
            0.0,
            config().with_steps(0),
            "steps is 0; it must be at least 1",
        ),
        (
            0.0,
            0.0,
            config().with_confidence(1.0),
            "confidence is 1; it must be between 0 and 1",
        ),
        (
            0.0,
            0.0,
            config().with_tolerance(0.0),
            "tolerance is 0; it must be positive and finite",
        ),
    ] {
        let error = classify(&op, norm, loss, &config).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
    let domain = || Domain {
        dim: 5,
        dtype: DType::F64,
        device: Device::flex(),
    };
    for config in [config(), as_large()] {
        let error = classify(&Skew(domain()), 0.0, 0.0, &config).unwrap_err();
        assert!(matches!(error, Error::NotSymmetric { .. }), "{error}");
        let error = classify(&Broken(domain()), 0.0, 0.0, &config).unwrap_err();
        assert!(matches!(error, Error::NonFiniteVector { .. }), "{error}");
    }
    let (model, risk) = (point(&[0.0]), double_well(0.0));
    let escape = |direction: &[f64], curvature| Escape {
        direction: vector(direction),
        curvature,
        residual: 0.0,
        slope: None,
    };
    let follow = |escape: &Escape, config: &EscapeConfig| {
        follow_escape(&model, &risk, escape, config).unwrap_err()
    };
    let error = follow(&escape(&[1.0], 0.5), &EscapeConfig::new());
    assert_eq!(
        error.to_string(),
        "curvature of the escape direction is 0.5; it must be negative"
    );
    let error = follow(&escape(&[1.0, 0.0], -1.0), &EscapeConfig::new());
    assert!(matches!(error, Error::Length { .. }), "{error}");
    let error = follow(&escape(&[0.0], -1.0), &EscapeConfig::new());
    assert!(matches!(error, Error::NoDirection { .. }), "{error}");
    let error = follow(&escape(&[1.0], -1.0), &EscapeConfig::new().with_share(1.0));
    assert_eq!(error.to_string(), "share is 1; it must be between 0 and 1");
}
