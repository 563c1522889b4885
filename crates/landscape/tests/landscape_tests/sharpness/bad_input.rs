//! Settings out of range, models that do not match, losses that are no numbers.

use burn::module::{Module, Param};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use landscape::sharpness::{
    AscentConfig, AverageConfig, Ball, CurvatureConfig, RandomBallConfig, Scale, ScaledTensors,
    SharpnessConfig, adaptive_sam_sharpness, average_sharpness, compare_minima, projected_ascent,
    random_ball, random_ball_along, sam_peak, sam_sharpness, sharpness,
};
use landscape::{Error, Risk};

use super::{Point, point, quadratic, vector};

fn says<T>(found: Result<T, Error>, expected: &str) {
    let message = found.err().expect("it is refused").to_string();
    assert_eq!(message, expected);
}

#[test]
fn radii_that_are_not_positive_and_finite_are_refused() {
    let model = point(&[1.0]);
    let risk = quadratic(&[1.0], &[1.0]);
    for (radius, shown) in [
        (0.0, "0"),
        (-0.1, "-0.1"),
        (f64::NAN, "NaN"),
        (f64::INFINITY, "inf"),
    ] {
        let rho = format!("rho is {shown}; it must be positive and finite");
        says(sam_sharpness(&model, &risk, radius), &rho);
        says(
            adaptive_sam_sharpness(&model, &risk, radius, Scale::ASAM),
            &rho,
        );
        let named = format!("radius is {shown}; it must be positive and finite");
        for ball in [Ball::l2(radius), Ball::l_inf(radius)] {
            says(sam_peak(&model, &risk, &ball), &named);
            says(
                random_ball(&model, &risk, &ball, &RandomBallConfig::new()),
                &named,
            );
            says(
                random_ball_along(&model, &risk, &ball, &[vec![1.0]]),
                &named,
            );
            says(
                projected_ascent(&model, &risk, &ball, &AscentConfig::new()),
                &named,
            );
            let config = SharpnessConfig::new().with_balls(vec![Ball::l2(1.0), ball]);
            says(sharpness(&model, &risk, &config), &named);
            says(compare_minima(&[("a", &model)], &risk, &config), &named);
        }
        let average = AverageConfig::new().with_sigma(radius);
        let sigma = format!("sigma is {shown}; it must be positive and finite");
        says(average_sharpness(&model, &risk, &average), &sigma);
        let config = SharpnessConfig::new().with_averages(vec![average]);
        says(sharpness(&model, &risk, &config), &sigma);
    }
}

#[test]
fn other_settings_out_of_range_are_refused() {
    let model = point(&[1.0]);
    let risk = quadratic(&[1.0], &[1.0]);
    let ball = Ball::l2(0.1);
    says(
        random_ball(
            &model,
            &risk,
            &ball,
            &RandomBallConfig::new().with_directions(0),
        ),
        "number of directions is 0; it must be at least 1",
    );
    says(
        random_ball_along(&model, &risk, &ball, &[]),
        "number of directions is 0; it must be at least 1",
    );
    says(
        average_sharpness(&model, &risk, &AverageConfig::new().with_pairs(0)),
        "number of pairs is 0; it must be at least 1",
    );
    let ascent = |config| projected_ascent(&model, &risk, &ball, &config);
    says(
        ascent(AscentConfig::new().with_max_gradients(0)),
        "max_gradients is 0; it must be at least 1",
    );
    says(
        ascent(AscentConfig::new().with_tolerance(0.0)),
        "tolerance is 0; it must be positive and finite",
    );
    let negative = Scale::Weights {
        eta: -0.01,
        tensors: ScaledTensors::All,
    };
    says(
        adaptive_sam_sharpness(&model, &risk, 0.1, negative),
        "eta is -0.01; it must be zero or more, and finite",
    );
    says(
        random_ball(
            &model,
            &risk,
            &ball.with_scale(negative),
            &RandomBallConfig::new(),
        ),
        "eta is -0.01; it must be zero or more, and finite",
    );
    let none: [(&str, &Point); 0] = [];
    says(
        compare_minima(&none, &risk, &SharpnessConfig::new()),
        "number of models is 0; it must be at least 1",
    );
    let curvature = CurvatureConfig::new().with_zero_tolerance(f64::NAN);
    says(
        sharpness(
            &model,
            &risk,
            &SharpnessConfig::new().with_curvature(Some(curvature)),
        ),
        "zero_tolerance is NaN; it must be zero or more, and below 1",
    );
}

#[test]
fn directions_that_are_none_are_refused() {
    let model = point(&[1.0, 2.0]);
    let risk = quadratic(&[1.0, 0.0, 0.0, 1.0], &[1.0, 1.0]);
    for ball in [Ball::l2(0.1), Ball::l_inf(0.1)] {
        let along = |direction: Vec<f64>| {
            random_ball_along(&model, &risk, &ball, &[vec![1.0, 0.0], direction])
        };
        says(
            along(vec![0.0, 0.0]),
            "the direction is zero; it gives no direction",
        );
        says(
            along(vec![1.0, f64::NAN]),
            "the direction is not finite; it gives no direction",
        );
        says(
            along(vec![1.0]),
            "the direction has 1 entries where 2 are needed",
        );
    }
}

#[derive(Module, Debug)]
struct Layers {
    layers: Vec<Linear>,
}

