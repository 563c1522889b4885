//! Directions: how they are made, what their records say, and the plane through three models.

mod layers;
mod normalisation;
mod rescaling;

use burn::module::{Module, Param};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use burn::tensor::{DType, Device, FloatDType, Tensor, TensorData};
use landscape::direction::{
    Direction, DirectionKind, DirectionStep, Normalization, NormalizeConfig, PlaneBasis,
    ascent_direction, between, eigenvector_directions, gradient_direction, orthogonalize, plane_of,
};
use landscape::sharpness::{Ball, Scale, sam_peak};
use landscape::spectrum::Which;
use landscape::{
    Error, Grid, Hessian, LanczosConfig, ParameterSpace, Risk, cast, download, line, norm, plane,
    random_direction, random_directions,
};

/// A model that is its parameters: one for several modules of tests, for each of which all that
/// measures a model would be compiled.
#[derive(Module, Debug)]
pub(crate) struct Point {
    pub(crate) at: Param<Tensor<1>>,
}

pub(crate) fn vector(values: &[f64]) -> Tensor<1> {
    Tensor::from_data(
        TensorData::new(values.to_vec(), [values.len()]),
        (&Device::flex(), DType::F64),
    )
}

pub(crate) fn point(values: &[f64]) -> Point {
    Point {
        at: Param::from_tensor(vector(values)),
    }
}

/// L(w) = Σ k_i w_i² / 2 with k = 1, 4, 9 ..
fn bowl(dim: u32) -> Risk<Point, Tensor<1>> {
    let curvature: Vec<f64> = (1..=dim).map(|i| f64::from(i * i)).collect();
    Risk::mean([vector(&curvature)], |model: &Point, k: &Tensor<1>| {
        (model.at.val().powi_scalar(2) * k.clone()).sum() * 0.5
    })
    .without_reduction_check()
}

fn dot(a: &Tensor<1>, b: &Tensor<1>) -> f64 {
    download(a)
        .iter()
        .zip(download(b))
        .map(|(a, b)| a * b)
        .sum()
}

#[test]
fn orthogonal_direction_is_at_a_right_angle_whatever_the_other_ones_norm() {
    let model = LinearConfig::new(30, 20).init(&Device::flex());
    let space = ParameterSpace::of(&cast(&model, FloatDType::F64).unwrap()).unwrap();
    for length in [1e-6, 1.0, 24.0, 1e6] {
        let [first, second] = random_directions(&space, 1);
        let first = first.mul_scalar(length);
        let found = orthogonalize(&space.domain, &second, &first).unwrap();
        let cosine = dot(&found, &first) / norm(&download(&found)) / norm(&download(&first));
        // A projection that is not divided by the squared norm gives a cosine of almost -1 or of
        // the raw directions' own.
        assert!(cosine.abs() < 1e-15, "{cosine}");
        // What was taken away is along the first, and small for random directions.
        let rest = second.clone() - found.clone();
        let along = dot(&rest, &first) / norm(&download(&rest)) / norm(&download(&first));
        assert!((along.abs() - 1.0).abs() < 1e-12);
        assert!(dot(&found, &second) > 0.9 * dot(&second, &second));
    }
}

#[test]
fn random_directions_are_gaussian_and_not_uniform() {
    let model = LinearConfig::new(400, 250)
        .with_bias(false)
        .init(&Device::flex());
    let space = ParameterSpace::of(&cast(&model, FloatDType::F64).unwrap()).unwrap();
    for direction in random_directions(&space, 8) {
        let entries = download(&direction);
        let n = f64::from(100_000);
        let moment = |k: i32| entries.iter().map(|x| x.powi(k)).sum::<f64>() / n;
        // Five standard errors of the moments 0, 1 and 3, whose variances are 1, 2 and 96. The
        // fourth is 1.8 for uniform numbers of variance 1, and 0.2 for those in [-1, 1].
        assert!(moment(1).abs() < 5.0 * (1.0 / n).sqrt());
        assert!((moment(2) - 1.0).abs() < 5.0 * (2.0 / n).sqrt());
        assert!((moment(4) - 3.0).abs() < 5.0 * (96.0 / n).sqrt());
    }
}

