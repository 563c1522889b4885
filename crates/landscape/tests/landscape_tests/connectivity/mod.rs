//! Curves between models, and what lies between several of them, beside closed forms.

mod bad_input;
mod batch_norm;
mod several;
mod training;

use std::ops::ControlFlow;

use burn::module::{Module, Param};
use burn::tensor::{DType, Device, Tensor, TensorData};
use landscape::connectivity::{Curve, PathProfile, Shape, Verdict, profile, profile_observed};
use landscape::slice::{Buffers, linspace};
use landscape::{Error, Risk, download};

/// A point of a space as a module.
#[derive(Module, Debug)]
pub(crate) struct Point {
    pub(crate) at: Param<Tensor<1>>,
}

pub(crate) type Data = Tensor<1>;

pub(crate) fn vector(values: &[f64], device: &Device) -> Tensor<1> {
    let data = TensorData::new(values.to_vec(), [values.len()]);
    Tensor::from_data(data, (device, DType::F64))
}

pub(crate) fn point(at: &[f64]) -> Point {
    Point {
        at: Param::from_tensor(vector(at, &Device::flex().autodiff())),
    }
}

/// A risk of the point alone.
pub(crate) fn height(
    loss: impl Fn(Tensor<1>) -> Tensor<1> + Send + Sync + 'static,
) -> Risk<Point, Data> {
    let nothing = vector(&[0.0], &Device::flex());
    Risk::mean(nothing, move |point: &Point, _: &Data| loss(point.at.val()))
}

/// `(x² − 1)²`, summed over the coordinates.
pub(crate) fn double_well() -> Risk<Point, Data> {
    height(|x| (x.square() - 1.0).square().sum())
}

/// An observer that lets all go on.
pub(crate) fn go<T>(_: &T) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

const NODES: [[f64; 2]; 5] = [[0.0, 1.0], [1.0, 3.0], [2.0, -1.0], [2.5, 0.0], [4.0, 1.0]];

fn between(shape: Shape) -> Curve<Point> {
    let bends: Vec<Point> = NODES[1..=shape.bends()]
        .iter()
        .map(|at| point(at))
        .collect();
    Curve::between(&point(&NODES[0]), &point(&NODES[4]), shape)
        .expect("two points")
        .with_bends(&bends.iter().collect::<Vec<_>>())
        .expect("as many bends")
}

fn at(curve: &Curve<Point>, t: f64) -> Vec<f64> {
    download(&curve.at(t).expect("on the curve").at.val())
}

fn near(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (a, b) in found.iter().zip(expected) {
        assert!((a - b).abs() <= tolerance, "{found:?} for {expected:?}");
    }
}

const SHAPES: [Shape; 4] = [
    Shape::Line,
    Shape::Bezier,
    Shape::Chain { bends: 1 },
    Shape::Chain { bends: 3 },
];

#[test]
fn a_curve_ends_at_its_models_bit_for_bit_and_passes_where_its_formula_says() {
    for shape in SHAPES {
        let curve = between(shape);
        assert_eq!(at(&curve, 0.0), NODES[0]);
        assert_eq!(at(&curve, 1.0), NODES[4]);
    }
    let t = 0.3_f64;
    let [a, bend, b] = [NODES[0], NODES[1], NODES[4]];
    let line = [0, 1].map(|i| (1.0 - t) * a[i] + t * b[i]);
    near(&at(&between(Shape::Line), t), &line, 1e-15);
    let bezier =
        [0, 1].map(|i| (1.0 - t).powi(2) * a[i] + 2.0 * t * (1.0 - t) * bend[i] + t * t * b[i]);
    near(&at(&between(Shape::Bezier), t), &bezier, 1e-15);
    // A chain of three bends is at 1.2 segments of four.
    let chain = [0, 1].map(|i| 0.8 * NODES[1][i] + 0.2 * NODES[2][i]);
    near(&at(&between(Shape::Chain { bends: 3 }), t), &chain, 1e-15);
    for (k, node) in NODES[1..4].iter().enumerate() {
        let t = (k + 1) as f64 / 4.0;
        near(&at(&between(Shape::Chain { bends: 3 }), t), node, 1e-15);
    }
}

#[test]
fn a_new_curve_is_the_line_whatever_its_shape() {
    for shape in SHAPES {
        let curve = Curve::between(&point(&NODES[0]), &point(&NODES[4]), shape).unwrap();
        for t in linspace(0.0..=1.0, 9) {
            near(&at(&curve, t), &[4.0 * t, 1.0], 1e-15);
        }
        assert!((curve.length().unwrap() - 4.0).abs() < 1e-14);
    }
}

