//! What the functions of `connectivity` refuse, and what they say then.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::optim::SgdConfig;
use burn::tensor::{Device, Tensor};
use landscape::Error;
use landscape::connectivity::{
    BasinConfig, Curve, CurveConfig, PathProfile, Shape, aligned_barriers, average, barriers,
    basin_width, bend_gradient, distances, overlap, profile, train_curve, weighted_average,
};
use landscape::slice::Buffers;

use super::{Point, double_well, go, height, point, vector};

#[derive(Module, Debug)]
struct Pair {
    first: Linear,
    second: Option<Linear>,
}

fn pair(width: usize, second: bool) -> Pair {
    let device = Device::flex();
    Pair {
        first: LinearConfig::new(2, width).init(&device),
        second: second.then(|| LinearConfig::new(2, 1).init(&device)),
    }
}

fn says<T>(found: Result<T, Error>, words: &[&str]) {
    let message = found.map(|_| ()).expect_err("it is refused").to_string();
    for word in words {
        assert!(message.contains(word), "`{message}` lacks `{word}`");
    }
    assert_eq!(message.lines().count(), 1, "{message}");
}

#[test]
fn models_that_differ_in_shape_or_lack_a_parameter_are_refused_with_its_path() {
    let whole = pair(3, true);
    for (a, b) in [(&whole, &pair(4, true)), (&pair(4, true), &whole)] {
        says(
            Curve::between(a, b, Shape::Line),
            &["first.weight", "same configuration"],
        );
        says(average(&[a, b]), &["first.weight"]);
        says(distances(&[a, b], None), &["first.weight"]);
    }
    let less = pair(3, false);
    for (a, b) in [(&whole, &less), (&less, &whole)] {
        says(Curve::between(a, b, Shape::Bezier), &["second.weight"]);
        says(average(&[a, b]), &["second.weight"]);
        says(distances(&[a, b], None), &["second.weight"]);
    }
    let curve = Curve::between(&whole, &pair(3, true), Shape::Bezier).unwrap();
    says(curve.with_bends(&[&less]), &["second.weight"]);
}

#[test]
fn ends_that_are_equal_or_no_numbers_are_refused() {
    let (a, nan) = (point(&[1.0, 2.0]), point(&[1.0, f64::NAN]));
    says(
        Curve::between(&a, &a, Shape::Line),
        &["equal", "another model"],
    );
    says(Curve::between(&a, &a.clone(), Shape::Bezier), &["equal"]);
    says(
        Curve::between(&a, &nan, Shape::Line),
        &["`at` of model 1", "NaN"],
    );
    says(Curve::between(&nan, &a, Shape::Line), &["`at` of model 0"]);
    says(average(&[&a, &a, &nan]), &["model 2"]);
    says(distances(&[&nan, &a], None), &["model 0"]);
    let curve = Curve::between(&a, &point(&[0.0, 0.0]), Shape::Bezier).unwrap();
    says(curve.with_bends(&[&nan]), &["`at`", "NaN"]);
    // Numbers, but the loss at an end is none.
    let risk = height(|x| x.log().sum());
    let line = Curve::between(&point(&[2.0]), &point(&[-1.0]), Shape::Line).unwrap();
    says(
        profile(&line, &risk, &Buffers::Keep, &[0.5]),
        &["NaN", "second model"],
    );
}

#[test]
fn shapes_points_and_thresholds_out_of_range_are_refused() {
    let (a, b) = (point(&[1.0]), point(&[2.0]));
    says(
        Curve::between(&a, &b, Shape::Chain { bends: 0 }),
        &["bends", "0", "at least 1"],
    );
    let curve = Curve::between(&a, &b, Shape::Bezier).unwrap();
    for t in [-1e-9, 1.0 + 1e-9, f64::NAN, f64::INFINITY] {
        says(curve.at(t), &["t is", "between 0 and 1"]);
        says(curve.theta(t), &["between 0 and 1"]);
        says(curve.lengths(&[0.5, t]), &["between 0 and 1"]);
        says(
            profile(&curve, &double_well(), &Buffers::Keep, &[t]),
            &["between 0 and 1"],
        );
        says(
            bend_gradient(&curve, &double_well(), &[t]),
            &["between 0 and 1"],
        );
    }
    says(bend_gradient(&curve, &double_well(), &[]), &["at least 1"]);
    for t in [[0.5, 0.2], [0.5, 0.5]] {
        says(
            profile(&curve, &double_well(), &Buffers::Keep, &t),
            &["ascending"],
        );
    }
    says(curve.clone().with_bends(&[]), &["list of bends", "1"]);
    let path = profile(&curve, &double_well(), &Buffers::Keep, &[]).unwrap();
    assert_eq!(path.t, [0.0, 1.0]);
    for threshold in [0.99, f64::NAN, f64::INFINITY] {
        says(
            path.clone().with_threshold(threshold),
            &["threshold", "at least 1"],
        );
    }
    says(
        PathProfile::of(&[0.0, 1.0], &[1.0], &[0.0, 1.0]),
        &["list of losses"],
    );
    says(
        PathProfile::of(&[0.0], &[1.0], &[0.0]),
        &["ascending from 0 to 1"],
    );
    says(
        PathProfile::of(&[0.0, 1.0], &[1.0; 2], &[0.0, f64::NAN]),
        &["length"],
    );
}

