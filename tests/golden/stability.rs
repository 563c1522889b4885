//! The threshold of SAM beside steps of SAM over Burn's SGD on quadratics.

use burn::module::{Module, Param};
use burn::optim::momentum::MomentumConfig;
use burn::optim::{ModuleOptimizer, SgdConfig};
use burn::tensor::{DType, Device, Tensor, TensorData};
use landscape::stability::{Optimiser, OptimiserSettings, stability};
use landscape::{LanczosConfig, Risk, download, norm};
use sam::SamConfig;

#[derive(Module, Debug)]
struct Point {
    at: Param<Tensor<1>>,
}

fn vector<const D: usize>(values: Vec<f64>, shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values, shape), (device, DType::F64))
}

/// Rows x with `½ mean (x·w)² = ½ wᵀHw`: one curvature of 1.7 along (0.6, 0.8), and 0 across.
fn rows() -> Tensor<2> {
    let scale = (2.0 * 1.7_f64).sqrt();
    vector(
        vec![0.6 * scale, 0.8 * scale, 0.0, 0.0],
        [2, 2],
        &Device::flex(),
    )
}

fn loss(model: &Point, x: &Tensor<2>) -> Tensor<1> {
    let outputs = x.clone().matmul(model.at.val().unsqueeze_dim(1));
    outputs.powi_scalar(2).mean().mul_scalar(0.5)
}

/// A point at a distance from the minimum, along the sharp direction.
fn point(distance: f64) -> Point {
    let at = vec![0.6 * distance, 0.8 * distance];
    Point {
        at: Param::from_tensor(vector(at, [2], &Device::flex().autodiff())),
    }
}

fn distance(model: &Point) -> f64 {
    norm(&download(&model.at.val().inner()))
}

/// The ratio of stability of SAM with radius `rho` over `config`, at `model`.
fn ratio(model: &Point, config: &SgdConfig, rho: f64, lr: f64) -> f64 {
    let settings = OptimiserSettings::try_from(config).expect("SGD has a threshold");
    let settings = settings.with_sam(rho).expect("SAM over SGD has one");
    let risk = Risk::mean([rows()], loss);
    let lanczos = LanczosConfig::new().with_tolerance(1e-12);
    let found = stability(model, &risk, &settings, None, lr, &lanczos).expect("a ratio");
    let expected = settings.optimiser.threshold(lr, 1.7 * distance(model));
    assert!((found.threshold / expected.expect("a threshold") - 1.0).abs() < 1e-12);
    found.ratio
}

fn step(optimiser: &mut ModuleOptimizer, rho: f64, lr: f64, model: Point) -> Point {
    let mut sam = SamConfig::new().with_rho(rho).init().expect("a method");
    let x = rows().to_device(&Device::flex().autodiff());
    let step = sam.step(optimiser, lr, model, |model| loss(model, &x));
    step.expect("a step").model
}

#[test]
fn step_of_sam_shrinks_the_weights_below_its_threshold_and_grows_them_above() {
    let (rho, at) = (0.2, 0.5);
    let config = SgdConfig::new();
    // 1.7 lr (1 + 1.7 rho / (1.7 at)) = 2 is the edge.
    let edge = 2.0 / (1.7 * (1.0 + rho / at));
    for (share, shrinks) in [(0.98, true), (1.02, false)] {
        let lr = share * edge;
        let model = point(at);
        let ratio = ratio(&model, &config, rho, lr);
        assert_eq!(ratio < 1.0, shrinks, "{ratio}");
        let model = step(&mut config.init(), rho, lr, model);
        // The step goes to the other side, share times as far less what is left: 1 - 2 share.
        assert!((distance(&model) / at - (2.0 * share - 1.0)).abs() < 1e-12);
    }
}

#[test]
fn sam_over_gradient_descent_and_momentum_settles_at_a_ratio_of_one() {
    // Far out the base optimiser is stable; close by the radius is larger than the distance, and
    // the steps grow. Between both the weights jump from side to side at the edge of stability.
    let heavy_ball = |momentum, dampening| {
        SgdConfig::new().with_momentum(Some(MomentumConfig {
            momentum,
            dampening,
            nesterov: false,
        }))
    };
    for config in [SgdConfig::new(), heavy_ball(0.5, 0.0), heavy_ball(0.5, 0.1)] {
        let settings = OptimiserSettings::try_from(&config).expect("SGD has a threshold");
        for (share, start) in [(0.7, 2.0), (0.9, 0.01)] {
            let lr = share * settings.optimiser.threshold(1.0, 0.0).expect("a threshold") / 1.7;
            let rho = 0.05;
            let mut optimiser = config.init();
            let mut model = point(start);
            for _ in 0..400 {
                model = step(&mut optimiser, rho, lr, model);
            }
            let ratio = ratio(&model, &config, rho, lr);
            println!("SAM over {:?} settles at {ratio:.12}", settings.optimiser);
            assert!(
                (ratio - 1.0).abs() < 1e-9,
                "{:?} {ratio}",
                settings.optimiser
            );
        }
    }
}

#[test]
fn optimisers_are_written_and_read_by_name() {
    for (optimiser, json) in [
        (Optimiser::GradientDescent, r#"{"name":"gradient_descent"}"#),
        (
            Optimiser::HeavyBall {
                momentum: 0.9,
                dampening: 0.1,
            },
            r#"{"name":"heavy_ball","momentum":0.9,"dampening":0.1}"#,
        ),
        (
            Optimiser::Adam { beta_1: 0.9 },
            r#"{"name":"adam","beta_1":0.9}"#,
        ),
        (
            Optimiser::AdamW {
                beta_1: 0.9,
                weight_decay: 0.5,
            },
            r#"{"name":"adam_w","beta_1":0.9,"weight_decay":0.5}"#,
        ),
        (
            Optimiser::RmsProp { momentum: 0.0 },
            r#"{"name":"rms_prop","momentum":0.0}"#,
        ),
    ] {
        assert_eq!(serde_json::to_string(&optimiser).expect("JSON"), json);
        let read: Optimiser = serde_json::from_str(json).expect("an optimiser");
        assert_eq!(read, optimiser);
    }
}
