//! Derivatives that are known.

use crate::device;
use burn::module::{Module, Param, ParamId};
use burn::tensor::{DType, Tensor, TensorData};
use derivatives::{Capture, CapturedLoss, Error};

#[derive(Module, Debug)]
struct Point {
    theta: Param<Tensor<1>>,
}

fn tensor(values: &[f64]) -> Tensor<1> {
    let data = TensorData::new(values.to_vec(), [values.len()]);
    Tensor::from_data(data, (&device(), DType::F64))
}

fn entries(vector: Tensor<1>) -> Vec<f64> {
    vector.into_data().iter::<f64>().collect()
}

fn captured(theta: &[f64], f: impl Fn(Tensor<1>) -> Tensor<1>) -> CapturedLoss {
    let model = Point {
        theta: Param::initialized(ParamId::new(), tensor(theta)),
    };
    Capture::of(&model)
        .with_parameters([model.theta.id])
        .loss(|model: &Point, _| f(model.theta.val()))
        .expect("a capture")
}

fn rosenbrock(theta: Tensor<1>) -> Tensor<1> {
    let (x, y) = (theta.clone().slice_dim(0, 0..1), theta.slice_dim(0, 1..2));
    (x.clone().neg() + 1.0).square() + (y - x.square()).square() * 100.0
}

/// `f = (1 − x)² + 100 (y − x²)²` has
/// `H = ((2 + 1200 x² − 400 y, −400 x), (−400 x, 200))`.
#[test]
fn the_hessian_of_rosenbrocks_function() {
    let loss = captured(&[0.0, 0.0], rosenbrock);
    let (x, y) = (-1.2, 1.0);
    let theta = tensor(&[x, y]);
    let (value, gradient) = loss.gradient(&theta).expect("a gradient");
    let r = y - x * x;
    assert!((value - (f64::powi(1.0 - x, 2) + 100.0 * r * r)).abs() < 1e-13);
    let expected = [-2.0 * (1.0 - x) - 400.0 * x * r, 200.0 * r];
    for (a, b) in entries(gradient).iter().zip(expected) {
        assert!((a - b).abs() < 1e-11, "{a} {b}");
    }
    let column = |v: &[f64]| entries(loss.hessian_vector(&theta, &tensor(v)).expect("a product"));
    let hessian = [
        2.0 + 1200.0 * x * x - 400.0 * y,
        -400.0 * x,
        -400.0 * x,
        200.0,
    ];
    let ours = [column(&[1.0, 0.0]), column(&[0.0, 1.0])].concat();
    for (a, b) in ours.iter().zip(hessian) {
        assert!((a - b).abs() < 1e-10, "{a} {b}");
    }
    let v = tensor(&[2.0, -1.0]);
    let expected = 4.0 * hessian[0] - 4.0 * hessian[1] + hessian[3];
    let linearized = loss.linearize(&theta).expect("a point");
    let forms = [
        loss.quadratic_form(&theta, &v).expect("a form"),
        linearized.quadratic_form(&v).expect("a form"),
    ];
    for form in forms {
        assert!((form - expected).abs() < 1e-9, "{form} {expected}");
    }
}

/// The error of a central difference falls with the square of its step.
#[test]
fn differences_of_gradients_converge_to_the_product_with_order_two() {
    let loss = captured(&[0.0; 3], |theta| {
        theta.clone().sin().exp().sum() * theta.cos().prod()
    });
    let (theta, v) = ([0.3, -0.7, 1.1], [0.5, 1.0, -0.4]);
    let product = entries(
        loss.hessian_vector(&tensor(&theta), &tensor(&v))
            .expect("Hv"),
    );
    let error = |h: f64| -> f64 {
        let at = |sign: f64| {
            let moved: Vec<f64> = theta.iter().zip(v).map(|(t, v)| t + sign * h * v).collect();
            entries(loss.gradient(&tensor(&moved)).expect("a gradient").1)
        };
        at(1.0)
            .iter()
            .zip(at(-1.0))
            .zip(&product)
            .map(|((a, b), p)| ((a - b) / (2.0 * h) - p).powi(2))
            .sum::<f64>()
            .sqrt()
    };
    for h in [1e-1, 1e-2, 1e-3] {
        let order = (error(h) / error(h / 2.0)).log2();
        assert!((order - 2.0).abs() < 0.1, "order {order} at {h}");
    }
}

/// With outputs `f = A θ` and loss `Σ exp(f)`: `G = Aᵀ diag(exp(f)) A`, which
/// is the Hessian, since f is linear. With outputs `θ²` it is not.
#[test]
fn gauss_newton_is_the_hessian_where_outputs_are_linear() {
    let theta = [0.4, -0.3];
    let model = Point {
        theta: Param::initialized(ParamId::new(), tensor(&theta)),
    };
    let v = tensor(&[1.0, 2.0]);
    let linear = Capture::of(&model)
        .with_parameters([model.theta.id])
        .outputs_and_loss(
            |model: &Point, _| model.theta.val().cumsum(0),
            |f, _| f.exp().sum(),
        )
        .expect("a capture");
    let at = linear.origin();
    let g = entries(linear.gauss_newton_vector(&at, &v).expect("Gv"));
    let h = entries(linear.hessian_vector(&at, &v).expect("Hv"));
    let (e0, e1) = (f64::exp(0.4), f64::exp(0.4 - 0.3));
    let expected = [e0 + 3.0 * e1, 3.0 * e1];
    for i in 0..2 {
        assert!((g[i] - expected[i]).abs() < 1e-14);
        assert!((h[i] - expected[i]).abs() < 1e-14);
    }
    let square = Capture::of(&model)
        .with_parameters([model.theta.id])
        .outputs_and_loss(
            |model: &Point, _| model.theta.val().square(),
            |f, _| f.sum(),
        )
        .expect("a capture");
    // The loss is linear in f, so G = 0, while H = 2.
    assert_eq!(
        entries(square.gauss_newton_vector(&at, &v).expect("Gv")),
        [0.0, 0.0]
    );
    assert_eq!(
        entries(square.hessian_vector(&at, &v).expect("Hv")),
        [2.0, 4.0]
    );
}

#[test]
fn wrong_lengths_and_missing_outputs_are_errors() {
    let loss = captured(&[1.0, 2.0], |theta| theta.square().sum());
    let theta = loss.origin();
    assert_eq!(
        loss.hessian_vector(&theta, &tensor(&[1.0])).err(),
        Some(Error::Length {
            expected: 2,
            found: 1
        })
    );
    assert_eq!(
        loss.gauss_newton_vector(&theta, &theta).err(),
        Some(Error::NoOutputs)
    );
}

/// A parameter that the loss does not touch has zeros.
#[test]
fn untouched_entries_have_zero_derivatives() {
    let loss = captured(&[1.0, 2.0, 3.0], |theta| {
        theta.slice_dim(0, 1..2).powi_scalar(3)
    });
    let theta = loss.origin();
    assert_eq!(
        entries(loss.gradient(&theta).expect("g").1),
        [0.0, 12.0, 0.0]
    );
    let v = tensor(&[1.0, 1.0, 1.0]);
    assert_eq!(
        entries(loss.hessian_vector(&theta, &v).expect("Hv")),
        [0.0, 12.0, 0.0]
    );
}
