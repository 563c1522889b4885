//! A captured loss on planes and lines beside its values point by point, on every case and view.

use burn::tensor::{DType, Device, Tensor};
use derivatives::{Capture, CapturedLoss, Statistics};
use landscape::{Batch, ParameterSpace};
use tests::{Case, CaseVisitor, Net, WithoutAutodiff, for_each_case_on};

fn captured<N: Net>(case: &Case<N>) -> CapturedLoss {
    let inner = case.batch.clone().map(&mut WithoutAutodiff);
    // Layers whose training flag is off use their running statistics either way.
    Capture::of(&case.model)
        .with_statistics(Statistics::Batch)
        .loss(|model: &N, device| model.loss(&inner.clone().on_device(device)))
        .expect("the loss can be captured")
}

struct PointByPoint {
    tolerance: f64,
    visited: usize,
}

impl CaseVisitor for PointByPoint {
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        let loss = captured(case);
        let theta = loss.origin();
        let space = ParameterSpace::of(&case.model).expect("a space");
        let direction = |family| {
            let upload = space.domain.upload(&case.family(family));
            upload.expect("P entries")
        };
        let (first, second) = (direction("d1"), direction("d2"));
        let plane = loss.on_plane(&theta, [&first, &second]).expect("a plane");
        let line = loss.on_plane(&theta, [&second]).expect("a line");
        let mut worst: f64 = 0.0;
        let mut compare = |ours: f64, at: Tensor<1>| {
            let theirs = loss.value(&at).expect("a value");
            worst = worst.max((ours - theirs).abs() / theirs.abs());
        };
        for a in [-1.0, -0.25, 0.0, 0.5, 1.0] {
            let row = theta.clone() + first.clone() * a;
            for b in [-0.75, 0.0, 0.125] {
                let at = row.clone() + second.clone() * b;
                compare(plane.value([a, b]), at);
            }
            compare(line.value([a]), theta.clone() + second.clone() * a);
        }
        println!("{:30} {worst:.1e}", case.to_string());
        assert!(worst < self.tolerance, "{case}: {worst:.1e}");
        self.visited += 1;
    }
}

/// Both sides are float64 and differ by the order of their sums.
#[test]
fn values_on_a_plane_are_those_of_its_points_on_every_case() {
    let device = Device::flex().autodiff();
    let mut points = PointByPoint {
        tolerance: 1e-12,
        visited: 0,
    };
    for_each_case_on(&device, DType::F64, &mut points);
    assert_eq!(points.visited, 10);
}

/// The same order of sums in float32, whose rounding is 5e8 times as large; networks amplify it.
#[test]
fn values_on_a_plane_in_single_precision_differ_by_its_rounding() {
    let device = Device::flex().autodiff();
    let mut points = PointByPoint {
        tolerance: 1e-5,
        visited: 0,
    };
    for_each_case_on(&device, DType::F32, &mut points);
    assert_eq!(points.visited, 10);
}
