//! Products by differences of losses known in closed form: order, symmetry, kinks, settings.

use burn::module::{Module, Param};
use burn::tensor::{DType, Device, Tensor, TensorData, activation::relu};
use landscape::download;
use landscape::{
    DifferenceConfig, DifferenceStep, Error, GaussNewton, Hessian, LanczosConfig, LinearOperator,
    Method, Reduction, Risk, top_eigenpairs,
};
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

/// L(x, y) = x^4 + x y^2, whose Hessian is [[12 x^2, 2 y], [2 y, 2 x]].
fn quartic() -> Risk<Point, Tensor<1>> {
    Risk::mean([vector(&[1.0])], |model: &Point, one: &Tensor<1>| {
        let x = model.at.val().slice_dim(0, 0..1);
        let y = model.at.val().slice_dim(0, 1..2);
        (x.clone().powi_scalar(4) + x * y.powi_scalar(2)) * one.clone()
    })
}

#[test]
fn error_of_a_difference_product_falls_with_the_square_of_the_step() {
    let model = point(&[0.7, -0.4]);
    let exact = [12.0 * 0.49 + 2.0 * -0.4 * 2.0, 2.0 * -0.4 + 2.0 * 0.7 * 2.0];
    let error = |step: f64| {
        let config = DifferenceConfig::new().with_step(DifferenceStep::Relative(step));
        let hessian = Hessian::by_differences(&model, &quartic(), &config).unwrap();
        let product = download(&hessian.apply(&vector(&[1.0, 2.0])).unwrap());
        (product[0] - exact[0]).hypot(product[1] - exact[1])
    };
    let order = (error(2e-2) / error(1e-2)).log2();
    assert!((order - 2.0).abs() < 0.02, "order {order}");
    let config = DifferenceConfig::new().with_step(DifferenceStep::Smooth);
    let hessian = Hessian::by_differences(&model, &quartic(), &config).unwrap();
    let estimate = hessian.error_estimate(1).unwrap();
    assert!(estimate < 1e-9, "{estimate}");
}

/// The Hessian by differences with the default settings.
fn differences(model: &Point, risk: &Risk<Point, Tensor<1>>) -> Hessian<Point, Tensor<1>> {
    Hessian::by_differences(model, risk, &DifferenceConfig::new()).expect("a measurable model")
}

/// L(x) = x^2 + 1000 relu(x - x0 - gap): a kink at a distance `gap` ahead of x0 = 0.5.
fn kinked(gap: f64) -> Risk<Point, Tensor<1>> {
    Risk::mean([vector(&[1.0])], move |model: &Point, one: &Tensor<1>| {
        let x = model.at.val();
        let ramp = relu(x.clone().sub_scalar(0.5 + gap)).mul_scalar(1000.0);
        (x.powi_scalar(2) + ramp) * one.clone()
    })
    .without_reduction_check()
}

#[test]
fn kink_close_to_the_weights_does_not_spoil_a_product() {
    // The first step is some 1.6e-8 long; gaps on both sides of it, and kinks behind.
    for gap in [1e-9, 5e-9, 1.2e-8, 1e-7, -1e-9, -5e-9] {
        let hessian = differences(&point(&[0.5]), &kinked(gap));
        let product = download(&hessian.apply(&vector(&[1.0])).unwrap())[0];
        // Rounding: u times a slope of up to 1000 over a step of 1e-10.
        assert!((product - 2.0).abs() < 1e-2, "gap {gap}: {product}");
        assert_eq!(hessian.unresolved(), 0);
    }
}

