//! Which parameters the ascent moves, and how far.

use burn::module::{Module, ParamGroup};
use burn::nn::{LayerNorm, LayerNormConfig, Linear};
use burn::tensor::{DType, Device, Tensor};
use proptest::prelude::*;
use sam::{AnyMethod, Perturbed};
use serde_json::json;

use crate::methods::{Settings, every_method};
use crate::properties::cases::{Case, cases};
use crate::properties::nets::{Batch, Numbers, gradients, tensors};
use crate::properties::training::Training;

/// The paths of the parameters that differ.
fn moved<M: Module>(from: &M, to: &M) -> Vec<String> {
    let bits = |values: &[f64]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    let pairs = tensors(from).into_iter().zip(tensors(to));
    pairs
        .filter(|((_, x), (_, y))| bits(x) != bits(y))
        .map(|((path, _), _)| path)
        .collect()
}

/// `‖to − from‖`.
fn distance<M: Module>(from: &M, to: &M) -> f64 {
    let pairs = tensors(from).into_iter().zip(tensors(to));
    let squares =
        pairs.flat_map(|((_, x), (_, y))| x.into_iter().zip(y).map(|(x, y)| (x - y).powi(2)));
    squares.sum::<f64>().sqrt()
}

/// Only the parameters below this layer move, in `ascend` and at every peak that a step looks at,
/// and the optimiser moves the others as well.
fn moves_only(name: &str, method: AnyMethod, case: &Case, layer: &str) {
    let mut training = Training::new(case, method);
    for number in 0..3 {
        let start = training.model.clone();
        let batch = case.batch(number);
        let g = gradients(&start, start.loss(&batch));
        let peak = training.method.clone().ascend(&start, &g).expect("a peak");
        for path in moved(&start, &peak) {
            assert!(path.starts_with(layer), "{name}: {path} moves");
        }
        let step = training.step_with(case, number, |m, rows| {
            for path in moved(&start, m) {
                assert!(path.starts_with(layer), "{name}: {path} moves");
            }
            m.losses(&batch, rows)
        });
        assert!(step.is_ok(), "{name}");
    }
}

/// A frozen layer and a layer without a gradient stay as they are.
fn leaves_alone(name: &str, method: AnyMethod, case: &Case, frozen: usize) {
    let mut model = case.model();
    let layer = model.layers[frozen].clone();
    model.layers[frozen] = layer.no_grad();
    let start = model.clone();
    let mut training = Training::of(model, case, method);
    let is_alone =
        |path: &str| path.starts_with("unused") || path.starts_with(&format!("layers.{frozen}."));
    for number in 0..4 {
        let batch = case.batch(number);
        let step = training.step_with(case, number, |m, rows| {
            assert!(
                !moved(&start, m).iter().any(|path| is_alone(path)),
                "{name}"
            );
            m.losses(&batch, rows)
        });
        assert!(step.is_ok(), "{name}");
        let moved = moved(&start, &training.model);
        assert!(
            !moved.iter().any(|path| is_alone(path)),
            "{name}: {moved:?}"
        );
        let weight = &training.model.layers[frozen].weight;
        assert!(!weight.is_require_grad(), "{name}");
        assert!(training.model.unused.weight.is_require_grad(), "{name}");
    }
}

proptest! {
    #![proptest_config(crate::properties::config())]

    #[test]
    fn parameters_outside_a_group_are_not_moved_by_the_ascent(case in cases(), layer in 0_usize..3) {
        let path = format!("layers.{}.", layer % case.layers());
        let perturbed = Perturbed::Group(ParamGroup::from_predicate(path.as_str()));
        let settings = Settings { perturbed, ..Settings::of_radius(0.1) };
        for (name, method) in every_method(&settings) { moves_only(name, method, &case, &path); }
    }

    #[test]
    fn radius_is_that_of_the_perturbed_parameters_alone(
        case in cases(),
        layer in 0_usize..3,
        rho in 0.01..1.0,
    ) {
        let path = format!("layers.{}.", layer % case.layers());
        let perturbed = Perturbed::Group(ParamGroup::from_predicate(path.as_str()));
        let settings = Settings { perturbed, ..Settings::of_radius(rho) };
        let model = case.model();
        let g = gradients(&model, model.loss(&case.batch(0)));
        let peak = settings.method(json!({ "method": "sam" })).ascend(&model, &g).expect("a peak");
        let far = distance(&model, &peak);
        // Half an ulp of weights below 2, fewer than fifty of them, beside a radius of 0.01;
        // without a gradient (a ReLU that is off for all examples) there is no peak.
        let rounding = if case.dtype == DType::F32 { 1e-4 } else { 1e-13 };
        prop_assert!(far == 0.0 || (far / rho - 1.0).abs() < rounding, "{} and {}", far, rho);
    }

    #[test]
    fn frozen_parameters_and_those_without_a_gradient_are_left_alone(
        case in cases(),
        frozen in 0_usize..2,
    ) {
        // With one layer there would be nothing left to train.
        prop_assume!(case.layers() > 1);
        for (name, method) in every_method(&Settings::of_radius(0.1)) { leaves_alone(name, method, &case, frozen); }
    }

    #[test]
    fn norm_layers_alone_move_when_they_are_asked_for(seed in 0_u64..1000, rho in 0.01..1.0) {
        let model = Normed::new(seed);
        let batch = Batch::new(seed + 1, 5, [3, 2], DType::F32);
        let g = gradients(&model, model.loss(&batch));
        let settings = Settings {
            perturbed: Perturbed::NormLayers,
            ..Settings::of_radius(rho)
        };
        let peak = settings.method(json!({ "method": "sam" })).ascend(&model, &g).expect("a peak");
        prop_assert_eq!(moved(&model, &peak), ["norm.gamma", "norm.beta"]);
        // As above.
        prop_assert!((distance(&model, &peak) / rho - 1.0).abs() < 1e-4);
    }
}

/// Layer normalisation between two layers.
#[derive(Module, Debug)]
struct Normed {
    hidden: Linear,
    norm: LayerNorm,
    out: Linear,
}

impl Normed {
    fn new(seed: u64) -> Self {
        let mut numbers = Numbers::new(seed, DType::F32);
        Self {
            hidden: numbers.linear(3, 4),
            norm: LayerNormConfig::new(4).init(&Device::flex().autodiff()),
            out: numbers.linear(4, 2),
        }
    }

    fn loss(&self, batch: &Batch) -> Tensor<1> {
        let hidden = self.norm.forward(self.hidden.forward(batch.inputs.clone()));
        (self.out.forward(hidden.tanh()) - batch.targets.clone())
            .square()
            .mean()
    }
}
