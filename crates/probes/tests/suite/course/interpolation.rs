//! The loss on lines to earlier weights.

use burn::tensor::Tensor;
use landscape::Risk;
use probes::instrument::Interpolation;
use probes::sink::Memory;
use probes::{Probes, Schedule, tag};

use super::{Point, assert_close, data, numbers, point, quadratic, scalar};

/// `(x² − 1)² + 1`: two minima with a hill of height 1 between them.
fn wells() -> Risk<Point, Tensor<1>> {
    let one = Tensor::<1>::ones([1], &burn::tensor::Device::flex());
    let risk = Risk::mean(one, |model: &Point, _: &Tensor<1>| {
        ((model.at.val().square() - 1.0).square() + 1.0).sum()
    });
    risk.without_reduction_check()
}

#[test]
fn lines_are_from_the_first_weights_and_from_the_last_measurement() {
    let risk = quadratic(&[2.0, 6.0]);
    let memory = Memory::new();
    let path = [[4.0, 0.0], [3.0, 1.0], [2.0, -1.0], [1.0, 0.5]];
    let probe = Interpolation::of(&risk, "loss").with_points(5);
    // It is not due at step 0, and sees the first weights in spite of that.
    let mut probes = Probes::unlimited()
        .with(Schedule::at([1, 3]), probe)
        .with_sink(memory.clone());
    for (step, at) in (0..).zip(&path) {
        let found = probes.observe(step, &point(at)).expect("a step");
        assert!(found.failed.is_empty() && found.warnings.is_empty());
    }
    let loss = |[x, y]: [f64; 2]| x * x + 3.0 * y * y;
    let lines = [
        (tag::FROM_START_DATA, vec![(0, 1), (0, 3)]),
        // At step 1 nothing was measured before.
        (tag::FROM_LAST_DATA, vec![(1, 3)]),
    ];
    for (tag, expected) in lines {
        let found = data(&memory, tag);
        assert_eq!(found.len(), expected.len(), "{tag}");
        for ((step, data), (from, to)) in found.iter().zip(expected) {
            assert_eq!(*step, to);
            assert_eq!(
                (&data["from_step"], &data["to_step"]),
                (&from.into(), &to.into())
            );
            assert_eq!(data["buffers"], "interpolated");
            let [a, b] = [from, to].map(|step| path[usize::try_from(step).expect("a step")]);
            let distance = (a[0] - b[0]).hypot(a[1] - b[1]);
            assert_close(
                data["distance"].as_f64().expect("a number"),
                distance,
                1e-12,
            );
            let t = numbers(&data["t"]);
            assert_eq!(t, [0.0, 0.25, 0.5, 0.75, 1.0]);
            let losses = numbers(&data["curves"][0]["loss"]);
            for (t, found) in t.iter().zip(losses) {
                let at = [0, 1].map(|i| (1.0 - t) * a[i] + t * b[i]);
                assert_close(found, loss(at), 1e-12);
            }
            // A convex loss has no barrier.
            assert_eq!(data["barrier"].as_f64(), Some(0.0));
        }
    }
    let barriers = memory.scalars(tag::FROM_START_BARRIER);
    assert_eq!(barriers, [(1, 0.0), (3, 0.0)]);
    let pictures = memory.records();
    let pictures = pictures
        .iter()
        .filter(|record| record.tag == tag::FROM_START);
    assert_eq!(pictures.count(), 2);
}

#[test]
fn barrier_is_the_height_of_the_hill_between_two_minima() {
    let risk = wells();
    let probe = Interpolation::of(&risk, "loss").with_points(21);
    let mut probes = Probes::unlimited().with(Schedule::every(1), probe);
    probes.observe(0, &point(&[-1.0])).expect("a step");
    let found = probes.observe(1, &point(&[1.0])).expect("a step");
    // f(0) − f(±1) = 2 − 1, in the middle, which is a point.
    assert_close(scalar(&found, "landscape/barrier_from_start"), 1.0, 1e-12);
    assert_close(scalar(&found, "landscape/barrier_from_last"), 1.0, 1e-12);
}

#[test]
fn run_that_is_gone_on_with_says_that_its_start_is_unknown() {
    let risk = wells();
    let memory = Memory::new();
    let mut probes = Probes::unlimited()
        .with(Schedule::every(10), Interpolation::of(&risk, "loss"))
        .with_sink(memory.clone());
    let first = probes.observe(40, &point(&[-1.0])).expect("a step");
    assert_eq!(first.warnings.len(), 1);
    assert!(
        first.warnings[0].contains("those of step 40"),
        "{:?}",
        first.warnings
    );
    let next = probes.observe(50, &point(&[0.5])).expect("a step");
    assert!(next.warnings.is_empty());
    assert_eq!(data(&memory, tag::FROM_START_DATA)[0].1["from_step"], 40);
    // Whoever has the start gives it.
    let given = Memory::new();
    let probe = Interpolation::of(&risk, "loss").with_start(&point(&[-2.0]));
    let mut probes = Probes::unlimited()
        .with(Schedule::every(10), probe)
        .with_sink(given.clone());
    let first = probes.observe(40, &point(&[-1.0])).expect("a step");
    assert!(first.warnings.is_empty());
    assert_eq!(data(&given, tag::FROM_START_DATA)[0].1["from_step"], 0);
}

#[test]
fn loss_that_is_not_finite_on_the_way_stays_what_it_is() {
    // 1/x² is infinite in the middle between −1 and 1.
    let one = Tensor::<1>::ones([1], &burn::tensor::Device::flex());
    let risk = Risk::mean(one, |model: &Point, _: &Tensor<1>| {
        model.at.val().square().recip().sum()
    })
    .without_reduction_check();
    let memory = Memory::new();
    let mut probes = Probes::unlimited()
        .with(
            Schedule::every(1),
            Interpolation::of(&risk, "loss").with_points(5),
        )
        .with_sink(memory.clone());
    probes.observe(0, &point(&[-1.0])).expect("a step");
    let found = probes.observe(1, &point(&[1.0])).expect("a step");
    let data = data(&memory, tag::FROM_START_DATA);
    assert_eq!(data[0].1["curves"][0]["loss"][2], "inf");
    assert_eq!(
        scalar(&found, "landscape/barrier_from_start"),
        f64::INFINITY
    );
}
