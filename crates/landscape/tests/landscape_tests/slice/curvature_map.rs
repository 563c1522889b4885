//! Extreme eigenvalues over a plane, of a loss whose Hessian is known in closed form.

use std::ops::ControlFlow;

use burn::tensor::Tensor;
use landscape::slice::curvature_map;
use landscape::{Error, Grid, LanczosConfig, Risk};

use super::{Point, point, vector};

/// x⁴ + y³ + 5 z²: its Hessian is the diagonal 12 x², 6 y, 10.
fn quartic() -> Risk<Point, Tensor<1>> {
    Risk::mean([vector(&[1.0])], |model: &Point, one: &Tensor<1>| {
        let at = model.at.val();
        let entry = |i: usize| at.clone().slice_dim(0, i..i + 1);
        let sum = entry(0).powi_scalar(4) + entry(1).powi_scalar(3) + entry(2).square() * 5.0;
        sum * one.clone()
    })
}

#[test]
fn extreme_eigenvalues_are_those_of_the_closed_form_at_every_point() {
    let model = point(&[0.0, 0.0, 1.0]);
    let (first, second) = (vector(&[1.0, 0.0, 0.0]), vector(&[0.0, 1.0, 0.0]));
    let grid = Grid::rectangle((-1.0..=1.0, 3), (-2.0..=1.0, 4));
    let mut seen = Vec::new();
    let map = curvature_map(
        &model,
        &quartic(),
        [&first, &second],
        &grid,
        &LanczosConfig::new().with_tolerance(1e-9),
        |index, curvature| {
            seen.push((index, *curvature));
            ControlFlow::Continue(())
        },
    )
    .unwrap();
    // Every other row backwards.
    let order: Vec<usize> = seen.iter().map(|(index, _)| *index).collect();
    assert_eq!(order, [0, 1, 2, 3, 7, 6, 5, 4, 8, 9, 10, 11]);
    for (index, found) in map.points.iter().enumerate() {
        let (a, b) = (grid.a[index / 4], grid.b[index % 4]);
        let values = [12.0 * a * a, 6.0 * b, 10.0];
        let max = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let min = values.iter().copied().fold(f64::INFINITY, f64::min);
        assert!(found.converged, "{found:?}");
        assert!(
            (found.max - max).abs() < 1e-7 && (found.min - min).abs() < 1e-7,
            "{found:?}"
        );
        let ratio = if min < 0.0 { -min / max } else { 0.0 };
        assert!(
            (found.ratio() - ratio).abs() < 1e-7,
            "{} for {ratio}",
            found.ratio()
        );
    }
    assert!(
        seen.iter()
            .all(|(index, found)| map.points[*index] == *found)
    );
}

#[test]
fn places_without_a_loss_have_no_curvature_and_the_map_goes_on() {
    let log = Risk::mean([vector(&[1.0])], |model: &Point, one: &Tensor<1>| {
        let at = model.at.val();
        (at.clone().slice_dim(0, 0..1).log() + at.square().sum()) * one.clone()
    });
    let model = point(&[1.0, 0.0]);
    let along = [&vector(&[1.0, 0.0]), &vector(&[0.0, 1.0])];
    let grid = Grid::rectangle((-2.0..=1.0, 2), (0.0..=1.0, 2));
    let config = LanczosConfig::new();
    let go_on = |_: usize, _: &_| ControlFlow::Continue(());
    let map = curvature_map(&model, &log, along, &grid, &config, go_on).unwrap();
    assert!(
        map.points[..2]
            .iter()
            .all(|p| p.max.is_nan() && p.ratio().is_nan() && !p.converged)
    );
    // At x = 2: −1/4 + 2 and 2.
    assert!(
        map.points[2..]
            .iter()
            .all(|p| p.converged && (p.max - 2.0).abs() < 1e-6)
    );
    let stopped = curvature_map(&model, &log, along, &grid, &config, |_, _| {
        ControlFlow::Break(())
    });
    assert_eq!(stopped, Err(Error::Cancelled { done: 1 }));
    let parallel = curvature_map(&model, &log, [along[0], along[0]], &grid, &config, go_on);
    assert!(matches!(parallel, Err(Error::NoDirection { .. })));
}
