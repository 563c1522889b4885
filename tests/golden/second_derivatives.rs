//! Second derivatives of slices at their centre against `dᵀHd` and `Hv` of PyTorch in float64.

use std::ops::ControlFlow;

use burn::tensor::Tensor;
use landscape::slice::{Quantity, Slice};
use landscape::{ParameterSpace, download};
use tests::{Case, CaseVisitor, Net, for_each_case};

/// Networks without a kink: of the others differences of the loss see kinks.
const SMOOTH: [&str; 5] = [
    "case1_linear_mse",
    "case2_softmax_regression",
    "case3_mlp_tanh",
    "case7_attention",
    "case8_saddle",
];

fn vector<N: Net>(case: &Case<N>, family: &str) -> Tensor<1> {
    let space = ParameterSpace::of(&case.model).expect("a space");
    let upload = space.domain.upload(&case.family(family));
    upload.expect("P entries")
}

/// The direction of the fixture's second derivative: in case 8 normalised ones vanish.
fn direction<N: Net>(case: &Case<N>) -> Tensor<1> {
    let family = if case.has_family("d1_filter_ignore") {
        "d1_filter_ignore"
    } else {
        "d1"
    };
    vector(case, family)
}

/// Returns the difference at the step after which it changes least, from a row of shrinking steps:
/// the expected value plays no part.
///
/// The coarser of the two that agree: its rounding is the smaller one, and neither has a kink
/// within its reach.
fn steadiest(steps: &[f64], difference: impl Fn(f64) -> f64) -> f64 {
    let values: Vec<f64> = steps.iter().map(|&h| difference(h)).collect();
    let change = |pair: &[f64]| (pair[0] - pair[1]).abs();
    let pairs = values.windows(2);
    let best = pairs.min_by(|a, b| change(a).total_cmp(&change(b)));
    best.expect("there are several steps")[0]
}

struct FromSlopes;

impl CaseVisitor for FromSlopes {
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        let quantity = Quantity::of("loss", &case.risk());
        let slice = Slice::along(&case.model, [&direction(case)], [quantity]).expect("a slice");
        // (8 (s(h) − s(−h)) − (s(2h) − s(−2h))) / 12 h, whose error is of fourth order
        let ours = steadiest(&[1e-2, 1e-3, 1e-4, 1e-5, 1e-6], |h| {
            let points = [[h], [-h], [2.0 * h], [-2.0 * h]];
            let slopes = slice.slopes(&points).expect("slopes");
            let s = |i: usize| slopes[i][0].slope[0];
            (8.0 * (s(0) - s(1)) - (s(2) - s(3))) / (12.0 * h)
        });
        let expected = case.scalar(&["slice_second_derivative"]);
        let error = (ours / expected - 1.0).abs();
        println!("{case:30} {error:.1e}");
        assert!(error < 1e-8, "{case}: {ours} for {expected}, {error:.1e}");
    }
}

/// In the first derivative rounding is some 1e-16 of the gradient's terms, over the step.
#[test]
fn second_derivatives_from_slopes_are_those_of_the_hessian_to_1e_8() {
    for_each_case(&mut FromSlopes);
}

struct FromLosses(usize);

impl CaseVisitor for FromLosses {
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        if !SMOOTH.contains(&N::FIXTURE) {
            return;
        }
        let quantity = Quantity::of("loss", &case.risk());
        let slice = Slice::along(&case.model, [&direction(case)], [quantity]).expect("a slice");
        let ours = steadiest(&[1e-1, 3e-2, 1e-2, 3e-3, 1e-3], |h| {
            let points = [[-2.0 * h], [-h], [0.0], [h], [2.0 * h]];
            let losses = slice.values(&points, |_, _| ControlFlow::Continue(()));
            let losses = losses.expect("losses").concat();
            let weights = [-1.0, 16.0, -30.0, 16.0, -1.0];
            let sum: f64 = losses.iter().zip(weights).map(|(l, w)| l * w).sum();
            sum / (12.0 * h * h)
        });
        let expected = case.scalar(&["slice_second_derivative"]);
        let error = (ours / expected - 1.0).abs();
        println!("{case:30} {error:.1e}");
        assert!(error < 1e-6, "{case}: {ours} for {expected}, {error:.1e}");
        self.0 += 1;
    }
}

#[test]
fn second_derivatives_from_losses_are_those_of_the_hessian_to_1e_6_where_all_is_smooth() {
    let mut visited = FromLosses(0);
    for_each_case(&mut visited);
    assert_eq!(visited.0, 6, "case 8 has two views");
}

struct Slopes;

impl CaseVisitor for Slopes {
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        let (first, v) = (direction(case), vector(case, "v"));
        let quantity = Quantity::of("loss", &case.risk());
        let slice = Slice::along(&case.model, [&first, &v], [quantity]).expect("a slice");
        let found = slice.slopes(&[[0.0, 0.0]]).expect("slopes")[0][0];
        let along = |d: &Tensor<1>, family: &str| -> (f64, f64) {
            let (d, of) = (download(d), case.family(family));
            let terms = || d.iter().zip(&of).map(|(a, b)| a * b);
            (terms().sum(), terms().map(f64::abs).sum())
        };
        for (name, ours, (expected, size)) in [
            ("slope along d1", found.slope[0], along(&first, "grad")),
            ("slope along v", found.slope[1], along(&v, "grad")),
            ("mixed", found.mixed.expect("a plane"), along(&first, "hv")),
        ] {
            // Of sums that cancel, the terms are exact to so many digits.
            let error = (ours - expected).abs() / size.max(f64::MIN_POSITIVE);
            println!("{case:30} {name:16} {error:.1e}");
            assert!(
                error < 1e-11,
                "{case} {name}: {ours} for {expected}, {error:.1e}"
            );
        }
    }
}

#[test]
fn slopes_and_mixed_derivatives_agree_with_pytorch_to_1e_11() {
    for_each_case(&mut Slopes);
}