#[test]
fn kink_at_weights_of_an_l1_penalty_is_counted_as_unresolved() {
    // The differences to both sides agree here: sign(0) = 0 lies half way.
    let risk = Risk::mean([vector(&[1.0])], |model: &Point, one: &Tensor<1>| {
        let w = model.at.val();
        (w.clone().powi_scalar(2).sum() + w.abs().sum().mul_scalar(0.01)) * one.clone().mean()
    });
    let hessian = differences(&point(&[1.0, 0.0, 0.0]), &risk);
    let first = download(&hessian.apply(&vector(&[0.0, 1.0, 0.0])).unwrap())[1];
    assert!(first > 1e4, "the jump over the step: {first}");
    hessian.apply(&vector(&[1.0, 0.0, 0.0])).unwrap();
    assert_eq!(hessian.unresolved(), 2);
    assert!(hessian.relative_error() > 0.25);
    let pairs = top_eigenpairs(&hessian, 1, &LanczosConfig::new()).unwrap();
    assert!(!pairs[0].converged && pairs[0].residual > 0.25 * pairs[0].value);
}

#[test]
fn kink_at_the_weights_is_counted_as_unresolved() {
    let hessian = differences(&point(&[0.5]), &kinked(0.0));
    hessian.apply(&vector(&[1.0])).unwrap();
    assert_eq!(hessian.unresolved(), 1);
}

#[test]
fn bad_steps_are_errors() {
    for step in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let config = DifferenceConfig::new().with_step(DifferenceStep::Relative(step));
        let result = Hessian::by_differences(&point(&[1.0, 1.0]), &quartic(), &config);
        assert!(matches!(result, Err(Error::Setting { .. })), "{step}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn difference_products_are_linear_and_symmetric(
        x in 0.1..2.0f64, y in -2.0..2.0f64,
        u in prop::array::uniform2(-1.0..1.0f64), v in prop::array::uniform2(-1.0..1.0f64),
    ) {
        let hessian = differences(&point(&[x, y]), &quartic());
        let apply = |v: &[f64]| download(&hessian.apply(&vector(v)).unwrap());
        let (hu, hv) = (apply(&u), apply(&v));
        let scale = 1.0 + 12.0 * x * x + 4.0 * y.abs();
        // With the short step the difference is rounded near u^(1/2), 1e-8, of the gradient.
        prop_assert!((u[0] * hv[0] + u[1] * hv[1] - v[0] * hu[0] - v[1] * hu[1]).abs() < 1e-6 * scale);
        let sum = apply(&[u[0] + 3.0 * v[0], u[1] + 3.0 * v[1]]);
        prop_assert!((sum[0] - hu[0] - 3.0 * hv[0]).abs() < 1e-6 * scale);
        prop_assert!(apply(&[0.0, 0.0]) == [0.0, 0.0]);
    }
}

#[test]
fn exact_products_equal_the_closed_form_to_rounding() {
    let hessian = Hessian::at(&point(&[0.7, -0.4]), &quartic()).unwrap();
    assert!(matches!(
        hessian.method(),
        Method::Exact {
            dtype: DType::F64,
            recomputed: 0,
            ..
        }
    ));
    let product = download(&hessian.apply(&vector(&[1.0, 2.0])).unwrap());
    let exact = [12.0 * 0.49 + 2.0 * -0.4 * 2.0, 2.0 * -0.4 + 2.0 * 0.7 * 2.0];
    assert!((product[0] - exact[0]).abs() < 1e-14 && (product[1] - exact[1]).abs() < 1e-14);
}

#[test]
fn exact_product_at_a_kink_takes_the_derivative_that_burn_takes() {
    let hessian = Hessian::at(&point(&[0.5]), &kinked(0.0)).unwrap();
    assert_eq!(download(&hessian.apply(&vector(&[1.0])).unwrap()), [2.0]);
    assert_eq!(hessian.unresolved(), 0);
}

#[test]
fn loss_that_reads_data_falls_back_to_differences_and_says_so() {
    // The factor is read to the host: a closure that cannot be captured.
    let risk = Risk::mean([vector(&[1.0])], |model: &Point, one: &Tensor<1>| {
        let factor: f64 = one.clone().mean().into_scalar();
        model.at.val().powi_scalar(2).sum() * factor
    });
    let hessian = Hessian::at(&point(&[0.5, 2.0]), &risk).unwrap();
    assert!(
        hessian
            .method()
            .to_string()
            .contains("because the loss closure reads data")
    );
    let product = download(&hessian.apply(&vector(&[1.0, 3.0])).unwrap());
    assert!((product[0] - 2.0).abs() < 1e-6 && (product[1] - 6.0).abs() < 1e-6);
    // A later capture is not disturbed.
    assert!(matches!(
        Hessian::at(&point(&[0.5, 2.0]), &quartic())
            .unwrap()
            .method(),
        Method::Exact { .. }
    ));
}