#[test]
fn the_slope_is_the_derivative_and_its_norm_integrates_to_the_length() {
    for shape in SHAPES {
        let curve = between(shape);
        // Central differences of a polynomial of degree two are its derivative.
        for t in [0.1, 0.37, 0.6, 0.9] {
            let h = 1e-3;
            let (before, after) = (at(&curve, t - h), at(&curve, t + h));
            let differences: Vec<f64> = before
                .iter()
                .zip(&after)
                .map(|(a, b)| (b - a) / (2.0 * h))
                .collect();
            near(&download(&curve.slope(t).unwrap()), &differences, 1e-11);
        }
        // The midpoint rule; corners lie on the borders of the parts.
        let parts = 4000;
        let sum: f64 = (0..parts)
            .map(|part| {
                let t = (f64::from(part) + 0.5) / f64::from(parts);
                landscape::norm(&download(&curve.slope(t).unwrap())) / f64::from(parts)
            })
            .sum();
        let length = curve.length().unwrap();
        assert!(
            (sum / length - 1.0).abs() < 1e-6,
            "{shape:?}: {sum}, {length}"
        );
        let lengths = curve.lengths(&[0.0, 0.4, 1.0]).unwrap();
        assert!(lengths[0] == 0.0 && lengths[1] < lengths[2] && lengths[2] == length);
    }
}

#[test]
fn bends_spaced_equally_lie_on_the_chain_at_equal_lengths() {
    let nodes = [[0.0, 0.0], [1.0, 0.0], [1.0, 0.5], [1.0, 5.0]];
    let [a, bend, other, b] = nodes.map(|at| point(&at));
    let mut chain = Curve::between(&a, &b, Shape::Chain { bends: 2 })
        .unwrap()
        .with_bends(&[&bend, &other])
        .unwrap();
    chain.space_equally().unwrap();
    // Six long: at 2 and at 4.
    near(&at(&chain, 1.0 / 3.0), &[1.0, 1.0], 1e-14);
    near(&at(&chain, 2.0 / 3.0), &[1.0, 3.0], 1e-14);
    assert_eq!(download(&chain.bends()[0].at.val()), at(&chain, 1.0 / 3.0));
    assert_eq!(at(&chain, 1.0), nodes[3]);
}

#[test]
fn a_profile_has_the_barrier_and_the_means_of_a_polynomial() {
    let line = Curve::between(&point(&[-1.0]), &point(&[3.0]), Shape::Line).unwrap();
    let t = linspace(0.0..=1.0, 4001);
    let risk = height(|x| x.clone().square() * -1.0 + x * 2.0 + 5.0);
    let path = profile(&line, &risk, &Buffers::Interpolate, &t).unwrap();
    // At x = 4t − 1: 5 + 2x − x² = 2 + 16 t (1 − t), both ends at 2, and the mean 2 + 16/6.
    assert_eq!(path.ends(), [2.0, 2.0]);
    assert!((path.barrier - 4.0).abs() < 1e-14 && (path.max - 6.0).abs() < 1e-14);
    assert_eq!((path.barrier_t, path.max_t, path.min), (0.5, 0.5, 2.0));
    assert_eq!(path.barrier, path.barrier_over_mean);
    // The trapezoidal rule is off by h²/12 · 32.
    assert!((path.mean - 2.0 - 16.0 / 6.0).abs() < 1e-6);
    assert!((path.length_weighted - path.mean).abs() < 1e-12);
    assert_eq!(path.length[4000], 4.0);
    assert_eq!(path.verdict, Verdict::Separated);
    let barrier_of_slope = height(|x| x * 3.0);
    let slope = profile(&line, &barrier_of_slope, &Buffers::Keep, &[0.2, 0.6]).unwrap();
    assert_eq!((slope.ends(), slope.max), ([-3.0, 9.0], 9.0));
    assert!(slope.barrier.abs() < 1e-15 && (slope.barrier_over_mean - 6.0).abs() < 1e-15);
}

