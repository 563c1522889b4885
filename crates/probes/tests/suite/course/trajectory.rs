//! The path on the plane of its principal components.

use probes::instrument::Trajectory;
use probes::sink::Memory;
use probes::{Probes, Schedule, tag};

use super::{assert_close, data, numbers, point, quadratic};

#[test]
fn path_in_a_plane_is_shown_as_it_is() {
    // A path in the plane z = 1 of space: its first two components explain all of it.
    let curvature = [1.0, 4.0, 2.0];
    let risk = quadratic(&curvature);
    let memory = Memory::new();
    let path: Vec<[f64; 3]> = (0..=10)
        .map(|k| {
            let t = f64::from(k) / 10.0;
            [3.0 * (1.0 - t), (1.0 - t) * (1.0 - t), 1.0]
        })
        .collect();
    let mut probes = Probes::unlimited()
        .with(Schedule::every(2), Trajectory::of(&risk).with_points(5))
        .with_total_steps(10)
        .with_sink(memory.clone());
    for (step, at) in (0..).zip(&path) {
        let found = probes.observe(step, &point(at)).expect("a step");
        assert!(found.failed.is_empty(), "{:?}", found.failed);
    }
    let found = data(&memory, tag::TRAJECTORY_PLANE_DATA);
    let [(10, data)] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!(data["steps"], serde_json::json!([0, 2, 4, 6, 8, 10]));
    let explained = numbers(&data["explained"]);
    assert_close(explained.iter().sum(), 1.0, 1e-12);
    let (a, b) = (numbers(&data["path_a"]), numbers(&data["path_b"]));
    let distance = numbers(&data["distance"]);
    let out_of_plane = numbers(&data["out_of_plane"]);
    let (at, on) = (
        numbers(&data["loss_at_snapshot"]),
        numbers(&data["loss_at_projection"]),
    );
    for (place, step) in [0_usize, 2, 4, 6, 8, 10].into_iter().enumerate() {
        let [x, y, z] = path[step];
        let expected = x.hypot(y);
        assert_close(distance[place], expected, 1e-12);
        assert_close(a[place].hypot(b[place]), expected, 1e-12);
        assert_close(out_of_plane[place], 0.0, 1e-9);
        let loss = 0.5 * (curvature[0] * x * x + curvature[1] * y * y + curvature[2] * z * z);
        assert_close(at[place], loss, 1e-12);
        assert_close(on[place], loss, 1e-9);
    }
    // The centre of the picture are the last weights, and its loss is a quadratic's.
    assert_eq!((a[5], b[5]), (0.0, 0.0));
    let tags: Vec<_> = memory.records().into_iter().map(|r| r.tag).collect();
    assert!(tags.contains(&tag::TRAJECTORY_PLANE.to_owned()));
    assert_eq!(
        memory.scalars(tag::TRAJECTORY_EXPLAINED_1),
        [(10, explained[0])]
    );
}

#[test]
fn no_more_snapshots_are_kept_than_was_said_and_they_span_the_run() {
    let risk = quadratic(&[1.0, 4.0]);
    for most in [3, 4, 7] {
        let memory = Memory::new();
        let probe = Trajectory::of(&risk).with_points(5).with_most(most);
        let mut probes = Probes::unlimited()
            .with(Schedule::every(1), probe)
            .with_total_steps(100)
            .with_sink(memory.clone());
        for step in 0..=100_u32 {
            let t = f64::from(step) / 10.0;
            let model = point(&[t.cos(), (1.3 * t).sin()]);
            let found = probes.observe(u64::from(step), &model).expect("a step");
            assert!(found.failed.is_empty(), "{:?}", found.failed);
        }
        let found = data(&memory, tag::TRAJECTORY_PLANE_DATA);
        let steps = numbers(&found[0].1["steps"]);
        // The present model is one more.
        assert!(
            steps.len() <= most + 1 && steps.len() > most / 2,
            "{steps:?}"
        );
        assert_eq!((steps[0], steps[steps.len() - 1]), (0.0, 100.0));
        // Evenly spaced, but for the last one.
        let stride = steps[1];
        assert!(
            (0..steps.len() - 1).all(|i| steps[i] == stride * i as f64),
            "{steps:?}"
        );
    }
}

#[test]
fn path_on_a_line_is_an_error_that_says_so() {
    let risk = quadratic(&[1.0, 4.0]);
    let mut probes = Probes::unlimited()
        .with(Schedule::every(1), Trajectory::of(&risk))
        .with_total_steps(4)
        .with_handler(|_| ());
    for step in 0..4 {
        let model = point(&[step as f64, 2.0 * step as f64]);
        assert!(
            probes
                .observe(step, &model)
                .expect("a step")
                .failed
                .is_empty()
        );
    }
    let found = probes.observe(4, &point(&[4.0, 8.0])).expect("a step");
    assert!(
        found.failed[0].1.to_string().contains("on one line"),
        "{:?}",
        found.failed
    );
}
