//! Lines, planes and SAM's sharpness on losses known in closed form.

mod between;
mod curvature_map;
mod range;
mod refine;
mod several;

use std::ops::ControlFlow;

use burn::module::{Module, Param};
use burn::tensor::{DType, Device, Tensor, TensorData};
use landscape::direction::between;
use landscape::sharpness::sam_sharpness;
use landscape::slice::{
    Buffers, Evaluation, line_between, line_observed, linspace, plane_observed,
};
use landscape::{Error, Grid, ParameterSpace, Risk, line, plane};

#[derive(Module, Debug)]
struct Point {
    at: Param<Tensor<1>>,
}

fn vector(values: &[f64]) -> Tensor<1> {
    Tensor::from_data(
        TensorData::new(values.to_vec(), [values.len()]),
        (&Device::flex(), DType::F64),
    )
}

fn point(values: &[f64]) -> Point {
    Point {
        at: Param::from_tensor(vector(values)),
    }
}

/// L(x, y) = (x^2 + 10 y^2) times the mean of the batch, which is 1.
fn bowl() -> Risk<Point, Tensor<1>> {
    Risk::mean([vector(&[1.0])], |model: &Point, one: &Tensor<1>| {
        let scale = Tensor::from_data(
            TensorData::from([1.0f64, 10.0]),
            (&one.device(), DType::F64),
        );
        (model.at.val().powi_scalar(2) * scale).sum() * one.clone().mean()
    })
}

#[test]
fn line_and_plane_follow_the_closed_form_on_a_grid_that_is_not_square() {
    let model = point(&[0.5, -0.25]);
    let risk = bowl();
    let closed = |a: f64, b: f64| (0.5 + a).powi(2) + 10.0 * (-0.25 + b).powi(2);
    let grid = Grid::rectangle((-1.0..=1.0, 5), (0.0..=3.0, 7));
    let surface = plane(
        &model,
        &risk,
        [&vector(&[1.0, 0.0]), &vector(&[0.0, 1.0])],
        &grid,
    )
    .unwrap();
    assert_eq!(
        (surface.a.len(), surface.b.len(), surface.loss.len()),
        (5, 7, 35)
    );
    for (i, &a) in grid.a.iter().enumerate() {
        for (j, &b) in grid.b.iter().enumerate() {
            assert!((surface.at(i, j) - closed(a, b)).abs() < 1e-14 * (1.0 + closed(a, b)));
        }
    }
    let slice = line(&model, &risk, &vector(&[1.0, 2.0]), &grid.a).unwrap();
    for (a, loss) in slice.a.iter().zip(&slice.loss) {
        assert!((loss - closed(*a, 2.0 * a)).abs() < 1e-13);
    }
}

#[test]
fn infinite_loss_on_a_slice_is_kept_and_marked() {
    let model = point(&[0.5, 0.0]);
    let risk = Risk::mean([vector(&[1.0])], |model: &Point, one: &Tensor<1>| {
        // ln x is NaN left of 0 and -inf at 0.
        model.at.val().slice_dim(0, 0..1).log() * one.clone()
    });
    let slice = line(&model, &risk, &vector(&[1.0, 0.0]), &[-1.0, -0.5, 0.5]).unwrap();
    assert!(slice.loss[0].is_nan());
    assert_eq!(slice.loss[1], f64::NEG_INFINITY);
    assert!(slice.loss[2].abs() < 1e-15);
    assert_eq!(slice.valid(), [false, false, true]);
}

#[test]
fn loss_that_cannot_be_captured_is_evaluated_by_the_model_which_the_result_says() {
    let model = point(&[0.5, -0.25]);
    let first = vector(&[1.0, 0.0]);
    let exact = line(&model, &bowl(), &first, &[-1.0, 0.0, 2.0]).unwrap();
    assert_eq!(exact.evaluation, Evaluation::Captured);
    let reading = Risk::mean([vector(&[1.0])], |model: &Point, one: &Tensor<1>| {
        let _: f64 = model.at.val().sum().into_scalar();
        let scale = Tensor::from_data(
            TensorData::from([1.0f64, 10.0]),
            (&one.device(), DType::F64),
        );
        (model.at.val().powi_scalar(2) * scale).sum() * one.clone().mean()
    });
    let other = line(&model, &reading, &first, &[-1.0, 0.0, 2.0]).unwrap();
    let Evaluation::Model { because } = &other.evaluation else {
        panic!("{}", other.evaluation)
    };
    assert!(because.contains("reads data"), "{because}");
    for (ours, theirs) in other.loss.iter().zip(&exact.loss) {
        assert!((ours - theirs).abs() < 1e-14);
    }
}

#[test]
fn point_whose_parts_overflow_has_the_loss_of_the_model() {
    // x d overflows in f64, and so does a x d; x (w + a d) does not at a = 0.
    let model = point(&[1.0, 0.0]);
    let risk = Risk::mean([vector(&[1e200])], |model: &Point, x: &Tensor<1>| {
        (model.at.val().slice_dim(0, 0..1) * x.clone()).log()
    });
    let slice = line(&model, &risk, &vector(&[1e200, 0.0]), &[0.0, 1.0]).unwrap();
    assert_eq!(slice.evaluation, Evaluation::Captured);
    assert!((slice.loss[0] - 1e200_f64.ln()).abs() < 1e-12);
    assert_eq!(slice.loss[1], f64::INFINITY);
}