#[test]
fn record_says_what_was_done_in_which_order() {
    let model = LinearConfig::new(3, 4).init(&Device::flex());
    let space = ParameterSpace::of(&model).unwrap();
    let by_filter = NormalizeConfig::new();
    let to_one = NormalizeConfig::new().with_normalization(Normalization::Global);
    let first = Direction::random(&space, 4, 0);
    let [expected, other] = random_directions(&space, 4);
    assert_eq!(download(&first.vector), download(&expected));
    assert_eq!(
        download(&Direction::random(&space, 4, 1).vector),
        download(&other)
    );
    let second = || Direction::random(&space, 4, 1);
    assert_eq!(second().info.seed(), Some(4));
    assert_eq!(second().info.normalisation(), None);
    assert!(!second().info.is_orthogonalised());

    let after = second().normalized(&space, &model, &by_filter).unwrap();
    let after = after.orthogonal_to(&space.domain, &first).unwrap();
    assert!(after.info.is_orthogonalised());
    assert_eq!(after.info.normalisation(), Some(&by_filter));
    assert!(matches!(
        &after.info.steps[..],
        [DirectionStep::Normalised(_), DirectionStep::Orthogonalised { against }]
            if **against == first.info
    ));
    // Filters scaled afterwards have other angles, a common factor has not.
    let before = second().orthogonal_to(&space.domain, &first).unwrap();
    let scaled = before.clone().normalized(&space, &model, &to_one).unwrap();
    assert!(scaled.info.is_orthogonalised());
    let before = before.normalized(&space, &model, &by_filter).unwrap();
    assert!(!before.info.is_orthogonalised());
    assert!(dot(&before.vector, &first.vector).abs() > 1e-3);

    let given = Direction::given("toward a solution", vector(&[1.0]));
    assert_eq!(given.info.to_string(), "toward a solution");
}

#[test]
fn gradient_points_uphill_with_unit_norm() {
    let model = point(&[3.0, -1.0]);
    let found = gradient_direction(&model, &bowl(2)).unwrap();
    // g = (3, -4).
    let expected = [0.6, -0.8];
    for (found, expected) in download(&found.vector).iter().zip(expected) {
        assert!((found - expected).abs() < 1e-15);
    }
    assert_eq!(found.info.kind, DirectionKind::Gradient { norm: 5.0 });
    let step = 1e-5;
    let slice = line(&model, &bowl(2), &found.vector, &[-step, step]).unwrap();
    let slope = (slice.loss[1] - slice.loss[0]) / (2.0 * step);
    // Central differences of a quadratic: rounding of a loss of 6.5 over the step alone.
    assert!((slope - 5.0).abs() < 1e-9);
    let flat = gradient_direction(&point(&[0.0, 0.0]), &bowl(2)).unwrap_err();
    assert_eq!(
        flat.to_string(),
        "the gradient is zero; it gives no direction"
    );
}

#[test]
fn ascent_leads_to_sams_peak_at_coordinate_one() {
    let model = point(&[3.0, -1.0]);
    for ball in [
        Ball::l2(0.5),
        Ball::l_inf(0.1),
        Ball::l2(0.5).with_scale(Scale::ASAM),
    ] {
        let found = ascent_direction(&model, &bowl(2), &ball).unwrap();
        let peak = sam_peak(&model, &bowl(2), &ball).unwrap();
        assert_eq!(download(&found.vector), download(&peak.displacement));
        let slice = line(&model, &bowl(2), &found.vector, &[1.0]).unwrap();
        assert!((slice.loss[0] - peak.sharpness.peak_loss).abs() < 1e-13);
        assert!(matches!(found.info.kind, DirectionKind::Ascent { ball: of, .. } if of == ball));
    }
    let zero = ascent_direction(&point(&[0.0, 0.0]), &bowl(2), &Ball::l2(0.5)).unwrap_err();
    assert!(matches!(zero, Error::NoDirection { .. }));
    assert!(ascent_direction(&model, &bowl(2), &Ball::l2(f64::NAN)).is_err());
}

#[test]
fn second_derivative_along_an_eigenvector_is_its_eigenvalue() {
    let model = point(&[0.3, -0.2, 0.1]);
    let risk = bowl(3);
    let hessian = Hessian::at(&model, &risk).unwrap();
    let config = LanczosConfig::new().with_which(Which::LargestMagnitude);
    let found = eigenvector_directions(&hessian, 2, &config).unwrap();
    for (direction, expected) in found.iter().zip([9.0, 4.0]) {
        let DirectionKind::Eigenvector {
            value,
            residual,
            converged,
            ..
        } = direction.info.kind
        else {
            panic!("{:?}", direction.info);
        };
        assert!(converged && residual < 1e-9 && (value - expected).abs() < 1e-9);
        let slice = line(&model, &risk, &direction.vector, &[-1.0, 0.0, 1.0]).unwrap();
        // Exact for a quadratic.
        let second = slice.loss[0] - 2.0 * slice.loss[1] + slice.loss[2];
        assert!((second - expected).abs() < 1e-9, "{second}");
    }
    assert!(dot(&found[0].vector, &found[1].vector).abs() < 1e-9);
}

