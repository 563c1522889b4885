//! The search for critical points, on functions whose critical points are known otherwise.

use std::f64::consts::TAU;

use burn::tensor::{DType, Device};
use landscape::Error;
use landscape::critical::{
    CriticalConfig, CriticalKind, SearchConfig, critical_point, find_critical_point,
};
use landscape::test_functions::{Point, TestFunction};

fn point(at: [f64; 2]) -> Point {
    Point::new(at, (&Device::flex(), DType::F64))
}

/// The gradient of the multimodal function, differentiated by hand.
fn multimodal_gradient([x, y]: [f64; 2]) -> [f64; 2] {
    let (s, t) = ((5.0 * x).sin(), (5.0 * y).sin());
    let (c, d) = ((5.0 * x).cos(), (5.0 * y).cos());
    let (r, k) = (x * x + y * y, 1.0 + 0.5 * s * t);
    [2.0 * x * k + 2.5 * r * c * t, 2.0 * y * k + 2.5 * r * s * d]
}

/// The turns of the multimodal function's gradient along the border of `[-side, side]²`. By the
/// theorem of Poincaré and Hopf that is the number of minima and maxima inside less that of
/// saddles.
fn turns(side: f64) -> i64 {
    let corners = [[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]];
    let steps = 20_000;
    let mut angles = Vec::new();
    for (corner, from) in corners.iter().enumerate() {
        let to = corners[(corner + 1) % 4];
        for step in 0..steps {
            let t = f64::from(step) / f64::from(steps);
            let at = [0, 1].map(|i| side * ((1.0 - t) * from[i] + t * to[i]));
            let [x, y] = multimodal_gradient(at);
            angles.push(y.atan2(x));
        }
    }
    let first = angles[0];
    angles.push(first);
    let turned: f64 = angles
        .windows(2)
        .map(|pair| {
            let change = pair[1] - pair[0];
            change - TAU * (change / TAU).round()
        })
        .sum();
    #[expect(clippy::cast_possible_truncation, reason = "a small whole number")]
    let turns = (turned / TAU).round() as i64;
    assert!((turned / TAU - turns as f64).abs() < 1e-6);
    turns
}

#[test]
fn every_critical_point_of_the_multimodal_function_is_found_and_is_one() {
    let side = 1.0;
    let risk = TestFunction::Multimodal.risk((&Device::flex(), DType::F64));
    let mut found: Vec<([f64; 2], CriticalKind)> = Vec::new();
    let starts = 12;
    for i in 0..starts {
        for j in 0..starts {
            let place = |k: i32| side * (2.0 * (f64::from(k) + 0.5) / f64::from(starts) - 1.0);
            let start = point([place(i), place(j)]);
            let end = find_critical_point(&start, &risk, &SearchConfig::new()).unwrap();
            let at = end.model.coordinates();
            let is_new = found
                .iter()
                .all(|(known, _)| known.iter().zip(at).any(|(a, b)| (a - b).abs() > 1e-6));
            if !end.converged || at.iter().any(|x| x.abs() >= side) || !is_new {
                continue;
            }
            // Zero but for the rounding of a function whose second derivatives are below 30.
            let gradient = multimodal_gradient(at);
            assert!(
                gradient.iter().all(|x| x.abs() < 1e-12),
                "{at:?} {gradient:?}"
            );
            let kind = critical_point(&end.model, &risk, &CriticalConfig::new())
                .unwrap()
                .kind;
            found.push((at, kind));
        }
    }
    let count = |kind| found.iter().filter(|(_, other)| *other == kind).count() as i64;
    let (minima, maxima) = (
        count(CriticalKind::LocalMinimum),
        count(CriticalKind::LocalMaximum),
    );
    let saddles = count(CriticalKind::Saddle);
    println!("{minima} minima, {maxima} maxima, {saddles} saddles");
    assert_eq!(found.len() as i64, minima + maxima + saddles);
    assert!(minima > 1 && saddles > 1);
    assert_eq!(minima + maxima - saddles, turns(side));
}

#[test]
fn search_ends_at_the_only_critical_point_or_is_marked() {
    let known = [
        (TestFunction::ConvexQuadratic, [0.0, 0.0]),
        (TestFunction::Saddle, [0.0, 0.0]),
        (TestFunction::Rosenbrock, [1.0, 1.0]),
    ];
    for (function, expected) in known {
        let risk = function.risk((&Device::flex(), DType::F64));
        let mut reached = 0;
        for start in [[-1.5, 1.0], [0.3, -0.7], [2.0, 2.0], [0.8, 0.9]] {
            let end = find_critical_point(&point(start), &risk, &SearchConfig::new()).unwrap();
            let at = end.model.coordinates();
            println!("{function} from {start:?} to {at:?}: {}", end.gradient_norm);
            let is_there = at.iter().zip(expected).all(|(x, y)| (x - y).abs() < 1e-12);
            assert_eq!(is_there, end.converged, "{function} from {start:?}: {at:?}");
            reached += usize::from(is_there);
        }
        // The Hessian of the two quadratics is nowhere singular. Rosenbrock's is on a curve beside
        // the valley, where the norm of the gradient has minima that are not zero.
        let all = function != TestFunction::Rosenbrock;
        assert!(
            if all { reached == 4 } else { reached >= 1 },
            "{function}: {reached}"
        );
    }
}

#[test]
fn end_that_is_not_critical_is_marked() {
    // A few steps are too few on the way through Rosenbrock's valley.
    let risk = TestFunction::Rosenbrock.risk((&Device::flex(), DType::F64));
    let config = SearchConfig::new().with_max_steps(2);
    let end = find_critical_point(&point([-1.2, 1.0]), &risk, &config).unwrap();
    assert!(!end.converged && end.gradient_norm > 0.0 && end.steps == 2);
}

#[test]
fn settings_out_of_range_of_a_search_are_errors() {
    let risk = TestFunction::Saddle.risk((&Device::flex(), DType::F64));
    let new = SearchConfig::new;
    for (config, name) in [
        (new().with_dense_limit(1), "dense_limit"),
        (new().with_gradient_tolerance(0.0), "gradient_tolerance"),
        (new().with_longest_step(f64::NAN), "longest_step"),
    ] {
        match find_critical_point(&point([1.0, 1.0]), &risk, &config) {
            Err(Error::Setting { name: found, .. }) => assert_eq!(found, name),
            other => panic!("{other:?}"),
        }
    }
}
