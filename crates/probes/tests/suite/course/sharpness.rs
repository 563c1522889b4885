//! The sharpness suite on a quadratic.

use std::f64::consts::TAU;

use probes::instrument::{AscentSharpness, SharpnessSuite};
use probes::{Probes, Schedule, Value};

use super::{assert_close, point, quadratic, scalar};

const CURVATURE: [f64; 2] = [9.0, 1.0];
const AT: [f64; 2] = [0.2, -1.0];

/// The rise `gᵀe + ½ eᵀHe`.
fn rise([x, y]: [f64; 2]) -> f64 {
    let [a, b] = CURVATURE;
    a * AT[0] * x + b * AT[1] * y + 0.5 * (a * x * x + b * y * y)
}

#[test]
fn measures_of_the_suite_are_those_of_the_quadratic() {
    let risk = quadratic(&CURVATURE);
    let probe = SharpnessSuite::of(&risk).with_seed(3);
    let mut probes = Probes::unlimited().with(Schedule::every(1), probe);
    let found = probes.observe(0, &point(&AT)).expect("a step");
    let g = [CURVATURE[0] * AT[0], CURVATURE[1] * AT[1]];
    let norm = g[0].hypot(g[1]);
    let sam = rise(g.map(|g| 0.05 * g / norm));
    assert_close(scalar(&found, "sharpness/sam"), sam, 1e-12);
    // The one parameter has rank 1, so that ASAM's ball does not scale it.
    let asam = rise(g.map(|g| 0.5 * g / norm));
    assert_close(scalar(&found, "sharpness/asam"), asam, 1e-12);
    // The worst case, by looking all around the circle: the quadratic is convex, so its maximum is
    // on the boundary. The angles are 6e-5 apart, and the rise is flat at its maximum.
    for (tag, radius) in [("worst_ball", 0.05), ("asam_worst_ball", 0.5)] {
        let angles = (0..100_000).map(|i| TAU * f64::from(i) / 1e5);
        let around = angles.map(|angle| rise([radius * angle.cos(), radius * angle.sin()]));
        let worst = around.fold(0.0, f64::max);
        let value = scalar(&found, &format!("sharpness/{tag}"));
        assert!(
            value <= worst * (1.0 + 1e-8) && value >= worst * (1.0 - 1e-3),
            "{tag}: {value} {worst}"
        );
    }
    let random = scalar(&found, "sharpness/random_ball");
    assert!(random <= scalar(&found, "sharpness/worst_ball") && random > 0.0);
    // Odd terms cancel in a pair: σ²/2 tr(H) and σ²/2 Σ aᵢ θᵢ², within four standard errors.
    let adaptive = CURVATURE[0] * AT[0] * AT[0] + CURVATURE[1] * AT[1] * AT[1];
    for (name, expected) in [
        ("average", 0.5 * 1e-4 * 10.0),
        ("average_adaptive", 0.5 * 1e-2 * adaptive),
    ] {
        let value = scalar(&found, &format!("sharpness/{name}"));
        let error = scalar(
            &found,
            &format!("curvature_check/sharpness_{name}_standard_error"),
        );
        assert!(error > 0.0 && error < expected);
        assert_close(value, expected, 4.0 * error);
    }
    let table = found.records.iter().find(|r| r.tag == "sharpness/measures");
    let Some(Value::Text(table)) = table.map(|record| &record.value) else {
        panic!("{table:?}")
    };
    // Six of balls and averages without invariance, and one with.
    assert!(table.contains("lower bound") && table.contains("| yes |") && table.contains("| no |"));
}

#[test]
fn sam_is_left_to_the_other_instrument() {
    let risk = quadratic(&CURVATURE);
    let mut probes = Probes::unlimited()
        .with(Schedule::every(1), AscentSharpness::of(&risk, 0.05))
        .with(Schedule::every(1), SharpnessSuite::of(&risk).without_sam());
    let found = probes.observe(0, &point(&AT)).expect("a step");
    assert!(found.warnings.is_empty(), "{:?}", found.warnings);
    assert!(scalar(&found, "sharpness/sam") > 0.0);
}