#[test]
fn what_a_barrier_misses_between_its_points_is_estimated() {
    let line = Curve::between(&point(&[-1.0]), &point(&[1.0]), Shape::Line).unwrap();
    let of = |risk: &Risk<Point, Data>, t: &[f64]| {
        profile(&line, risk, &Buffers::Interpolate, t).unwrap()
    };
    // Of a parabola exactly, wherever the points lie: 1 − x² at t = 0.4 is 0.96.
    let parabola = height(|x| x.square() * -1.0 + 1.0);
    let path = of(&parabola, &[0.1, 0.4, 0.7]);
    assert!((path.barrier - 0.96).abs() < 1e-15);
    assert!((path.barrier + path.barrier_error - 1.0).abs() < 1e-14);
    // (x² − 1)² has its barrier of 1 at the middle, which twelve points miss by an eighth of a
    // segment's square times the second derivative, 4.
    let path = of(&double_well(), &linspace(0.0..=1.0, 12));
    let missing = 1.0 - path.barrier;
    assert!(missing > 0.01 && (path.barrier_error / missing - 1.0).abs() < 0.1);
    assert_eq!(of(&double_well(), &[0.5]).barrier_error, 0.0);
    let convex = of(&height(|x| x.square()), &[0.5]);
    assert_eq!((convex.barrier, convex.barrier_error), (0.0, 0.0));
}

#[test]
fn the_mean_over_the_length_does_not_depend_on_how_t_passes_the_path() {
    // The bend lies on the line at nine tenths of it: nine times as fast before as after it.
    let risk = height(|x| x.square());
    let (a, b, bend) = (point(&[0.0]), point(&[1.0]), point(&[0.9]));
    let chain = Curve::between(&a, &b, Shape::Chain { bends: 1 })
        .unwrap()
        .with_bends(&[&bend])
        .unwrap();
    let t = linspace(0.0..=1.0, 2001);
    let path = profile(&chain, &risk, &Buffers::Interpolate, &t).unwrap();
    // ∫ x² dx, and ½ (0.9² / 3 + ∫ (0.9 + 0.1 s)² ds).
    assert!((path.length_weighted - 1.0 / 3.0).abs() < 1e-6);
    let expected = 0.5 * (0.27 + (1.0 - 0.729) / 0.3);
    assert!((path.mean - expected).abs() < 1e-6, "{}", path.mean);
}

#[test]
fn verdicts_hold_for_losses_that_are_zero_or_negative_and_mark_what_is_no_number() {
    let of =
        |losses: &[f64; 3]| PathProfile::of(&[0.0, 0.5, 1.0], losses, &[0.0, 1.0, 2.0]).unwrap();
    for (losses, limit, verdict) in [
        ([1.0, 2.2, 2.0], 2.2, Verdict::Connected),
        ([1.0, 2.21, 2.0], 2.2, Verdict::Separated),
        ([-2.0, -1.0, -1.0], -0.9, Verdict::Connected),
        ([-2.0, -0.89, -1.0], -0.9, Verdict::Separated),
        ([0.0, 0.0, -1.0], 0.0, Verdict::Connected),
        ([0.0, 1e-300, 0.0], 0.0, Verdict::Separated),
        ([1.0, f64::INFINITY, 1.0], 1.1, Verdict::NotFinite),
        ([1.0, f64::NEG_INFINITY, 1.0], 1.1, Verdict::NotFinite),
        ([1.0, f64::NAN, 1.0], 1.1, Verdict::NotFinite),
    ] {
        let path = of(&losses);
        assert_eq!(path.verdict, verdict, "{losses:?}");
        assert!(
            (path.limit - limit).abs() < 1e-15,
            "{losses:?}: {}",
            path.limit
        );
    }
    let unknown = of(&[1.0, f64::NAN, 1.0]);
    assert!(unknown.max.is_nan() && unknown.barrier.is_nan() && unknown.mean.is_nan());
    assert_eq!(unknown.max_t, 0.5);
    assert_eq!(of(&[1.0, f64::INFINITY, 1.0]).barrier, f64::INFINITY);
    let strict = of(&[1.0, 2.05, 2.0]);
    assert_eq!(strict.verdict, Verdict::Connected);
    let strict = strict.with_threshold(1.0).unwrap();
    assert_eq!((strict.verdict, strict.limit), (Verdict::Separated, 2.0));
}

#[test]
fn each_point_of_a_profile_is_handed_over_and_may_be_the_last() {
    let line = between(Shape::Line);
    let mut seen = Vec::new();
    let found = profile_observed(&line, &double_well(), &Buffers::Keep, &[0.5], |t, loss| {
        seen.push((t, loss));
        if seen.len() == 2 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    assert_eq!(found, Err(Error::Cancelled { done: 2 }));
    // (0, 1) and the middle (2, 1).
    assert_eq!(seen, [(0.0, 1.0), (0.5, 9.0)]);
}
