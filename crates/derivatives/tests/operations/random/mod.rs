//! Random shapes, options and values, family by family.
//!
//! Values are noise away from 0, where most kinks are, stretched by a random factor.

mod convolution;
mod elementwise;
mod index;
mod layout;
mod normalised;
mod pooling;
mod product;
mod reduced;

use burn::module::{Module, Param, ParamId};
use burn::tensor::{DType, Device, Tensor, TensorData};
use derivatives::Capture;
use proptest::prelude::ProptestConfig;

use super::harness::{Row, capture, check, device, entries, error, noise, tensor};

fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn split<const A: usize, const B: usize>(
    x: Tensor<1>,
    first: [usize; A],
    second: [usize; B],
) -> (Tensor<A>, Tensor<B>) {
    let (a, b): (usize, usize) = (first.iter().product(), second.iter().product());
    (
        x.clone().slice_dim(0, 0..a).reshape(first),
        x.slice_dim(0, a..a + b).reshape(second),
    )
}

/// What holds without looking at Burn's gradient, which is wrong for some groups and strides.
fn consistent(row: &Row) {
    // The harness adds up sines, which may cancel to a hundredth of their size and less.
    assert!(row.value < 1e-11, "{row:?}");
    // h^2 = 1e-10 and rounding of 1e-16 / h beside a slope that may be as small as 1e-3.
    assert!(row.differences < 1e-7, "{row:?}");
    assert!(row.forward < 1e-11, "{row:?}");
    assert!(row.product < 1e-6, "{row:?}");
    assert!(row.transpose < 1e-11, "{row:?}");
    assert!(row.symmetry < 1e-11, "{row:?}");
}

fn agrees(row: &Row) {
    consistent(row);
    assert!(row.gradient < 1e-13, "{row:?}");
}

/// All there is to check of an operation that may have kinks: in f64 and in f32.
fn holds<const D: usize>(name: &str, len: usize, f: impl Fn(Tensor<1>) -> Tensor<D>) {
    holds_to(1e-13, name, len, f);
}

/// [`holds`], with a tolerance for the gradient in f64 where Burn takes scalars in f32.
fn holds_to<const D: usize>(
    tolerance: f64,
    name: &str,
    len: usize,
    f: impl Fn(Tensor<1>) -> Tensor<D>,
) {
    consistent(&check(name, len, &f));
    for (dtype, tolerances) in [(DType::F64, [1e-13, tolerance]), (DType::F32, [5e-6, 5e-6])] {
        let errors = beside_burn(dtype, len, &f);
        assert!(
            errors[0] < tolerances[0] && errors[1] < tolerances[1],
            "{name}: value and gradient in {dtype:?}: {errors:?}"
        );
    }
}

/// [`holds`], and the differences converge as those of a smooth function.
fn holds_smoothly<const D: usize>(name: &str, len: usize, f: impl Fn(Tensor<1>) -> Tensor<D>) {
    holds(name, len, &f);
    converges(name, len, f);
}

fn converges<const D: usize>(name: &str, len: usize, f: impl Fn(Tensor<1>) -> Tensor<D>) {
    if let Some([coarse, fine]) = convergence(len, &f) {
        let ratio = coarse / fine;
        assert!(
            (ratio - 4.0).abs() < 0.5,
            "{name}: {coarse:.2e}, {fine:.2e}"
        );
    }
}