fn layers(widths: &[usize]) -> Layers {
    let of = |pair: &[usize]| LinearConfig::new(pair[0], pair[1]).init(&Device::flex());
    Layers {
        layers: widths.windows(2).map(of).collect(),
    }
}

#[test]
fn models_of_other_shapes_are_not_compared() {
    let risk = Risk::mean(
        Tensor::<2>::ones([2, 3], &Device::flex()),
        |model: &Layers, x: &Tensor<2>| {
            let last = model
                .layers
                .iter()
                .fold(x.clone(), |x, layer| layer.forward(x));
            last.square().mean()
        },
    );
    let (narrow, wide, deep) = (layers(&[3, 2]), layers(&[3, 4]), layers(&[3, 2, 2]));
    for (a, b) in [(&narrow, &wide), (&narrow, &deep), (&deep, &narrow)] {
        let found = compare_minima(&[("a", a), ("b", b)], &risk, &SharpnessConfig::new());
        let message = found.expect_err("they are refused").to_string();
        assert!(
            message.starts_with("the modules do not match: `layers."),
            "{message}"
        );
    }
}

/// `sign · ln w`, which is NaN where w is negative.
fn logarithm(sign: f64) -> Risk<Point, Tensor<1>> {
    Risk::mean([vector(&[sign])], |model: &Point, sign: &Tensor<1>| {
        model.at.val().log() * sign.clone()
    })
    .without_reduction_check()
}

#[test]
fn losses_that_are_nan_are_marked_and_not_averaged() {
    let model = point(&[0.05]);
    let ball = Ball::l2(0.1);
    let config = RandomBallConfig::new().with_directions(40);
    let found = random_ball(&model, &logarithm(1.0), &ball, &config).unwrap();
    let nan = found.rises.iter().filter(|rise| rise.is_nan()).count();
    assert!(nan > 5 && nan < 35 && found.non_finite == nan);
    assert!(found.worst.is_nan() && found.mean.mean.is_nan());
    assert!(found.mean.standard_error.is_nan() && found.mean.count == 40);
    let average = AverageConfig::new().with_sigma(0.1);
    let found = average_sharpness(&model, &logarithm(1.0), &average).unwrap();
    assert!(found.estimate.mean.is_nan() && found.non_finite > 0);
    // The loss rises to smaller weights, and SAM's step ends beyond zero.
    let found = sam_sharpness(&model, &logarithm(-1.0), 0.1).unwrap();
    assert!(found.value.is_nan() && found.peak_loss.is_nan() && found.loss.is_finite());
    assert!(matches!(
        sam_peak(&model, &logarithm(-1.0), &ball),
        Err(Error::NonFiniteLoss { .. } | Error::NonFiniteVector { .. })
    ));
    let found = projected_ascent(&model, &logarithm(-1.0), &ball, &AscentConfig::new()).unwrap();
    assert!(found.non_finite > 0 && !found.converged);
    // In the table too.
    let config = SharpnessConfig::new()
        .with_balls(vec![ball])
        .with_averages(vec![average]);
    let report = sharpness(&model, &logarithm(-1.0), &config).unwrap();
    let measures = report.measures();
    let of = |name| {
        measures
            .iter()
            .find(|measure| measure.name == name)
            .unwrap()
    };
    for name in [
        "first-order step",
        "mean of directions",
        "worst of directions",
        "average rise",
    ] {
        assert!(of(name).value.is_nan(), "{name}");
    }
    assert!(!of("projected ascent").converged);
}

#[test]
fn infinite_losses_are_marked() {
    // 1 / w² at w = 0.1, displaced by 0.1 to either side: infinite at zero.
    let risk = Risk::mean([vector(&[1.0])], |model: &Point, one: &Tensor<1>| {
        one.clone() / model.at.val().square()
    });
    let found = random_ball_along(
        &point(&[0.1]),
        &risk,
        &Ball::l2(0.1),
        &[vec![1.0], vec![-1.0]],
    )
    .unwrap();
    assert_eq!(found.non_finite, 1);
    assert!(found.worst == f64::INFINITY && found.mean.mean.is_nan());
    assert!((found.rises[0] + 75.0).abs() < 1e-10);
}

#[test]
fn loss_that_is_no_number_at_the_weights_is_an_error() {
    let model = point(&[-1.0]);
    let risk = logarithm(1.0);
    let expected =
        "the loss is NaN at the weights; lower the learning rate or measure an earlier checkpoint";
    says(
        random_ball(&model, &risk, &Ball::l2(0.1), &RandomBallConfig::new()),
        expected,
    );
    says(
        average_sharpness(&model, &risk, &AverageConfig::new()),
        expected,
    );
    let ascent = projected_ascent(&model, &risk, &Ball::l2(0.1), &AscentConfig::new());
    says(ascent, expected);
    assert!(sam_sharpness(&model, &risk, 0.1).is_err());
}

#[test]
fn measures_of_a_model_leave_it_as_it_was() {
    let parameter = vector(&[0.3, -0.4]);
    let model = Point {
        at: Param::from_tensor(parameter.clone()),
    };
    let risk = quadratic(&[1.0, 0.2, 0.2, 2.0], &[0.5, 0.1]);
    sharpness(&model, &risk, &SharpnessConfig::new()).unwrap();
    assert_eq!(model.at.val().to_data(), parameter.to_data());
}