#[test]
fn closure_may_bake_in_a_number_of_each_batch() {
    // Each batch is captured for itself: the number of its examples is a constant of its graph.
    let batches = [vector(&[1.0, 1.0, 1.0]), vector(&[1.0])];
    let risk = Risk::mean(batches, |model: &Point, batch: &Tensor<1>| {
        let count = batch.dims()[0] as f64;
        (model.at.val().powi_scalar(2).sum() * batch.clone().sum()).mul_scalar(1.0 / count)
    });
    let hessian = Hessian::at(&point(&[0.5]), &risk).unwrap();
    assert!(matches!(hessian.method(), Method::Exact { .. }));
    assert!((download(&hessian.apply(&vector(&[1.0])).unwrap())[0] - 2.0).abs() < 1e-14);
}

#[test]
fn several_products_at_once_are_those_one_by_one() {
    // [[12 x^2, 2 y], [2 y, 2 x]] at (0.7, -0.4), the same for both batches.
    let both = quartic().over([vector(&[1.0]), vector(&[1.0])]);
    let hessian = Hessian::at(&point(&[0.7, -0.4]), &both).unwrap();
    let vectors = [[1.0, 0.0], [0.0, 1.0], [1.0, 2.0]].map(|v| vector(&v));
    let products = hessian.apply_many(&vectors).unwrap();
    let expected = [[5.88, -0.8], [-0.8, 1.4], [4.28, 2.0]];
    assert_eq!(products.len(), 3);
    for (product, expected) in products.iter().zip(expected) {
        for (a, b) in download(product).iter().zip(expected) {
            assert!((a - b).abs() < 1e-14, "{a} {b}");
        }
    }
    assert!(hessian.apply_many(&[]).unwrap().is_empty());
    let short = hessian.apply_many(&[vector(&[1.0])]);
    assert!(matches!(short, Err(Error::Length { .. })), "{short:?}");
}

#[test]
fn gauss_newton_equals_the_hessian_for_outputs_linear_in_the_parameters() {
    use burn::nn::{Linear, LinearConfig};
    let device = Device::flex();
    let model: Linear = LinearConfig::new(3, 2).init(&device);
    let x = TensorData::from([[0.1f32, -0.4, 0.8], [1.0, 0.3, -0.2]]);
    let pair = (
        Tensor::<2>::from_data(x, &device),
        Tensor::<2>::ones([2, 2], &device),
    );
    let risk = Risk::of(
        [pair],
        |model: &Linear, (x, _): &(Tensor<2>, Tensor<2>)| model.forward(x.clone()),
        |f: Tensor<2>, (_, y): &(Tensor<2>, Tensor<2>)| (f - y.clone()).powi_scalar(2).mean(),
        Reduction::Mean,
    );
    let (hessian, gauss_newton) = (
        Hessian::at(&model, &risk).unwrap(),
        GaussNewton::at(&model, &risk).unwrap(),
    );
    let v = hessian
        .domain()
        .upload(&[1.0, -2.0, 0.5, 3.0, 0.0, 1.0, -1.0, 2.0])
        .unwrap();
    let (h, g) = (
        download(&hessian.apply(&v).unwrap()),
        download(&gauss_newton.apply(&v).unwrap()),
    );
    for (h, g) in h.iter().zip(&g) {
        assert!((h - g).abs() < 1e-5, "{h} and {g}");
    }
    let joint = Risk::mean([vector(&[1.0])], |model: &Point, one: &Tensor<1>| {
        model.at.val().powi_scalar(2).sum() * one.clone()
    });
    assert_eq!(
        GaussNewton::at(&point(&[1.0]), &joint).unwrap_err(),
        Error::OutputsNotApart
    );
}
