//! Stopping, saving, loading and going on in float64, over optimisers that remember something.
//!
//! Burn loads what an optimiser remembers in the default type of its device, which is float64 in
//! this process.

use std::path::Path;

use burn::module::{Module, ModuleVisitor, Param};
use burn::nn::Linear;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamConfig, ModuleOptimizer, SgdConfig};
use burn::tensor::{Device, Tensor, TensorData};
use sam::AnyMethod;
use serde_json::json;

use crate::methods::{every_config, method};

const EXAMPLES: usize = 6;
const STEPS: usize = 8;

#[derive(Module, Debug)]
struct Net {
    hidden: Linear,
    out: Linear,
}

/// A triangle wave between -1 and 1: any numbers that differ will do.
fn numbers<const D: usize>(start: usize, shape: [usize; D], device: &Device) -> Tensor<D> {
    let count: usize = shape.iter().product();
    let values: Vec<f64> = (start..start + count)
        .map(|i| (i as f64 * 0.37).rem_euclid(2.0) - 1.0)
        .collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

impl Net {
    fn new(start: usize, device: &Device) -> Self {
        let linear = |start: usize, shape: [usize; 2]| Linear {
            weight: Param::from_tensor(numbers(start, shape, device)),
            bias: None,
        };
        Self {
            hidden: linear(start, [3, 4]),
            out: linear(start + 12, [4, 2]),
        }
    }

    fn losses(&self, inputs: Tensor<2>) -> Tensor<1> {
        let [examples, _] = inputs.dims();
        let output = self.out.forward(self.hidden.forward(inputs).tanh());
        ((output - 0.5).square().sum_dim(1) / 2.0).reshape([examples])
    }

    fn bits(&self) -> Vec<u64> {
        struct Read(Vec<u64>);
        impl ModuleVisitor for Read {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                let data = param.base().inner().to_data();
                self.0.extend(data.iter::<f64>().map(f64::to_bits));
            }
        }
        let mut read = Read(Vec::new());
        self.visit(&mut read);
        read.0
    }
}

struct Training {
    model: Net,
    optim: ModuleOptimizer,
    method: AnyMethod,
}

impl Training {
    fn step(&mut self, number: usize, device: &Device) {
        let inputs = numbers(100 + 18 * number, [EXAMPLES, 3], device);
        let lr = 0.05 / (1.0 + number as f64);
        let model = self.model.clone();
        let step = self
            .method
            .step_examples(&mut self.optim, lr, model, EXAMPLES, |m, rows| {
                m.losses(rows.of(&inputs))
            });
        self.model = step.expect("everything is finite").model;
    }
}

fn goes_on(name: &str, method: AnyMethod, optimiser: fn() -> ModuleOptimizer, device: &Device) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let file = |of: &str| folder.join(format!("sam-{}-{of}-float64.bpk", std::process::id()));
    let fresh = method.clone();
    let mut training = Training {
        model: Net::new(0, device),
        optim: optimiser(),
        method,
    };
    for number in 0..STEPS {
        if number == 2 {
            let model = training.model.clone();
            model.save_file(file("model")).expect("saved");
            training.optim.save(file("optimiser")).expect("saved");
            training.method.save(file("method")).expect("saved");
        }
        training.step(number, device);
    }
    let mut resumed = Training {
        model: Net::new(50, device).load_file(file("model")),
        optim: optimiser().load(file("optimiser")).expect("loaded"),
        method: fresh.load(file("method")).expect("loaded"),
    };
    for number in 2..STEPS {
        resumed.step(number, device);
    }
    assert_eq!(resumed.model.bits(), training.model.bits(), "{name}");
    for of in ["model", "optimiser", "method"] {
        std::fs::remove_file(file(of)).expect("the file is there");
    }
}

#[test]
fn loading_what_was_saved_and_going_on_is_going_on_in_float64() {
    let device = crate::device();
    let momentum = || {
        let momentum = MomentumConfig::new();
        SgdConfig::new().with_momentum(Some(momentum)).init()
    };
    let adam = || AdamConfig::new().init();
    let linear = json!({ "linear": { "end": 0.02, "steps": 6 } });
    let proportional = json!({ "proportional": { "lr_max": 0.05 } });
    for schedule in [linear, proportional] {
        for (name, mut config) in every_config() {
            if name == "LookSAM" {
                config["k"] = 3.into();
            }
            let method = method(config, json!({ "rho": 0.2, "schedule": schedule }));
            goes_on(name, method.clone(), momentum, &device);
            goes_on(name, method, adam, &device);
        }
    }
}
