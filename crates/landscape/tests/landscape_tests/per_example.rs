//! The noise of the gradient in closed form, and what it does not depend on.

use std::ops::ControlFlow;

use burn::module::{Module, Param};
use burn::tensor::{DType, Device, Tensor, TensorData};
use landscape::per_example::{
    GradientStatistics, gradient_histogram, gradients_and_weights, statistics, statistics_observed,
};
use landscape::{Error, Reduction, Risk};
use proptest::prelude::*;

/// f(x) = <w, x>
#[derive(Module, Debug)]
struct Line {
    w: Param<Tensor<1>>,
}

impl Line {
    fn at(w: &[f64], dtype: DType) -> Self {
        let data = TensorData::new(w.to_vec(), [w.len()]);
        Self {
            w: Param::from_tensor(Tensor::from_data(data, (&Device::flex(), dtype))),
        }
    }

    /// `[N, 1]` of `[N, D]`.
    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let [_, width] = x.dims();
        x.matmul(self.w.val().reshape([width, 1]))
    }
}

fn inputs(rows: &[[f64; 3]], dtype: DType) -> Tensor<2> {
    let data = TensorData::new(rows.as_flattened().to_vec(), [rows.len(), 3]);
    Tensor::from_data(data, (&Device::flex(), dtype))
}

const W: [f64; 3] = [0.5, -1.0, 2.0];

/// The loss terms <w, x>, whose gradients are x, plus ten so that the loss is positive.
fn line(batches: Vec<Tensor<2>>) -> Risk<Line, Tensor<2>> {
    Risk::of(
        batches,
        |model: &Line, x: &Tensor<2>| model.forward(x.clone()) + 10.0,
        |outputs: Tensor<2>, _| outputs.mean(),
        Reduction::Mean,
    )
}

fn found(batches: &[&[[f64; 3]]]) -> Result<GradientStatistics, Error> {
    let batches = batches.iter().map(|rows| inputs(rows, DType::F64));
    statistics(&Line::at(&W, DType::F64), &line(batches.collect()))
}

/// Everything that is one number.
fn numbers(found: &GradientStatistics) -> Vec<f64> {
    let tests = found.batch_tests(4).expect("a positive size");
    let tests = tests.expect("the gradient is not zero");
    let some = |value: Option<f64>| value.expect("a value");
    vec![
        found.total_variance(),
        found.squared_norm(),
        found.squared_norm_unbiased(),
        some(found.noise_scale()),
        some(found.signal_to_noise().mean),
        some(found.early_stopping()),
        some(found.cabs_batch_size(0.1).expect("a positive rate")),
        some(found.tic_trace(3.0)),
        tests.norm,
        tests.inner_product,
        tests.orthogonality,
    ]
}

fn close(a: &[f64], b: &[f64], tolerance: f64) -> bool {
    let pairs = a.iter().zip(b);
    a.len() == b.len()
        && pairs
            .clone()
            .all(|(a, b)| (a - b).abs() <= tolerance * b.abs().max(1.0))
}

/// Gradients (2, 1, 0), (4, −1, 0), (0, 1, 0), (2, 3, 0) with the mean (2, 1, 0) and the variances
/// 8/3, 8/3 and 0.
const X: [[f64; 3]; 4] = [
    [2.0, 1.0, 0.0],
    [4.0, -1.0, 0.0],
    [0.0, 1.0, 0.0],
    [2.0, 3.0, 0.0],
];

