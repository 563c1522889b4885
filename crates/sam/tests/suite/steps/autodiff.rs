//! The autodiff state of parameters, buffers and constants through a step.

use burn::module::Module;
use burn::optim::SgdConfig;
use burn::tensor::{DType, Device, Tensor};
use sam::{AsamConfig, BatchNormStatistics, SamConfig};

use crate::steps::nets::{Batch, Host, Mlp, Normalised, gradients};

const POLICIES: [BatchNormStatistics; 2] = [
    BatchNormStatistics::FirstPass,
    BatchNormStatistics::BothPasses,
];

#[test]
fn gradient_checkpointing_survives_steps_with_batch_norm() {
    let device = Device::flex().autodiff().gradient_checkpointing();
    let strategy = device.gradient_checkpointing_strategy();
    let plain = Device::flex().autodiff().gradient_checkpointing_strategy();
    assert_ne!(
        strategy, plain,
        "the test is about a strategy that is not the default"
    );
    for policy in POLICIES {
        let mut model = Normalised::new(1, &device, DType::F32);
        let mut optim = SgdConfig::new().init();
        let mut sam = SamConfig::new()
            .with_batch_norm(policy)
            .init()
            .expect("settings in range");
        let mut asam = AsamConfig::new()
            .with_batch_norm(policy)
            .init()
            .expect("settings in range");
        for step in 0..2 {
            let batch = Batch::new(10 + step, &device, DType::F32);
            let g = gradients(&model, model.loss(&batch));
            let peak = sam.ascend(&model, &g).expect("a peak");
            assert_eq!(
                peak.hidden.weight.gradient_checkpointing_strategy(),
                strategy
            );
            assert_eq!(peak.norm.gamma.gradient_checkpointing_strategy(), strategy);
            model = sam
                .step(&mut optim, 0.1, model, |m| m.loss(&batch))
                .unwrap()
                .model;
            model = asam
                .step(&mut optim, 0.1, model, |m| m.loss(&batch))
                .unwrap()
                .model;
            assert_eq!(
                model.hidden.weight.gradient_checkpointing_strategy(),
                strategy
            );
        }
    }
}

/// A constant beside the parameters, as a table of positions is.
#[derive(Module, Debug)]
struct WithConstant {
    shift: Tensor<2>,
    mlp: Mlp,
}

#[test]
fn gradient_checkpointing_survives_steps_with_constants() {
    let device = Device::flex().autodiff().gradient_checkpointing();
    for policy in POLICIES {
        let mut model = WithConstant {
            shift: Host(3).tensor([1, 6], &device, DType::F32),
            mlp: Mlp::new(1, &device, DType::F32),
        };
        let mut optim = SgdConfig::new().init();
        let mut sam = SamConfig::new()
            .with_batch_norm(policy)
            .init()
            .expect("settings in range");
        for step in 0..2 {
            let batch = Batch::new(10 + step, &device, DType::F32);
            let loss = |m: &WithConstant| {
                let mut batch = batch.clone();
                batch.inputs = batch.inputs + m.shift.clone();
                m.mlp.loss(&batch)
            };
            model = sam.step(&mut optim, 0.1, model, loss).unwrap().model;
        }
    }
}

#[test]
fn rejected_model_keeps_its_checkpointing_strategy() {
    let device = Device::flex().autodiff().gradient_checkpointing();
    let model = Normalised::new(1, &device, DType::F32);
    let batch = Batch::new(2, &device, DType::F32);
    let mut optim = SgdConfig::new().init();
    let mut sam = SamConfig::new().init().expect("settings in range");
    let refused = sam.step(&mut optim, 0.1, model, |m| m.loss(&batch) / 0.0);
    let model = refused.expect_err("an infinite loss is refused").model;
    assert!(sam.step(&mut optim, 0.1, model, |m| m.loss(&batch)).is_ok());
}