#[test]
fn callback_sees_every_point_and_may_cancel() {
    let model = point(&[0.5, 0.0]);
    let (first, second) = (vector(&[1.0, 0.0]), vector(&[0.0, 1.0]));
    let mut seen = Vec::new();
    let grid = Grid::rectangle((0.0..=1.0, 2), (0.0..=1.0, 3));
    plane_observed(&model, &bowl(), [&first, &second], &grid, |at, loss| {
        seen.push((at, loss));
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(
        seen.iter().map(|s| s.0).collect::<Vec<_>>(),
        [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]]
    );
    let stopped = line_observed(&model, &bowl(), &first, &[0.0, 1.0, 2.0], |index, _| {
        if index == 1 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    assert_eq!(stopped, Err(Error::Cancelled { done: 2 }));
}

#[test]
fn wrong_directions_and_empty_grids_are_errors() {
    let model = point(&[0.5, 0.0]);
    let good = vector(&[1.0, 0.0]);
    assert!(matches!(
        line(&model, &bowl(), &vector(&[1.0]), &[0.0]),
        Err(Error::Length { .. })
    ));
    assert!(matches!(
        line(&model, &bowl(), &good, &[]),
        Err(Error::Setting { .. })
    ));
    let nan = vector(&[f64::NAN, 0.0]);
    assert!(matches!(
        line(&model, &bowl(), &nan, &[0.0]),
        Err(Error::NoDirection { .. })
    ));
    let empty = Grid {
        a: vec![],
        b: vec![0.0],
    };
    assert!(plane(&model, &bowl(), [&good, &good], &empty).is_err());
}

#[test]
fn grids_that_are_none_are_errors_of_the_slice() {
    let model = point(&[0.5, 0.0]);
    let good = vector(&[1.0, 0.0]);
    let infinite = f64::NEG_INFINITY..=1.0;
    for (range, count) in [(-1.0..=1.0, 0), (f64::NAN..=1.0, 3), (infinite, 2)] {
        let grid = Grid::square(range.clone(), count);
        let buffers = Buffers::Interpolate;
        for found in [
            plane(&model, &bowl(), [&good, &good], &grid).map(drop),
            line(&model, &bowl(), &good, &grid.a).map(drop),
            line_between(&model, &model, &bowl(), &buffers, &grid.a).map(drop),
        ] {
            assert!(matches!(found, Err(Error::Setting { .. })), "{range:?}");
        }
    }
}

#[test]
fn line_between_two_models_ends_at_both() {
    let (from, to) = (point(&[0.5, -0.25]), point(&[1.0, 2.0]));
    let to = Point {
        at: Param::initialized(from.at.id, to.at.val().set_require_grad(false)),
    };
    let space = ParameterSpace::of(&from).unwrap();
    let direction = between(&space, &from, &to).unwrap();
    let slice = line(&from, &bowl(), &direction, &[0.0, 1.0]).unwrap();
    assert!((slice.loss[0] - 0.875).abs() < 1e-14);
    assert!((slice.loss[1] - 41.0).abs() < 1e-12);
}

#[test]
fn linspace_is_symmetric_and_meets_its_ends() {
    assert_eq!(linspace(-1.0..=1.0, 5), [-1.0, -0.5, 0.0, 0.5, 1.0]);
    assert_eq!(linspace(-1.0..=3.0, 1), [1.0]);
    let thirds = linspace(0.1..=0.7, 4);
    assert_eq!((thirds[0], thirds[3]), (0.1, 0.7));
    for count in [3, 11, 51] {
        let points = linspace(-0.3..=0.3, count);
        assert_eq!(
            (points[0], points[count / 2], points[count - 1]),
            (-0.3, 0.0, 0.3)
        );
    }
}

#[test]
fn sam_sharpness_of_a_bowl_is_its_closed_form() {
    let model = point(&[0.5, -0.25]);
    let (gx, gy): (f64, f64) = (1.0, -5.0);
    let norm = gx.hypot(gy);
    let peak = (0.5 + 0.1 * gx / norm).powi(2) + 10.0 * (-0.25 + 0.1 * gy / norm).powi(2);
    let sharpness = sam_sharpness(&model, &bowl(), 0.1).unwrap();
    assert!((sharpness.gradient_norm - norm).abs() < 1e-14);
    assert!((sharpness.value - (peak - 0.875)).abs() < 1e-14);
    let still = sam_sharpness(&point(&[0.0, 0.0]), &bowl(), 0.1).unwrap();
    assert_eq!((still.value, still.gradient_norm), (0.0, 0.0));
    assert!(matches!(
        sam_sharpness(&model, &bowl(), f64::NAN),
        Err(Error::Setting { .. })
    ));
}