#[test]
fn four_gradients_have_the_noise_that_is_worked_out_by_hand() {
    let found = found(&[&X]).expect("statistics");
    assert_eq!(found.gradient, [2.0, 1.0, 0.0]);
    let close_to = |ours: &[f64], theirs: &[f64]| assert!(close(ours, theirs, 1e-14), "{ours:?}");
    close_to(&found.variance, &[8.0 / 3.0, 8.0 / 3.0, 0.0]);
    close_to(&found.second_moment, &[6.0, 3.0, 0.0]);
    close_to(&found.norms, &[5.0, 17.0, 1.0, 13.0].map(f64::sqrt));
    close_to(&found.projections, &[5.0, 7.0, 1.0, 7.0]);
    // The mean of <w, x> + 10 is w g + 10 = 10.
    close_to(&[found.loss], &[10.0]);
    let ratios = found.signal_to_noise();
    assert_eq!(
        (ratios.coordinates, ratios.constant, ratios.unresolved),
        (2, 0, 1)
    );
    assert_eq!(ratios.values[2], None);
    let some = |value: Option<f64>| value.expect("a value");
    close_to(
        &[some(ratios.values[0]), some(ratios.values[1])],
        &[1.5, 0.375],
    );
    let tests = found.batch_tests(4).expect("a size").expect("a gradient");
    // Along g the projections deviate by 0, 2, −4, 2: 24/3 over |g|² = 5 in units of |g|.
    let along = 8.0 / 5.0;
    let numbers = numbers(&found);
    close_to(
        &numbers,
        &[
            16.0 / 3.0,
            5.0,
            5.0 - 4.0 / 3.0,
            16.0 / 15.0,
            0.9375,
            1.0 - 4.0 * 0.9375,
            0.1 * 16.0 / 3.0 / 10.0,
            3.0,
            (16.0 / 3.0 / 20.0_f64).sqrt(),
            (along / 20.0_f64).sqrt(),
            ((16.0 / 3.0 - along) / 20.0_f64).sqrt(),
        ],
    );
    assert_eq!(tests.batch_size, 4);
    close_to(&[some(found.noise_scale_unbiased())], &[16.0 / 11.0]);
    let tic = found
        .tic_diagonal(&[2.0, -1.0, 0.0], 0.0)
        .expect("P entries");
    assert_eq!((tic.value, tic.left_out), (3.0, 2));
    let tic = found
        .tic_diagonal(&[2.0, -1.0, 0.0], 1.0)
        .expect("P entries");
    assert_eq!((tic.value, tic.left_out), (2.0, 2));
}

#[test]
fn a_gradient_that_is_drowned_by_noise_is_said_to_be() {
    // Mean 1 of deviations 100: the squared norm is 1 less some thousands.
    let found = found(&[&[[101.0, 0.0, 0.0], [-99.0, 0.0, 0.0]]]).expect("statistics");
    assert!(found.squared_norm_unbiased() < 0.0);
    assert_eq!(found.noise_scale_unbiased(), None);
    let evidence = found.early_stopping().expect("a value");
    // 1 − 2 · 1/20000
    assert!((evidence - 0.9999).abs() < 1e-12, "{evidence}");
}

#[test]
fn equal_examples_have_no_noise() {
    for dtype in [DType::F64, DType::F32] {
        let rows = [[0.1, -0.7, 0.3]; 7];
        let risk = line(vec![inputs(&rows[..4], dtype), inputs(&rows[4..], dtype)]);
        let found = statistics(&Line::at(&W, dtype), &risk).expect("statistics");
        assert_eq!(
            (found.total_variance(), found.noise_scale()),
            (0.0, Some(0.0))
        );
        let ratios = found.signal_to_noise();
        assert_eq!((ratios.mean, ratios.constant), (None, 3));
        assert_eq!(found.early_stopping(), None);
        let tests = found.batch_tests(1).expect("a size").expect("a gradient");
        // Projections differ by rounding.
        assert!(tests.norm == 0.0 && tests.inner_product < 1e-6 && tests.orthogonality == 0.0);
    }
}

#[test]
fn a_gradient_of_zero_gives_no_ratio_and_no_nan() {
    // Two that cancel, and two that are zero.
    for (rows, variance) in [
        ([[1.0, 2.0, 0.0], [-1.0, -2.0, 0.0]], 10.0),
        ([[0.0; 3]; 2], 0.0),
    ] {
        let found = found(&[&rows]).expect("statistics");
        assert_eq!(
            (found.squared_norm(), found.total_variance()),
            (0.0, variance)
        );
        assert_eq!(
            (found.noise_scale(), found.batch_tests(8)),
            (None, Ok(None))
        );
        let ratios = found.signal_to_noise();
        assert!(ratios.values.iter().flatten().all(|ratio| *ratio == 0.0));
        assert_eq!(found.early_stopping(), (variance > 0.0).then_some(1.0));
    }
}

#[test]
fn one_example_is_an_error_that_says_what_is_needed() {
    let error = found(&[&X[..1]]).expect_err("one example");
    assert_eq!(
        error.to_string(),
        "the number of examples is 1; it must be at least 2: the gradient of a single one has no variance"
    );
    // Two batches of one are two examples.
    assert_eq!(found(&[&X[..1], &X[1..2]]).expect("two").examples, 2);
}

