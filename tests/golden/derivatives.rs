//! Exact first and second derivatives beside PyTorch's, on every case and view.
//!
//! Both sides are float64 and differ by the order of their sums: 1e-12 on first-order and 1e-11 on
//! second-order quantities, as the fixtures' README asks.
#![allow(
    clippy::print_stdout,
    reason = "the figures reached are shown with --nocapture"
)]

use burn::tensor::{Bool, DType, Device, Int, Tensor, TensorData};
use derivatives::{Capture, CapturedLoss, Statistics};
use landscape::{Batch, TensorMapper};
use tests::{Case, CaseVisitor, Net, for_each_case, for_each_case_on, relative_error};

const FIRST_ORDER: f64 = 1e-12;
const SECOND_ORDER: f64 = 1e-11;

fn vector(values: &[f64]) -> Tensor<1> {
    let data = TensorData::new(values.to_vec(), [values.len()]);
    Tensor::from_data(data, (&Device::flex(), DType::F64))
}

fn entries(vector: Tensor<1>) -> Vec<f64> {
    vector.into_data().iter::<f64>().collect()
}

struct WithoutAutodiff;

impl TensorMapper for WithoutAutodiff {
    fn float<const D: usize>(&mut self, tensor: Tensor<D>) -> Tensor<D> {
        tensor.without_autodiff()
    }

    fn int<const D: usize>(&mut self, tensor: Tensor<D, Int>) -> Tensor<D, Int> {
        tensor.without_autodiff()
    }

    fn bool<const D: usize>(&mut self, tensor: Tensor<D, Bool>) -> Tensor<D, Bool> {
        tensor.without_autodiff()
    }
}

fn captured<N: Net>(case: &Case<N>) -> CapturedLoss {
    // Layers whose training flag is off use their running statistics either way.
    // A recording device takes tensors from devices without automatic differentiation only.
    let inner = case.batch.clone().map(&mut WithoutAutodiff);
    let batch = |device: &Device| inner.clone().on_device(device);
    Capture::of(&case.model)
        .with_statistics(Statistics::Batch)
        .outputs_and_loss(
            |model: &N, device| model.outputs(&batch(device)),
            |outputs, device| N::loss_terms(outputs, &batch(device)).mean(),
        )
        .expect("the loss can be captured")
}

struct Agree {
    visited: usize,
}

impl Agree {
    fn compare(case: &str, what: &str, ours: &[f64], theirs: &[f64], tolerance: f64) {
        let error = relative_error(ours, theirs);
        println!("{case:30} {what:24} {error:.1e}");
        assert!(error < tolerance, "{case}: {what} {error:.1e}");
    }
}

impl CaseVisitor for Agree {
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        let name = case.to_string();
        let loss = captured(case);
        let theta = loss.origin();
        let v = vector(&case.family("v"));
        let value = loss.value(&theta).expect("a value");
        let expected = case.scalar(&["loss"]);
        Self::compare(&name, "value", &[value], &[expected], FIRST_ORDER);
        let (value, gradient) = loss.gradient(&theta).expect("a gradient");
        Self::compare(&name, "value", &[value], &[expected], FIRST_ORDER);
        let gradient = entries(gradient);
        Self::compare(
            &name,
            "gradient",
            &gradient,
            &case.family("grad"),
            FIRST_ORDER,
        );
        let slope: f64 = gradient
            .iter()
            .zip(case.family("v"))
            .map(|(g, v)| g * v)
            .sum();
        let (_, jvp) = loss.jvp(&theta, &v).expect("a jvp");
        Self::compare(&name, "jvp", &[jvp], &[slope], 1e-10);

        let expected = case.family("hv");
        let product = loss.hessian_vector(&theta, &v).expect("a product");
        Self::compare(&name, "H v", &entries(product), &expected, SECOND_ORDER);
        let linearized = loss.linearize(&theta).expect("a linearisation");
        for _ in 0..2 {
            let product = linearized.hessian_vector(&v).expect("a product");
            Self::compare(
                &name,
                "H v, linearised",
                &entries(product),
                &expected,
                SECOND_ORDER,
            );
        }
        let quadratic = loss.quadratic_form(&theta, &v).expect("a quadratic form");
        Self::compare(
            &name,
            "v'Hv",
            &[quadratic],
            &[case.scalar(&["vHv"])],
            SECOND_ORDER,
        );

        let expected = case.family("ggnv");
        let product = loss.gauss_newton_vector(&theta, &v).expect("a product");
        Self::compare(&name, "G v", &entries(product), &expected, SECOND_ORDER);
        let product = linearized.gauss_newton_vector(&v).expect("a product");
        Self::compare(
            &name,
            "G v, linearised",
            &entries(product),
            &expected,
            SECOND_ORDER,
        );
        self.visited += 1;
    }
}

struct Single {
    visited: usize,
}

impl CaseVisitor for Single {
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        let loss = captured(case);
        let (theta, v) = (loss.origin(), vector(&case.family("v")));
        let (_, gradient) = loss.gradient(&theta).expect("a gradient");
        let product = loss.hessian_vector(&theta, &v).expect("a product");
        for (what, ours, theirs) in [("grad", gradient, "grad"), ("hv", product, "hv")] {
            let error = relative_error(&entries(ours), &case.family(theirs));
            let theirs = case.scalar(&["float32_torch_rel_err", what]);
            println!(
                "{:30} {what} {error:.1e}, PyTorch {theirs:.1e}",
                case.to_string()
            );
            // Two units of rounding, where PyTorch happens to be exact.
            assert!(
                error < 10.0 * theirs.max(1.2e-7),
                "{case}: {what} {error:.1e}"
            );
        }
        self.visited += 1;
    }
}

/// In f32 the error is at most ten times PyTorch's own in f32, as the fixtures' README allows.
#[test]
fn derivatives_in_single_precision_are_as_good_as_pytorchs() {
    let mut single = Single { visited: 0 };
    for_each_case_on(&Device::flex().autodiff(), DType::F32, &mut single);
    assert_eq!(single.visited, 10);
}

#[test]
fn derivatives_of_every_case_agree_with_pytorch() {
    let mut agree = Agree { visited: 0 };
    for_each_case(&mut agree);
    assert_eq!(agree.visited, 10);
}
