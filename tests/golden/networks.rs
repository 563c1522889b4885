//! Trained networks in f64: exact derivatives beside PyTorch's, beside differences of Burn's own
//! gradients, and the largest eigenvalue beside an independent computation.
#![allow(
    clippy::print_stdout,
    reason = "the figures reached are shown with --nocapture"
)]

mod groups;
mod network_groups;

use burn::tensor::{DType, Device, Tensor};
use derivatives::{Capture, CapturedLoss, Statistics};
use landscape::curvature::exact_diagonal_with;
use landscape::download;
use landscape::spectrum::{LanczosConfig, TraceConfig, top_eigenpairs};
use landscape::{GaussNewton, Hessian, LinearOperator, Method};
use tests::{Case, CaseVisitor, Net, for_each_network, relative_error};

/// Both sides are float64 and differ by the order of their sums.
const FIRST_ORDER: f64 = 1e-12;
/// The same, through two derivatives: what the README of the fixtures asks of second order.
const SECOND_ORDER: f64 = 1e-11;

fn hessian<N: Net>(case: &Case<N>) -> Hessian<N, N::Batch> {
    let hessian = Hessian::at(&case.model, &case.risk()).expect("the network can be measured");
    assert!(
        matches!(
            hessian.method(),
            Method::Exact {
                dtype: DType::F64,
                ..
            }
        ),
        "{case}"
    );
    hessian
}

fn captured<N: Net>(case: &Case<N>) -> CapturedLoss {
    // A recording device takes tensors from devices without automatic differentiation only.
    let batch = N::batch(&case.fixture, DType::F64, &Device::flex());
    let on = |device: &Device| landscape::Batch::on_device(batch.clone(), device);
    // Layers whose training flag is off use their running statistics either way.
    Capture::of(&case.model)
        .with_statistics(Statistics::Batch)
        .outputs_and_loss(
            |model: &N, device| model.outputs(&on(device)),
            |outputs, device| N::loss_terms(outputs, &on(device)).mean(),
        )
        .expect("the loss can be captured")
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[derive(Default)]
struct FirstOrder {
    visited: usize,
}

impl CaseVisitor for FirstOrder {
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        let expected = case.family("grad");
        let loss = captured(case);
        let theta = loss.origin();
        let (value, exact) = loss.gradient(&theta).expect("a gradient");
        let (burn_value, burn) = case.gradient(&case.model);
        let errors = [
            relative_error(&[value], &[case.scalar(&["loss"])]),
            relative_error(&[burn_value], &[case.scalar(&["loss"])]),
            relative_error(&download(&exact), &expected),
            relative_error(&burn, &expected),
        ];
        let [loss, burn_loss, gradient, burn_gradient] = errors;
        println!(
            "{:24} P {:5}  loss {loss:.1e} (Burn's {burn_loss:.1e})  gradient {gradient:.1e} (Burn's {burn_gradient:.1e})",
            case.to_string(),
            expected.len(),
        );
        assert!(
            errors.iter().all(|&error| error < FIRST_ORDER),
            "{case}: {errors:?}"
        );
        self.visited += 1;
    }
}

#[test]
fn loss_and_gradient_of_trained_networks_agree_with_pytorch_to_1e_12() {
    let mut visitor = FirstOrder::default();
    for_each_network(&mut visitor);
    assert_eq!(visitor.visited, 12);
}

#[derive(Default)]
struct ExactTraces {
    visited: usize,
}

impl CaseVisitor for ExactTraces {
    /// Where a block is claimed exact, H and G are equal on all vectors of the block; and the
    /// diagonal of G is that of its products with unit vectors.
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        let risk = case.risk_of_outputs();
        let config = TraceConfig::new().with_max_probes(16);
        let diagonal = exact_diagonal_with(&case.model, &risk, &config).expect("a diagonal");
        let (hessian, gauss_newton) = (
            hessian(case),
            GaussNewton::at(&case.model, &risk).expect("the network can be measured"),
        );
        let v = case.family("v");
        let dim = v.len();
        let largest = diagonal.gauss_newton.iter().fold(0.0_f64, |m, x| m.max(*x));
        let mut exact = Vec::new();
        let mut worst = 0.0_f64;
        for (index, block) in diagonal.blocks.iter().enumerate() {
            let (mut part, range) = (vec![0.0; dim], block.range.clone());
            part[range.clone()].copy_from_slice(&v[range.clone()]);
            let part = hessian.domain().upload(&part).expect("P entries");
            let by_hessian = hessian.quadratic_form(&part).expect("a form");
            let by_gauss_newton = gauss_newton.quadratic_form(&part).expect("a form");
            let gap = (by_hessian - by_gauss_newton).abs() / by_gauss_newton.abs().max(1e-12);
            if block.is_exact {
                exact.push(block.path.as_str());
                assert!(gap < SECOND_ORDER, "{case}: {} {gap:.1e}", block.path);
            } else {
                // A claim that could have been made.
                assert!(gap > SECOND_ORDER, "{case}: {} {gap:.1e}", block.path);
            }
            for i in [
                range.start,
                range.start + 7 * index % range.len(),
                range.end - 1,
            ] {
                let mut unit = vec![0.0; dim];
                unit[i] = 1.0;
                let unit = hessian.domain().upload(&unit).expect("P entries");
                let entry = gauss_newton.quadratic_form(&unit).expect("a form");
                let error = (entry - diagonal.gauss_newton[i]).abs() / largest;
                worst = worst.max(error);
                assert!(
                    error < SECOND_ORDER,
                    "{case}: {} {i} {error:.1e}",
                    block.path
                );
                if block.is_exact {
                    let entry = hessian.quadratic_form(&unit).expect("a form");
                    let error = (entry - diagonal.values[i]).abs() / largest;
                    assert!(
                        error < SECOND_ORDER,
                        "{case}: {} {i} {error:.1e}",
                        block.path
                    );
                }
            }
        }
        println!(
            "{:24} {} passes, diag G {worst:.1e}, exact in {} of {}: {exact:?}",
            case.to_string(),
            diagonal.passes,
            exact.len(),
            diagonal.blocks.len()
        );
        self.visited += 1;
    }
}