#[test]
fn settings_out_of_range_are_errors() {
    let found = found(&[&X]).expect("statistics");
    let is_setting = |error: Option<Error>| matches!(error, Some(Error::Setting { .. }));
    assert!(is_setting(found.batch_tests(0).err()));
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(is_setting(found.cabs_batch_size(bad).err()), "{bad}");
    }
    for bad in [-1e-9, f64::NAN] {
        assert!(
            is_setting(found.tic_diagonal(&[1.0; 3], bad).err()),
            "{bad}"
        );
    }
    let short = found.tic_diagonal(&[1.0; 2], 0.0).err();
    assert!(matches!(
        short,
        Some(Error::Length {
            expected: 3,
            found: 2,
            ..
        })
    ));
    let nan = found.tic_diagonal(&[1.0, f64::NAN, 1.0], 0.0).err();
    assert!(matches!(nan, Some(Error::NonFiniteVector { .. })));
    assert_eq!(
        (
            found.tic_trace(0.0),
            found.tic_trace(-1.0),
            found.tic_trace(f64::NAN)
        ),
        (None, None, None)
    );
}

#[test]
fn a_loss_that_is_not_positive_has_no_coupled_batch_size() {
    let negative = Risk::mean([inputs(&X, DType::F64)], |model: &Line, x: &Tensor<2>| {
        model.forward(x.clone()).mean() - 5.0
    });
    let found = statistics(&Line::at(&W, DType::F64), &negative).expect("statistics");
    assert_eq!(found.cabs_batch_size(0.1), Ok(None));
}

/// Weights that are no number of examples: the terms count with them, and their plain mean is L.
#[test]
fn weighted_batches_count_with_their_weights() {
    let batches = vec![inputs(&X[..1], DType::F64), inputs(&X[1..], DType::F64)];
    let risk = line(batches).with_weights(|_: &Tensor<2>| 1.0);
    let found = statistics(&Line::at(&W, DType::F64), &risk).expect("statistics");
    // Half the weight on the first example, a sixth on each other: 4/2 and 4/6 times each.
    let weighted = X.iter().enumerate().map(|(n, x)| {
        let weight = if n == 0 { 2.0 } else { 2.0 / 3.0 };
        x.map(|entry| weight * entry)
    });
    let weighted: Vec<[f64; 3]> = weighted.collect();
    for i in 0..3 {
        let mean: f64 = weighted.iter().map(|g| g[i] / 4.0).sum();
        let variance: f64 = weighted.iter().map(|g| (g[i] - mean).powi(2) / 3.0).sum();
        assert!((found.gradient[i] - mean).abs() < 1e-14);
        assert!((found.variance[i] - variance).abs() < 1e-13);
    }
}

#[test]
fn examples_that_touch_each_other_need_outputs_apart() {
    let scaled = |outputs: Tensor<2>, x: &Tensor<2>| outputs.mean() / x.clone().abs().max();
    let joint = Risk::mean(
        [inputs(&X, DType::F64)],
        move |model: &Line, x: &Tensor<2>| scaled(model.forward(x.clone()), x),
    );
    let joint = joint.without_reduction_check();
    let model = Line::at(&W, DType::F64);
    assert_eq!(
        statistics(&model, &joint).err(),
        Some(Error::OutputsNotApart)
    );
    let apart = Risk::of(
        [inputs(&X, DType::F64)],
        |model: &Line, x: &Tensor<2>| model.forward(x.clone()),
        scaled,
        Reduction::Mean,
    );
    let found = statistics(&model, &apart.without_reduction_check()).expect("statistics");
    // The gradients over the largest entry, 4.
    assert!(found.coupled);
    assert!((found.total_variance() - 16.0 / 3.0 / 16.0).abs() < 1e-14);
}

