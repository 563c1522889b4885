//! Densities over time, and surfaces on one scale.

use burn::module::Param;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{DType, Device, Tensor, TensorData};
use landscape::{Grid, Risk};
use probes::instrument::{HessianDensity, LossSurface, SurfaceScale};
use probes::sink::Memory;
use probes::{Probes, Schedule, tag};

use super::{assert_close, data, numbers, point, quadratic};

#[test]
fn densities_of_all_steps_so_far_are_on_one_grid_with_integral_one() {
    let risk = quadratic(&[9.0, 1.0, 1.0, -2.0]);
    let memory = Memory::new();
    let mut probes = Probes::unlimited()
        .with(Schedule::every(10), HessianDensity::of(&risk))
        .with_sink(memory.clone());
    for step in [0, 10, 20] {
        let found = probes
            .observe(step, &point(&[1.0, 0.5, 0.3, 0.2]))
            .expect("a step");
        assert!(found.failed.is_empty(), "{:?}", found.failed);
    }
    let found = data(&memory, tag::DENSITY_OVER_TIME_DATA);
    // One step alone is no course.
    let steps: Vec<u64> = found.iter().map(|(step, _)| *step).collect();
    assert_eq!(steps, [10, 20]);
    let last = &found[1].1;
    assert_eq!(last["steps"], serde_json::json!([0, 10, 20]));
    let grid = numbers(&last["grid"]);
    assert!(grid[0] < -2.0 && grid[grid.len() - 1] > 9.0);
    let densities = last["density"].as_array().expect("a list");
    assert_eq!(densities.len(), 3);
    for density in densities {
        let density = numbers(density);
        assert_eq!(density.len(), grid.len());
        // The grid ends four standard deviations beyond the nodes: 6e-5 of the mass is outside.
        let spacing = grid[1] - grid[0];
        assert_close(density.iter().sum::<f64>() * spacing, 1.0, 1e-3);
    }
    let pictures = memory.records();
    let pictures = pictures.iter().filter(|r| r.tag == tag::DENSITY_OVER_TIME);
    assert_eq!(pictures.count(), 2);
}

/// A linear model with one filter of two weights, and the risk `‖w‖²`.
fn filter(weight: [[f64; 1]; 2]) -> Linear {
    let device = Device::flex().autodiff();
    let mut model: Linear = LinearConfig::new(2, 1).with_bias(false).init(&device);
    let data = TensorData::from(weight);
    model.weight = Param::from_tensor(Tensor::from_data(data, (&device, DType::F64)));
    model
}

fn square() -> Risk<Linear, Tensor<1>> {
    let one = Tensor::<1>::ones([1], &Device::flex());
    let risk = Risk::mean(one, |model: &Linear, _: &Tensor<1>| {
        model.weight.val().square().sum()
    });
    risk.without_reduction_check()
}

#[test]
fn surfaces_of_a_run_can_have_one_scale() {
    let risk = square();
    let grid = Grid::square(-1.0..=1.0, 5);
    let limits = |scale: SurfaceScale| -> Vec<Option<Vec<f64>>> {
        let memory = Memory::new();
        let probe = LossSurface::of(&risk, grid.clone()).with_scale(scale);
        let mut probes = Probes::unlimited()
            .with(Schedule::every(1), probe)
            .with_sink(memory.clone());
        for (step, at) in [(0, 4.0), (1, 1.0), (2, 0.1)] {
            let found = probes.observe(step, &filter([[at], [at]])).expect("a step");
            assert!(found.failed.is_empty(), "{:?}", found.failed);
        }
        let found = data(&memory, tag::SURFACE_DATA);
        let of = |(_, data): &(u64, serde_json::Value)| data.get("limits").map(numbers);
        found.iter().map(of).collect()
    };
    assert_eq!(limits(SurfaceScale::Own), [None, None, None]);
    let given = Some(vec![0.5, 8.0]);
    let found = limits(SurfaceScale::Limits([0.5, 8.0]));
    assert_eq!(found, [given.clone(), given.clone(), given]);
    let found = limits(SurfaceScale::First);
    assert!(found[0].is_some() && found[0] == found[1] && found[1] == found[2]);
    let decades = limits(SurfaceScale::Decades(2));
    let (first, all) = (
        found[0].clone().expect("limits"),
        decades[2].clone().expect("limits"),
    );
    assert_close(all[1], first[1], 0.0);
    assert_close(all[0], first[1] / 100.0, 1e-12);
}

#[test]
fn directions_that_are_kept_are_the_same_distance_at_each_step() {
    let risk = square();
    let grid = Grid {
        a: vec![-1.0, 0.0, 1.0],
        b: vec![0.0, 1.0],
    };
    // ½ (‖w + d‖² + ‖w − d‖²) − ‖w‖² = ‖d‖².
    let rises = |keeps: bool| -> Vec<f64> {
        let memory = Memory::new();
        let probe = LossSurface::of(&risk, grid.clone());
        let probe = if keeps {
            probe.with_fixed_directions()
        } else {
            probe
        };
        let mut probes = Probes::unlimited()
            .with(Schedule::every(1), probe)
            .with_sink(memory.clone());
        for (step, size) in [(0, 1.0), (1, 10.0)] {
            let model = filter([[3.0 * size], [4.0 * size]]);
            probes.observe(step, &model).expect("a step");
        }
        let found = data(&memory, tag::SURFACE_DATA);
        let rise = |(_, data): &(u64, serde_json::Value)| {
            let loss = numbers(&data["loss"]);
            0.5 * (loss[0] + loss[4] - 2.0 * loss[2])
        };
        found.iter().map(rise).collect()
    };
    // ‖d‖ is the norm of the one filter, 5 and 50, but for the 1e-10 of the normalisation.
    let scaled = rises(false);
    assert_close(scaled[0], 25.0, 1e-7);
    assert_close(scaled[1], 2500.0, 1e-5);
    let kept = rises(true);
    assert_close(kept[0], 25.0, 1e-7);
    assert_close(kept[1], 25.0, 1e-7);
}
