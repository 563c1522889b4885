//! The average rise beside its closed form.

use burn::tensor::Tensor;
use landscape::sharpness::{AverageConfig, Scale, average_sharpness};
use landscape::{Risk, download};

use super::{Known, Point, dot, numbers, point, quadratic, vector};

#[test]
fn average_of_a_quadratic_is_half_the_trace_whatever_the_slope() {
    let known = Known::new(&[6.0, 2.0, 1.0, 0.5, -0.5, -2.0, -0.1, 0.3], 1);
    let risk = quadratic(&known.matrix(), &numbers(8, 3));
    let model = point(&numbers(8, 4));
    let trace: f64 = known.values.iter().sum();
    let squares: f64 = known.values.iter().map(|value| value * value).sum();
    for sigma in [1e-3, 0.1, 2.0] {
        let config = AverageConfig::new()
            .with_sigma(sigma)
            .with_pairs(2000)
            .with_seed(5);
        let found = average_sharpness(&model, &risk, &config).unwrap();
        let expected = 0.5 * sigma * sigma * trace;
        let off = (found.estimate.mean - expected) / found.estimate.standard_error;
        // Four standard errors: 6 in 100,000 for one seed.
        assert!(off.abs() < 4.0, "sigma {sigma}: {off}");
        // z'Hz has the variance 2 ‖H‖²; of 2000 values its root is known to 2 % and some more for
        // the heavier tails.
        let spread = sigma * sigma * (0.5 * squares / 2000.0).sqrt();
        let ratio = found.estimate.standard_error / spread;
        assert!((ratio - 1.0).abs() < 0.15, "sigma {sigma}: {ratio}");
        assert_eq!((found.estimate.count, found.non_finite), (2000, 0));
    }
}

#[test]
fn average_of_a_quartic_has_its_fourth_moment() {
    // E[(x + σz)⁴ - x⁴] = 6 x² σ² + 3 σ⁴; to second order 6 x² σ².
    let risk = Risk::mean([vector(&[1.0])], |model: &Point, one: &Tensor<1>| {
        model.at.val().powi_scalar(4).sum() * one.clone()
    });
    let (x, sigma) = ([0.7, -0.2], 0.5_f64);
    let config = AverageConfig::new()
        .with_sigma(sigma)
        .with_pairs(4000)
        .with_probes(2);
    let found = average_sharpness(&point(&x), &risk, &config).unwrap();
    let second: f64 = x.iter().map(|x| 6.0 * x * x * sigma.powi(2)).sum();
    let expected = second + 6.0 * sigma.powi(4);
    let off = (found.estimate.mean - expected) / found.estimate.standard_error;
    assert!(off.abs() < 4.0, "{off}");
    let order = found.second_order.expect("it was asked for");
    assert!(order.exact && (order.estimate.mean - second).abs() < 1e-14);
    assert_eq!(order.estimate.standard_error, 0.0);
}

#[test]
fn second_order_value_is_that_of_the_scaled_diagonal_with_its_error() {
    let known = Known::new(&[6.0, 2.0, 1.0, 0.5, -0.5, -2.0, -0.1, 0.3], 1);
    let h = known.matrix();
    let x = numbers(8, 9);
    let risk = quadratic(&h, &numbers(8, 3));
    let model = point(&x);
    let sigma = 0.1;
    let value: f64 = (0..8)
        .map(|i| 0.5 * sigma * sigma * x[i] * x[i] * h[9 * i])
        .sum();
    let base = AverageConfig::new()
        .with_sigma(sigma)
        .with_scale(Scale::INVARIANT)
        .with_pairs(3000)
        .with_seed(2);
    let exact = average_sharpness(&model, &risk, &base.with_probes(8)).unwrap();
    let order = exact.second_order.expect("it was asked for");
    assert!(order.exact && (order.estimate.mean - value).abs() < 1e-15);
    // A quadratic has no higher order.
    let off = (exact.estimate.mean - value) / exact.estimate.standard_error;
    assert!(off.abs() < 4.0, "{off}");
    let probed = average_sharpness(&model, &risk, &base.with_probes(7)).unwrap();
    let order = probed.second_order.expect("it was asked for");
    assert!(!order.exact && order.estimate.count == 7 && order.estimate.standard_error > 0.0);
    let off = (order.estimate.mean - value) / order.estimate.standard_error;
    // Student's t with 6 degrees of freedom: 6 in 1000 are beyond 4.
    assert!(off.abs() < 4.0, "{off}");
    assert!(
        average_sharpness(&model, &risk, &base)
            .unwrap()
            .second_order
            .is_none()
    );
}

#[test]
fn pairs_depend_on_the_seed_and_their_number_alone() {
    let risk = quadratic(&[1.0, 0.0, 0.0, 2.0], &[1.0, 1.0]);
    let model = point(&[0.1, 0.2]);
    let mean = |pairs, seed| {
        let config = AverageConfig::new().with_pairs(pairs).with_seed(seed);
        average_sharpness(&model, &risk, &config)
            .unwrap()
            .estimate
            .mean
    };
    assert_eq!(mean(8, 1), mean(8, 1));
    assert_ne!(mean(8, 1), mean(8, 2));
    // The first of two pairs is the one pair: their mean is in the middle of both.
    assert!((2.0 * mean(2, 1) - mean(1, 1)).abs() > 0.0);
    let model_after = download(&model.at.val());
    assert_eq!(model_after, [0.1, 0.2]);
    assert!(dot(&[mean(1, 1)], &[1.0]).is_finite());
}
