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

/// With `f = θ²` and `L = Σ f²`: `H = 12 θ²`, `G = 8 θ²`. A term `Σ θ³` beside the outputs adds
/// `6 θ` to H alone.
#[test]
fn the_hessian_less_the_gauss_newton_matrix() {
    let theta = [0.5, -2.0];
    let model = Point {
        theta: Param::initialized(ParamId::new(), tensor(&theta)),
    };
    let v = tensor(&[1.0, 3.0]);
    for beside in [0.0, 1.0] {
        let loss = Capture::of(&model)
            .with_parameters([model.theta.id])
            .marked_loss(|model: &Point, _, outputs| {
                let f = model.theta.val().square();
                outputs.mark(&f);
                let loss = f.square().sum();
                if beside == 0.0 {
                    loss
                } else {
                    loss + model.theta.val().powi_scalar(3).sum()
                }
            })
            .expect("a capture");
        let at = loss.origin();
        let expected = [1.0, 3.0].into_iter().zip(theta);
        let expected: Vec<f64> = expected
            .map(|(v, x)| (4.0 * x * x + beside * 6.0 * x) * v)
            .collect();
        let point = loss.linearize(&at).expect("a point");
        let both = [v.clone(), v.clone()];
        let mut found = point.hessian_remainder_vectors(&both).expect("products");
        found.push(point.hessian_remainder_vector(&v).expect("a product"));
        found.push(loss.hessian_remainder_vector(&at, &v).expect("a product"));
        for found in found {
            for (found, expected) in entries(found).into_iter().zip(&expected) {
                assert!((found - expected).abs() < 1e-13, "{found} {expected}");
            }
        }
    }
}

/// Two outputs for each of two rows: `f_n = W x_n + b`. Row n gives `uₙ xₙᵀ` to the gradient in W
/// and `uₙ` to that in b.
#[test]
fn norms_of_what_rows_give() {
    let x = Tensor::<2>::from_data([[1.0, 2.0], [3.0, -1.0]], (&device(), DType::F64));
    let layer = burn::nn::LinearConfig::new(2, 2).init(&device());
    let weight = Tensor::<2>::from_data([[1.0, 0.5], [2.0, 0.0]], (&device(), DType::F64));
    let layer = burn::nn::Linear {
        weight: Param::initialized(layer.weight.id, weight),
        bias: Some(Param::initialized(ParamId::new(), tensor(&[0.1, 0.2]))),
    };
    let bias = layer.bias.as_ref().expect("a bias").id;
    let loss = Capture::of(&layer)
        .with_parameters([layer.weight.id, bias])
        .outputs_and_loss(
            |layer: &burn::nn::Linear, device| layer.forward(x.clone().to_device(device)),
            |f, _| f.square().sum(),
        )
        .expect("a capture");
    let point = loss.linearize(&loss.origin()).expect("a point");
    let u = tensor(&[1.0, 2.0, -1.0, 3.0]);
    let squares = entries(point.row_squares(&u).expect("squares"));
    let norms = entries(point.row_norms(&u).expect("norms"));
    // |u1|² |x1|² + |u2|² |x2|² = 5 · 5 + 10 · 10, and |u1|² + |u2|².
    assert_eq!(norms, [125.0, 15.0]);
    assert_eq!(squares[..4].iter().sum::<f64>(), 125.0);
    assert_eq!(squares[4..].iter().sum::<f64>(), 15.0);
    assert!(
        loss.largest_of_row_norms().expect("bytes")
            <= loss.largest_of_row_squares().expect("bytes")
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