#[test]
fn plane_through_three_models_meets_them_in_either_basis() {
    let at = [[1.0, 2.0, -1.0], [4.0, 6.0, -1.0], [2.0, 0.5, 3.0]];
    let models = at.map(|at| point(&at));
    let models = [&models[0], &models[1], &models[2]];
    let risk = bowl(3);
    for basis in [PlaneBasis::Models, PlaneBasis::Orthonormal] {
        let found = plane_of(models, basis).unwrap();
        let [first, second] = &found.directions;
        for (model, [a, b]) in models.iter().zip(found.models) {
            let grid = Grid {
                a: vec![a],
                b: vec![b],
            };
            let directions = [&first.vector, &second.vector];
            let loss = plane(models[0], &risk, directions, &grid).unwrap().loss[0];
            assert!((loss / risk.value(model).unwrap() - 1.0).abs() < 1e-13);
        }
        for (number, expected) in [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]].into_iter().enumerate() {
            let weights = found.between(found.models[number]);
            assert!((weights[0] - expected[0]).abs() + (weights[1] - expected[1]).abs() < 1e-14);
        }
        assert_eq!(found.differs, None);
        if basis == PlaneBasis::Orthonormal {
            assert!(dot(&first.vector, &second.vector).abs() < 1e-15);
            let distance = found.models[1][0].hypot(found.models[1][1]);
            assert!((distance - 5.0).abs() < 1e-14);
            let [[a, b], [c, d]] = [found.models[1], found.models[2]];
            let apart: f64 = at[1].iter().zip(at[2]).map(|(x, y)| (x - y).powi(2)).sum();
            assert!((((a - c).powi(2) + (b - d).powi(2)) / apart - 1.0).abs() < 1e-13);
        }
    }
}

#[test]
fn plane_says_which_tensor_its_directions_do_not_move() {
    let device = Device::flex().autodiff();
    let made = |seed: f64| -> BatchNorm {
        let model: BatchNorm = BatchNormConfig::new(2).init(&device);
        let space = ParameterSpace::of(&model).unwrap();
        let weights = [1.0, seed, seed * seed, 0.5];
        space
            .unflatten(&model, &space.domain.upload(&weights).unwrap())
            .unwrap()
    };
    let models = [made(1.0), made(2.0), made(3.0)];
    let [a, b, c] = &models;
    assert_eq!(
        plane_of([a, b, c], PlaneBasis::Models).unwrap().differs,
        None
    );
    c.forward(Tensor::<2>::from_floats([[1.0, 2.0], [3.0, 9.0]], &device));
    let differs = plane_of([a, b, c], PlaneBasis::Models).unwrap().differs;
    assert_eq!(differs.as_deref(), Some("running_mean"));
}

#[test]
fn models_that_span_no_plane_are_errors() {
    let a = point(&[1.0, 2.0, 3.0]);
    let b = point(&[2.0, 4.0, 6.0]);
    let c = point(&[0.1, 0.2, 0.3]);
    let off = point(&[1.0, 0.0, 0.0]);
    let nan = point(&[1.0, f64::NAN, 0.0]);
    let of = |models: [&Point; 3]| {
        plane_of(models, PlaneBasis::Models)
            .expect_err("no plane")
            .to_string()
    };
    assert!(of([&a, &a, &off]).contains("they are equal"));
    assert!(of([&a, &off, &a]).contains("they are equal"));
    assert!(of([&a, &b, &c]).contains("on one line"));
    assert!(of([&a, &off, &nan]).contains("`at` of model 2 has a NaN"));
    let short = plane_of([&a, &off, &point(&[1.0, 2.0])], PlaneBasis::Orthonormal);
    let short = short.unwrap_err();
    assert!(
        matches!(&short, Error::AnotherModule { path, .. } if path == "at"),
        "{short}"
    );
    let space = ParameterSpace::of(&a).unwrap();
    let error = between(&space, &a, &nan).unwrap_err();
    assert!(
        error.to_string().contains("`at` of the second model"),
        "{error}"
    );
}

#[derive(Module, Debug)]
struct Deep {
    layers: Vec<Linear>,
}

#[test]
fn models_of_other_depth_are_errors_that_name_the_parameter() {
    let deep = |layers: usize| Deep {
        layers: (0..layers)
            .map(|_| LinearConfig::new(3, 3).init(&Device::flex()))
            .collect(),
    };
    let (two, three, other) = (deep(2), deep(3), deep(2));
    for models in [[&two, &three, &other], [&three, &two, &two]] {
        let error = plane_of(models, PlaneBasis::Models).unwrap_err();
        assert!(
            matches!(&error, Error::AnotherModule { path, .. } if path == "layers.2.weight"),
            "{error}"
        );
    }
}

#[test]
fn parallel_and_zero_directions_cannot_be_made_orthogonal() {
    let space = ParameterSpace::of(&point(&[0.0; 4])).unwrap();
    let direction = random_direction(&space, 3);
    for (other, says) in [
        (direction.clone().mul_scalar(-3.0), "parallel"),
        (direction.clone().mul_scalar(0.0), "zero"),
        (direction.clone().mul_scalar(f64::NAN), "not finite"),
    ] {
        let error = orthogonalize(&space.domain, &direction, &other).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
    }
    let short = orthogonalize(&space.domain, &vector(&[1.0]), &direction).unwrap_err();
    assert!(matches!(
        short,
        Error::Length {
            expected: 4,
            found: 1,
            ..
        }
    ));
}