#[test]
fn exact_traces_of_trained_networks_claim_what_is_so() {
    let mut visitor = ExactTraces::default();
    for_each_network(&mut visitor);
    assert_eq!(visitor.visited, 12);
}

#[derive(Default)]
struct Products {
    visited: usize,
}

impl CaseVisitor for Products {
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        let (v, expected) = (case.family("v"), case.family("hv"));
        let hessian = hessian(case);
        let gauss_newton = GaussNewton::at(&case.model, &case.risk_of_outputs())
            .expect("the network can be measured");
        let tangent: Tensor<1> = hessian.domain().upload(&v).expect("P entries");
        let product = download(&hessian.apply(&tangent).expect("a product"));
        let other = download(&gauss_newton.apply(&tangent).expect("a product"));
        let loss = captured(case);
        let form = loss
            .quadratic_form(&loss.origin(), &tangent)
            .expect("a quadratic form");
        let by_adjoints = hessian.quadratic_form(&tangent).expect("a quadratic form");
        // v'Hv may cancel: its error is measured against what it is a sum of.
        let size = dot(&v, &v).sqrt() * dot(&expected, &expected).sqrt();
        let errors = [
            relative_error(&product, &expected),
            relative_error(&other, &case.family("ggnv")),
            (form - case.scalar(&["vHv"])).abs() / size,
            (by_adjoints - case.scalar(&["vHv"])).abs() / size,
        ];
        let [hv, gv, vhv, linearized] = errors;
        println!(
            "{:24} {}: H v {hv:.1e}  G v {gv:.1e}  v'Hv {vhv:.1e}, {linearized:.1e} of |v||Hv|",
            case.to_string(),
            hessian.method()
        );
        assert!(
            errors.iter().all(|&error| error < SECOND_ORDER),
            "{case}: {errors:?}"
        );
        self.visited += 1;
    }
}

#[test]
fn exact_products_of_trained_networks_agree_with_pytorch_to_1e_11() {
    let mut visitor = Products::default();
    for_each_network(&mut visitor);
    assert_eq!(visitor.visited, 12);
}

#[derive(Default)]
struct Differences {
    visited: usize,
}

impl CaseVisitor for Differences {
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        if !case.view.starts_with("smooth") {
            return;
        }
        let hessian = hessian(case);
        let v = case.family("v");
        let length = dot(&v, &v).sqrt();
        let unit: Vec<f64> = v.iter().map(|entry| entry / length).collect();
        let unit: Tensor<1> = hessian.domain().upload(&unit).expect("P entries");
        let exact = download(&hessian.apply(&unit).expect("a product"));
        let objective = hessian.objective();
        let gradient = |step: f64| {
            let theta = objective.origin().clone() + unit.clone() * step;
            objective.gradient(&theta).expect("a gradient").1
        };
        let errors = [8, 9, 10, 11, 12, 13].map(|k| {
            let step = 0.5_f64.powi(k);
            let difference = (gradient(step) - gradient(-step)) * (0.5 / step);
            relative_error(&download(&difference), &exact)
        });
        let orders: Vec<f64> = errors
            .windows(2)
            .map(|pair| (pair[0] / pair[1]).log2())
            .collect();
        println!(
            "{:24} errors {} orders {orders:.2?}",
            case.to_string(),
            errors.map(|error| format!("{error:.1e}")).join(" ")
        );
        // The next term of the expansion is 4 times smaller at each halving, and rounding, some
        // u / step times the norm of the gradient over that of the product, is far below.
        assert!(
            orders.iter().all(|order| (order - 2.0).abs() < 0.05),
            "{case}: {orders:?}"
        );
        assert!(errors[5] < 1e-7, "{case}: {errors:?}");
        self.visited += 1;
    }
}

#[test]
fn differences_of_burns_gradients_converge_to_exact_products_with_order_two() {
    let mut visitor = Differences::default();
    for_each_network(&mut visitor);
    assert_eq!(visitor.visited, 6);
}

#[derive(Default)]
struct TopEigenvalue {
    visited: usize,
}

impl CaseVisitor for TopEigenvalue {
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        let hessian = hessian(case);
        // The eigenvalue's error is the square of the residual over the gap below it.
        let lanczos = LanczosConfig::new().with_seed(7).with_tolerance(1e-7);
        let pairs = top_eigenpairs(&hessian, 1, &lanczos).expect("an eigenpair");
        let (pair, expected) = (&pairs[0], case.scalar(&["lambda_max"]));
        let error = (pair.value - expected).abs() / expected;
        println!(
            "{:24} lambda_max {:.10} error {error:.1e}, residual {:.1e} after {} steps (independent {:.1e} after {})",
            case.to_string(),
            pair.value,
            pair.residual / expected,
            pair.steps,
            case.scalar(&["lambda_max_residual"]) / expected,
            case.scalar(&["lambda_max_steps"]),
        );
        assert!(pair.converged, "{case}");
        assert!(error < 1e-10, "{case}: {error:.1e}");
        self.visited += 1;
    }
}

#[test]
fn top_eigenvalues_of_trained_networks_agree_with_an_independent_lanczos_to_1e_10() {
    let mut visitor = TopEigenvalue::default();
    for_each_network(&mut visitor);
    assert_eq!(visitor.visited, 12);
}