/// Errors of central differences with a step and half of it beside the forward derivative; `None`
/// where they are too small to be seen beside rounding.
///
/// The error is `h² L‴ / 6 + O(h⁴)`: a fourth at half the step.
fn convergence<const D: usize>(len: usize, f: impl Fn(Tensor<1>) -> Tensor<D>) -> Option<[f64; 2]> {
    let device = device();
    let loss = capture(len, f).expect("a capture");
    let (theta, v) = (noise(len, 1), noise(len, 3));
    let at = |h: f64| {
        let moved = theta.iter().zip(&v).map(|(t, v)| t + h * v).collect();
        loss.value(&tensor(moved, &device, DType::F64))
            .expect("a value")
    };
    let point = tensor(theta.clone(), &device, DType::F64);
    let (_, exact) = loss
        .jvp(&point, &tensor(v.clone(), &device, DType::F64))
        .expect("a jvp");
    let errors = [4e-3, 2e-3].map(|h| ((at(h) - at(-h)) / (2.0 * h) - exact).abs());
    // Rounding: 1e-16 times the loss over 4e-3.
    (errors[1] > 1e-9 * exact.abs().max(1.0)).then_some(errors)
}

#[derive(Module, Debug)]
struct Vector {
    theta: Param<Tensor<1>>,
}

/// Errors of value and gradient beside Burn's, both in a float type.
fn beside_burn<const D: usize>(
    dtype: DType,
    len: usize,
    f: impl Fn(Tensor<1>) -> Tensor<D>,
) -> [f64; 2] {
    let on = |values: Vec<f64>, device: &Device| -> Tensor<1> {
        let data = TensorData::new(values, [len]).convert_dtype(dtype);
        Tensor::from_data(data, (device, dtype))
    };
    // Not a sum of sines here: a sum that cancels has no digits to compare.
    let scalar = |x: Tensor<1>| f(x).square().mean();
    let plain = device();
    let theta = Param::initialized(ParamId::new(), on(noise(len, 1), &plain));
    let model = Vector { theta };
    let loss = Capture::of(&model)
        .with_parameters([model.theta.id])
        .loss(|model: &Vector, _| scalar(model.theta.val()))
        .expect("a capture");
    let (value, gradient) = loss.gradient(&loss.origin()).expect("a gradient");
    let leaf = on(noise(len, 1), &plain.autodiff()).require_grad();
    let burn = scalar(leaf.clone());
    let burn_value: f64 = burn.clone().into_scalar();
    let burn_gradient = leaf
        .grad(&burn.backward())
        .map_or_else(|| vec![0.0; len], entries);
    [
        error(&[value], &[burn_value]),
        error(&entries(gradient), &burn_gradient),
    ]
}

#[test]
fn differences_converge_with_the_square_of_the_step() {
    println!("| operation | error, step 4e-3 | error, step 2e-3 | ratio |");
    println!("|---|---|---|---|");
    let cube = |x: Tensor<1>| -> Tensor<3> { x.reshape([2, 3, 4]) };
    for (name, errors) in [
        ("exp", convergence(24, |x| x.exp())),
        ("tanh", convergence(24, |x| x.tanh())),
        (
            "powf",
            convergence(24, |x| (x.square() + 0.5).powf_scalar(1.7)),
        ),
        (
            "softmax",
            convergence(24, |x| burn::tensor::activation::softmax(cube(x), 1)),
        ),
        ("prod_dim", convergence(24, |x| cube(x).prod_dim(2))),
        ("cumprod", convergence(24, |x| cube(x).cumprod(1))),
        ("var", convergence(24, |x| cube(x).var(2))),
        (
            "matmul",
            convergence(24, |x| {
                let (a, b) = split(x, [3, 4], [4, 3]);
                a.matmul(b)
            }),
        ),
        (
            "gather",
            convergence(24, |x| {
                let order = cube(x.clone()).argsort(2);
                cube(x).exp().gather(2, order)
            }),
        ),
        (
            "layer_norm",
            convergence(24, |x| {
                let (gamma, x) = (x.clone().slice_dim(0, 0..4), cube(x));
                burn::tensor::module::layer_norm(x, gamma, None, 1e-5)
            }),
        ),
    ] {
        let [coarse, fine] = errors.expect("a curved function");
        println!(
            "| {name} | {coarse:.2e} | {fine:.2e} | {:.3} |",
            coarse / fine
        );
        assert!((coarse / fine - 4.0).abs() < 0.1, "{name}");
    }
}
