//! Equal dropout masks. Dropout draws from the device's generator, which is one for the whole
//! process: only this test of the process draws from it.

use burn::module::{Module, Param};
use burn::nn::{Dropout, DropoutConfig, Linear};
use burn::optim::SgdConfig;
use burn::tensor::{DType, Device, Distribution, Tensor, TensorData};
use sam::{AnyMethod, SamConfig};
use serde_json::json;

use crate::methods::{every_config, method};

const EXAMPLES: usize = 8;

#[derive(Module, Debug)]
struct Net {
    hidden: Linear,
    dropout: Dropout,
    out: Linear,
}

/// A triangle wave between -1 and 1: any numbers that differ will do.
fn numbers<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    let count: usize = shape.iter().product();
    let values: Vec<f64> = (0..count)
        .map(|i| (i as f64 * 0.37).rem_euclid(2.0) - 1.0)
        .collect();
    Tensor::from_data(TensorData::new(values, shape), (device, DType::F32))
}

fn linear(shape: [usize; 2], device: &Device) -> Linear {
    Linear {
        weight: Param::from_tensor(numbers(shape, device)),
        bias: None,
    }
}

impl Net {
    fn new(device: &Device) -> Self {
        Self {
            hidden: linear([4, 32], device),
            dropout: DropoutConfig::new(0.5).init(),
            out: linear([32, 2], device),
        }
    }

    fn losses(&self, inputs: Tensor<2>) -> Tensor<1> {
        let [examples, _] = inputs.dims();
        let hidden = self.dropout.forward(self.hidden.forward(inputs).tanh());
        let output = self.out.forward(hidden);
        (output.square().sum_dim(1) / 2.0).reshape([examples])
    }
}

/// The losses of both passes of some steps with a radius and a learning rate of zero: only the
/// masks can make them differ.
fn losses(mut method: AnyMethod, device: &Device) -> Vec<(f64, f64)> {
    let inputs = numbers([EXAMPLES, 4], device);
    let mut model = Net::new(device);
    let mut optim = SgdConfig::new().init();
    (0..3)
        .map(|_| {
            let step = method
                .step_examples(&mut optim, 0.0, model.clone(), EXAMPLES, |m, rows| {
                    m.losses(rows.of(&inputs))
                })
                .expect("everything is finite");
            model = step.model;
            let peak = step.measured.peak.expect("each step looks for a peak");
            (step.measured.loss, peak.loss)
        })
        .collect()
}

fn equal_with_a_seed(name: &str, method: AnyMethod, device: &Device) {
    device.seed(1);
    let once = losses(method.clone(), device);
    for (at_weights, at_peak) in &once {
        assert_eq!(at_weights, at_peak, "{name}");
    }
    // Each step has masks of its own, and the seed of the method decides which, not the device's.
    assert!(once[0].0 != once[1].0 && once[1].0 != once[2].0, "{name}");
    device.seed(2);
    assert_eq!(losses(method, device), once, "{name}");
}

fn different_without(name: &str, method: AnyMethod, device: &Device) {
    for (at_weights, at_peak) in losses(method, device) {
        assert_ne!(at_weights, at_peak, "{name}");
    }
}

/// What the device draws next, after a step or after as many passes by hand.
fn next_draw(device: &Device) -> Vec<f32> {
    let drawn = Tensor::<1>::random([4], Distribution::Default, device);
    drawn.try_into_vec_as().expect("floats can be read")
}

#[test]
fn dropout_masks_are_equal_in_both_passes_with_a_seed_and_only_then() {
    let device = crate::device();
    let mut methods = Vec::from(every_config());
    let in_two = json!({ "method": "sam", "ascent_steps": 2 });
    methods.push(("SAM in two ascent steps", in_two));
    for (name, mut config) in methods {
        if name == "LookSAM" {
            // It looks for a peak in every step.
            config["k"] = 1.into();
        }
        let seeded = method(config.clone(), json!({ "rho": 0.0, "same_masks": 3 }));
        equal_with_a_seed(name, seeded, &device);
        let without = method(config, json!({ "rho": 0.0 }));
        different_without(name, without, &device);
    }

    // Without a seed the generator is the training's: a step draws what its passes draw, no more.
    let inputs = numbers([EXAMPLES, 4], &device);
    let model = Net::new(&device);
    device.seed(5);
    for _ in 0..2 {
        let _ = model.losses(inputs.clone());
    }
    let by_hand = next_draw(&device);
    device.seed(5);
    let mut optim = SgdConfig::new().init();
    let step =
        SamConfig::new()
            .init()
            .expect("settings in range")
            .step(&mut optim, 0.1, model, |m| m.losses(inputs.clone()).mean());
    assert!(step.is_ok());
    assert_eq!(next_draw(&device), by_hand);
}
