//! SAM by hand: the peak is built from plain numbers, the rest is the optimiser's.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{DType, Device, Tensor, TensorData};
use sam::SamConfig;

use crate::steps::nets::{Batch, Mlp, bits, flat, gradients, norm, read};

pub(crate) const RHO: f64 = 0.05;
pub(crate) const STEPS: u64 = 10;

/// The gradient of all parameters in visit order.
pub(crate) fn flat_gradient<M: Module>(model: &M, gradients: &GradientsParams) -> Vec<f64> {
    struct Flat<'a>(&'a GradientsParams, Vec<f64>);
    impl ModuleVisitor for Flat<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let gradient = self.0.get::<D>(param.id).expect("every weight has one");
            self.1.extend(read(gradient));
        }
    }
    let mut flat = Flat(gradients, Vec::new());
    model.visit(&mut flat);
    flat.1
}

/// A model with the identifiers of `model` and these weights.
pub(crate) fn with_weights<M: Module>(model: &M, weights: &[f64]) -> M {
    struct Weights<'a>(&'a [f64]);
    impl ModuleMapper for Weights<'_> {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let (own, rest) = self.0.split_at(param.shape().num_elements());
            self.0 = rest;
            let data = TensorData::new(own.to_vec(), param.shape());
            let tensor = Tensor::<D>::from_data(data, (&param.device(), DType::F64));
            Param::initialized(param.id, tensor.require_grad())
        }
    }
    model.clone().map(&mut Weights(weights))
}

/// w + ρ g / ‖g‖, in plain numbers.
pub(crate) fn peak<M: Module>(model: &M, gradients: &GradientsParams) -> M {
    let g = flat_gradient(model, gradients);
    let length = RHO / norm(&g);
    let weights: Vec<f64> = flat(model)
        .iter()
        .zip(&g)
        .map(|(w, g)| w + length * g)
        .collect();
    with_weights(model, &weights)
}

/// Both promises, over fresh optimisers that `optimiser` makes.
pub(crate) fn check(optimiser: impl Fn() -> ModuleOptimizer, lr: f64) {
    equals_the_equations(&optimiser, lr);
    equals_the_optimiser_alone(&optimiser, lr);
}

/// Both paths do the same arithmetic but for the order of one sum of squares, 1e-16 of the radius;
/// in these steps nothing magnifies that by more than a thousand.
fn equals_the_equations(optimiser: &impl Fn() -> ModuleOptimizer, lr: f64) {
    let device = Device::flex().autodiff();
    let mut sam = SamConfig::new()
        .with_rho(RHO)
        .init()
        .expect("settings in range");
    let mut by_hand = Mlp::new(1, &device, DType::F64);
    let mut model = by_hand.clone();
    let start = flat(&model);
    let (mut optim, mut own_optim) = (optimiser(), optimiser());
    for step in 0..STEPS {
        let batch = Batch::new(100 + step, &device, DType::F64);
        let loss = |m: &Mlp| m.loss(&batch);
        model = sam.step(&mut optim, lr, model, loss).expect("finite").model;

        let g = gradients(&by_hand, loss(&by_hand));
        let peak = peak(&by_hand, &g);
        let at_peak = gradients(&peak, loss(&peak));
        by_hand = own_optim.step(lr, by_hand, at_peak);

        for (ours, expected) in flat(&model).iter().zip(flat(&by_hand)) {
            assert!(
                (ours - expected).abs() < 1e-12,
                "step {step}: {ours} {expected}"
            );
        }
    }
    // Lion's steps of equal length may end where they began.
    let end = flat(&model);
    let moved = end.iter().zip(&start).filter(|(now, then)| now != then);
    assert!(2 * moved.count() > start.len());
}

fn equals_the_optimiser_alone(optimiser: &impl Fn() -> ModuleOptimizer, lr: f64) {
    let device = Device::flex().autodiff();
    let mut sam = SamConfig::new()
        .with_rho(0.0)
        .init()
        .expect("settings in range");
    let mut alone = Mlp::new(1, &device, DType::F64);
    let mut model = alone.clone();
    let (mut optim, mut own_optim) = (optimiser(), optimiser());
    for step in 0..STEPS {
        let batch = Batch::new(100 + step, &device, DType::F64);
        let loss = |m: &Mlp| m.loss(&batch);
        model = sam.step(&mut optim, lr, model, loss).expect("finite").model;
        let g = gradients(&alone, loss(&alone));
        alone = own_optim.step(lr, alone, g);
        assert_eq!(bits(&flat(&model)), bits(&flat(&alone)), "step {step}");
    }
}