#[test]
fn settings_of_a_training_out_of_range_are_refused() {
    let (a, b) = (point(&[1.0]), point(&[2.0]));
    let train = |shape, config: &CurveConfig| {
        let curve = Curve::between(&a, &b, shape).unwrap();
        let mut optimiser = SgdConfig::new().init();
        train_curve(curve, &double_well(), &mut optimiser, config, go)
    };
    let right = CurveConfig::new(0.1);
    says(train(Shape::Line, &right), &["a line", "nothing to train"]);
    for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        says(
            train(Shape::Bezier, &CurveConfig::new(rate)),
            &["learning_rate"],
        );
    }
    says(
        train(Shape::Bezier, &right.clone().with_steps(0)),
        &["steps is 0"],
    );
    says(
        train(Shape::Bezier, &right.clone().with_points(0)),
        &["points is 0"],
    );
    says(
        train(Shape::Bezier, &right.with_final_fraction(1.5)),
        &["final_fraction is 1.5"],
    );
    let curve = Curve::between(&point(&[1.0]), &point(&[-3.0]), Shape::Bezier).unwrap();
    let mut optimiser = SgdConfig::new().init();
    let risk = height(|x| x.log().sum());
    let config = CurveConfig::new(0.1);
    says(
        train_curve(curve, &risk, &mut optimiser, &config, go),
        &["NaN", "before training"],
    );
}

#[test]
fn lists_of_models_that_are_too_short_and_directions_of_no_length_are_refused() {
    let (a, b) = (point(&[1.0]), point(&[2.0]));
    let risk = double_well();
    says(
        barriers(&[&a], &risk, &Buffers::Keep, &[0.5]),
        &["number of models is 1"],
    );
    says(
        aligned_barriers(
            &[&a, &b],
            &risk,
            &Buffers::Keep,
            &[0.5],
            |_: &Point, _: &Point| Err(Error::NoData),
            go,
        ),
        &["no example"],
    );
    says(average::<Point>(&[]), &["number of models is 0"]);
    says(weighted_average(&[&a, &b], &[0.5]), &["list of weights"]);
    says(
        weighted_average(&[&a, &b], &[0.5, 0.6]),
        &["sum of the weights is 1.1"],
    );
    says(
        weighted_average(&[&a, &b], &[0.5, f64::NAN]),
        &["sum of the weights"],
    );
    says(distances(&[&a, &b], Some(&b)), &["centre", "is zero"]);
    let device = Device::flex();
    let along = |d: f64, config: &BasinConfig| -> Result<_, Error> {
        basin_width(&point(&[0.5]), &risk, &vector(&[d], &device), config)
    };
    says(along(0.0, &BasinConfig::new()), &["is zero"]);
    says(along(f64::NAN, &BasinConfig::new()), &["is not finite"]);
    says(
        along(1.0, &BasinConfig::new().with_factor(1.0)),
        &["factor"],
    );
    says(along(1.0, &BasinConfig::new().with_bound(1e-3)), &["bound"]);
    says(along(1.0, &BasinConfig::new().with_first(0.0)), &["first"]);
    says(
        along(1.0, &BasinConfig::new().with_tolerance(0.0)),
        &["tolerance"],
    );
    // The loss is zero at 1.
    let zero = basin_width(&a, &risk, &Tensor::ones([1], &device), &BasinConfig::new());
    says(zero, &["loss of the model is 0", "add a constant"]);
    says(overlap(vec![vec![1.0, 0.0]], Vec::new()), &["second list"]);
    let twice = vec![vec![1.0, 0.0], vec![2.0, 0.0]];
    says(overlap(twice.clone(), twice), &["depends linearly"]);
}