#[test]
fn a_caller_that_stops_is_heard_after_a_batch() {
    let batches: Vec<Tensor<2>> = X.iter().map(|x| inputs(&[*x], DType::F64)).collect();
    let mut asked = Vec::new();
    let stopped = statistics_observed(&Line::at(&W, DType::F64), &line(batches), |done| {
        asked.push(done);
        if done == 3 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    assert_eq!(stopped.err(), Some(Error::Cancelled { done: 3 }));
    assert_eq!(asked, [1, 2, 3]);
}

#[test]
fn entries_that_are_not_finite_are_errors() {
    let rows = [[1.0, 0.0, 0.0], [f64::INFINITY, 0.0, 0.0]];
    // The first entry is where the weight is zero, so that its loss is a NaN.
    let error = found(&[&rows]).expect_err("an infinite input");
    assert!(matches!(error, Error::NonFiniteLoss { .. }), "{error}");
}

#[test]
fn histograms_do_not_depend_on_order_or_batches() {
    let model = Line::at(&W, DType::F64);
    let whole = line(vec![inputs(&X, DType::F64)]);
    let mut turned = X;
    turned.reverse();
    let cut = line(vec![
        inputs(&turned[..3], DType::F64),
        inputs(&turned[3..], DType::F64),
    ]);
    assert_eq!(
        gradient_histogram(&model, &whole),
        gradient_histogram(&model, &cut)
    );
    assert_eq!(
        gradients_and_weights(&model, &whole),
        gradients_and_weights(&model, &cut)
    );
    let found = gradient_histogram(&model, &whole).expect("a histogram");
    let bins = found
        .bins
        .iter()
        .map(|bin| (bin.left, bin.right, bin.count));
    let zero = 2.0_f64.powi(-80);
    // −1; 0 five times; 1, 2, 3 and 4, some of them twice.
    assert_eq!(
        bins.collect::<Vec<_>>(),
        [
            (-1.25, -1.0, 1),
            (-zero, zero, 5),
            (1.0, 1.25, 2),
            (2.0, 2.5, 2),
            (3.0, 3.5, 1),
            (4.0, 5.0, 1)
        ]
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn noise_does_not_depend_on_order_or_batches(
        rows in prop::collection::vec(prop::array::uniform3(-2.0..2.0f64), 5..20),
        first in 0_usize..100,
        second in 0_usize..100,
    ) {
        let whole = found(&[&rows]).expect("statistics");
        prop_assume!(whole.squared_norm() > 1e-3);
        let mut turned = rows.clone();
        turned.rotate_left(first % rows.len());
        turned.swap(0, second % rows.len());
        let (a, b) = (1 + first % (rows.len() - 2), 1 + second % (rows.len() - 2));
        let (a, b) = (a.min(b), a.max(b) + 1);
        // Ragged batches, one after the other.
        let cut = found(&[&turned[..a], &turned[a..b], &turned[b..]]).expect("statistics");
        prop_assert!(close(&numbers(&cut), &numbers(&whole), 1e-11));
        let sorted = |values: &[f64]| {
            let mut values = values.to_vec();
            values.sort_by(f64::total_cmp);
            values
        };
        prop_assert!(close(&sorted(&cut.norms), &sorted(&whole.norms), 1e-13));
        // Pythagoras, and the sum of squares as a mean square: N tr C = Σ ‖gₙ‖².
        let tests = whole.batch_tests(3).expect("a size").expect("a gradient");
        let sum = tests.inner_product.powi(2) + tests.orthogonality.powi(2);
        prop_assert!((tests.norm.powi(2) - sum).abs() <= 1e-12 * sum);
        let moment: f64 = whole.second_moment.iter().sum();
        let squares: f64 = whole.norms.iter().map(|norm| norm * norm).sum();
        prop_assert!((moment * whole.examples as f64 - squares).abs() <= 1e-12 * squares);
    }

    /// Of a large gradient with little noise no digit of the noise is lost but those that the
    /// sum of both has lost.
    #[test]
    fn a_small_variance_about_a_large_mean_is_right(
        noise in prop::collection::vec(-1.0..1.0f64, 4..30),
    ) {
        let rows: Vec<[f64; 3]> = noise.iter().map(|x| [1e6 + x, 0.0, 1.0]).collect();
        let count = noise.len() as f64;
        let mean = noise.iter().sum::<f64>() / count;
        let variance = noise.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (count - 1.0);
        let found = found(&[&rows]).expect("statistics");
        // 1e6 + x is off by 1e-10.
        prop_assert!((found.variance[0] - variance).abs() < 1e-8 * variance.sqrt().max(1e-3));
    }
}
