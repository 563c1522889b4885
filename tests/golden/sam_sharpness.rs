//! The ascent gain of a step of SAM beside the sharpness that `landscape` measures: two programs,
//! one number.

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::{DType, Device, Tensor, TensorData};
use landscape::Risk;
use landscape::sharpness::sam_sharpness;
use proptest::prelude::*;
use sam::SamConfig;
use tests::{Case, CaseVisitor, Net, for_each_case};

/// As for the gradient at the peak: two orders of the same sums, magnified by the curvature.
const ROUNDING: f64 = 1e-11;

/// The ascent gain and the gradient of a step of SAM, and those that `landscape` measures.
fn agrees<M: Module, B: landscape::Batch>(
    model: &M,
    risk: &Risk<M, B>,
    loss: impl Fn(&M) -> Tensor<1>,
    rho: f64,
) {
    let measured = sam_sharpness(model, risk, rho).expect("a sharpness");
    let mut sam = SamConfig::new().with_rho(rho).init().expect("a method");
    let descent = sam.gradient(model, |m| loss(m)).expect("a descent");
    let descent = descent.measured;
    let peak = descent.peak.expect("a peak");
    let near = |x: f64, y: f64| (x - y).abs() <= ROUNDING * y.abs().max(measured.loss.abs());
    assert!(near(descent.loss, measured.loss));
    assert!(near(descent.gradient_norm, measured.gradient_norm));
    assert!(near(peak.loss, measured.peak_loss));
    assert!(near(peak.loss - descent.loss, measured.value));
}

struct Agreement(usize);

impl CaseVisitor for Agreement {
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        for rho in [0.01, 0.05, 0.5] {
            agrees(&case.model, &case.risk(), |m| case.loss(m), rho);
        }
        self.0 += 1;
    }
}

#[test]
fn ascent_gain_is_the_sharpness_that_landscape_measures() {
    let mut agreement = Agreement(0);
    for_each_case(&mut agreement);
    assert_eq!(agreement.0, 10);
}

/// A layer in two or three fields, and one that is alone.
#[derive(Module, Debug)]
struct Tied {
    layers: Vec<Linear>,
    out: Linear,
}

impl Tied {
    fn loss(&self, x: &Tensor<2>) -> Tensor<1> {
        let through = |x: Tensor<2>, layer: &Linear| layer.forward(x).tanh();
        let hidden = self.layers.iter().fold(x.clone(), through);
        self.out.forward(hidden).square().sum_dim(1).mean()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn ascent_gain_of_a_tied_network_is_the_sharpness_that_landscape_measures(
        numbers in prop::collection::vec(-1.0..1.0_f64, 29),
        places in 1_usize..4,
        rho in 0.01..0.5,
    ) {
        let device = Device::flex().autodiff();
        let mut numbers = numbers.into_iter();
        let mut param = |shape: &[usize]| {
            let count = shape.iter().product();
            let values: Vec<f64> = numbers.by_ref().take(count).collect();
            TensorData::new(values, shape.to_vec())
        };
        let tensor = |data| Tensor::from_data(data, (&device, DType::F64));
        let mut linear = |inputs, outputs| Linear {
            weight: Param::from_tensor(tensor(param(&[inputs, outputs]))),
            bias: None,
        };
        let layer = linear(3, 3);
        let model = Tied { layers: vec![layer; places], out: linear(3, 2) };
        let x: Tensor<2> = tensor(param(&[4, 3]));
        let risk = Risk::mean([x.clone()], |m: &Tied, x: &Tensor<2>| m.loss(x));
        agrees(&model, &risk, |m| m.loss(&x), rho);
    }
}
