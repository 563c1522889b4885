//! Exact measurements between two training steps leave the training as it is, bit for bit.
//!
//! The only test of its process: a process has one stream of random numbers for the device.

use burn::module::{Module, ModuleVisitor, Param};
use burn::nn::{BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Linear, LinearConfig};
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::{Device, Distribution, Tensor, TensorData, activation::relu};
use landscape::slice::plane;
use landscape::{
    Batch, GaussNewton, Grid, Hessian, LinearOperator, Method, ParameterSpace, Reduction, Risk,
    Statistics,
};

type Pair = (Tensor<2>, Tensor<2>);

#[derive(Module, Debug)]
struct Net {
    hidden: Linear,
    norm: BatchNorm,
    dropout: Dropout,
    head: Linear,
}

impl Net {
    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let hidden = relu(self.norm.forward(self.hidden.forward(x)));
        self.head.forward(self.dropout.forward(hidden))
    }
}

fn loss(outputs: Tensor<2>, y: &Tensor<2>) -> Tensor<1> {
    (outputs - y.clone()).square().mean()
}

fn data(device: &Device, seed: f32) -> Pair {
    let x: Vec<f32> = (0..48).map(|i| (i as f32 * 0.7 + seed).sin()).collect();
    let y: Vec<f32> = (0..16).map(|i| (i as f32 * 1.3 - seed).cos()).collect();
    (
        Tensor::from_data(TensorData::new(x, [16, 3]), device),
        Tensor::from_data(TensorData::new(y, [16, 1]), device),
    )
}

struct Bits(Vec<u32>);

impl ModuleVisitor for Bits {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let data = param.val().into_data();
        self.0.extend(data.iter::<f32>().map(f32::to_bits));
    }
}

/// Products with the Hessian and the Gauss-Newton matrix and a plane, on both policies.
fn measure(model: &Net, risk: &Risk<Net, Pair>) {
    for statistics in [Statistics::Running, Statistics::Batch] {
        let risk = risk.clone().with_statistics(statistics);
        let hessian = Hessian::at(model, &risk).expect("a Hessian");
        assert!(matches!(hessian.method(), Method::Exact { .. }));
        let ones = Tensor::<1>::ones([hessian.dim()], &hessian.domain().device);
        hessian.apply(&ones).expect("a product");
        let gauss_newton = GaussNewton::at(model, &risk).expect("a Gauss-Newton matrix");
        gauss_newton.apply(&ones).expect("a product");
        let grid = Grid::square(-0.5..=0.5, 3);
        let alternating: Vec<f64> = (0..hessian.dim())
            .map(|i| if i % 2 == 0 { 1.0 } else { -1.0 })
            .collect();
        let other = hessian.domain().upload(&alternating).expect("a vector");
        plane(model, &risk, [&ones, &other], &grid).expect("a plane");
    }
}

/// The bits a training ends in: weights, buffers, and what the random stream would give next.
fn training(measured: bool) -> Vec<u32> {
    let device = Device::flex().autodiff();
    device.seed(5);
    let mut model = Net {
        hidden: LinearConfig::new(3, 6).init(&device),
        norm: BatchNormConfig::new(6).init(&device),
        dropout: DropoutConfig::new(0.3).init(),
        head: LinearConfig::new(6, 1).init(&device),
    };
    let mut optimiser = AdamConfig::new().init();
    let sample = data(&Device::flex(), 0.3);
    assert_eq!(sample.examples(), 16);
    let risk = Risk::of(
        [sample],
        |model: &Net, (x, _): &Pair| model.forward(x.clone()),
        |outputs: Tensor<2>, (_, y): &Pair| loss(outputs, y),
        Reduction::Mean,
    );
    for step in 0..5 {
        let (x, y) = data(&device, step as f32);
        let gradients = loss(model.forward(x), &y).backward();
        let gradients = GradientsParams::from_grads(gradients, &model);
        model = optimiser.step(1e-2, model, gradients);
        if measured {
            measure(&model, &risk);
        }
    }
    assert!(ParameterSpace::of(&model).is_ok());
    // `valid` brings in the statistics that the last forward pass left pending.
    let mut bits = Bits(Vec::new());
    model.valid().visit(&mut bits);
    let next = Tensor::<1>::random([32], Distribution::Default, &Device::flex());
    bits.0
        .extend(next.into_data().iter::<f32>().map(f32::to_bits));
    bits.0
}

#[test]
fn measuring_between_steps_changes_no_bit_of_a_training_with_batch_norm() {
    let plain = training(false);
    // 24 + 4 * 6 + 7 weights and buffers, and 32 random numbers.
    assert!(plain.len() >= 24 + 24 + 7 + 32, "{}", plain.len());
    assert_eq!(plain, training(false), "the training is repeatable");
    assert_eq!(plain, training(true));
}
