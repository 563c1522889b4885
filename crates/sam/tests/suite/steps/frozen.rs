//! Parameters that take no part.

use burn::module::{LoraAdapter, Module, Param, ParamGroup, Reparameterizer};
use burn::nn::Linear;
use burn::optim::AdamConfig;
use burn::tensor::{DType, Device, Tensor};
use sam::{AsamConfig, BatchNormStatistics, SamConfig};

use crate::steps::nets::{Batch, DTYPES, Host, Mlp, bits, flat, gradients};

#[test]
fn frozen_parameters_do_not_move() {
    let device = Device::flex().autodiff();
    for policy in [
        BatchNormStatistics::FirstPass,
        BatchNormStatistics::BothPasses,
    ] {
        for dtype in DTYPES {
            let mut model = Mlp::new(1, &device, dtype);
            model.hidden = model.hidden.no_grad();
            let batch = Batch::new(2, &device, dtype);
            let (frozen, free) = (flat(&model.hidden), flat(&model.out));
            let g = gradients(&model, model.loss(&batch));
            let peak = SamConfig::new()
                .with_batch_norm(policy)
                .init()
                .expect("settings in range")
                .ascend(&model, &g)
                .expect("a peak");
            assert_eq!(bits(&flat(&peak.hidden)), bits(&frozen));
            assert_ne!(flat(&peak.out), free);
            assert!(!peak.hidden.weight.is_require_grad() && peak.out.weight.is_require_grad());

            let mut optim = AdamConfig::new().init();
            let mut asam = AsamConfig::new()
                .with_batch_norm(policy)
                .init()
                .expect("settings in range");
            for _ in 0..3 {
                model = asam
                    .step(&mut optim, 0.1, model, |m| m.loss(&batch))
                    .unwrap()
                    .model;
            }
            assert_eq!(bits(&flat(&model.hidden)), bits(&frozen));
            assert_ne!(flat(&model.out), free);
        }
    }
}

#[derive(Module, Debug)]
struct WithUnused {
    used: Mlp,
    unused: Linear,
}

#[test]
fn parameter_without_a_gradient_is_left_alone() {
    let device = Device::flex().autodiff();
    for dtype in DTYPES {
        let model = WithUnused {
            used: Mlp::new(1, &device, dtype),
            unused: Host(9).linear([3, 3], &device, dtype),
        };
        let batch = Batch::new(2, &device, dtype);
        let unused = flat(&model.unused);
        let g = gradients(&model, model.used.loss(&batch));
        let peak = AsamConfig::new()
            .init()
            .expect("settings in range")
            .ascend(&model, &g)
            .expect("a peak");
        assert_eq!(bits(&flat(&peak.unused)), bits(&unused));
        assert!(peak.unused.weight.is_require_grad());
        assert_ne!(flat(&peak.used), flat(&model.used));

        let mut optim = AdamConfig::new().init();
        let step =
            SamConfig::new()
                .init()
                .expect("settings in range")
                .step(&mut optim, 0.1, model, |m| m.used.loss(&batch));
        assert_eq!(bits(&flat(&step.unwrap().model.unused)), bits(&unused));
    }
}

#[test]
fn peak_keeps_identifiers_and_the_model_keeps_its_weights() {
    let device = Device::flex().autodiff();
    let (model, batch) = (
        Mlp::new(1, &device, DType::F64),
        Batch::new(2, &device, DType::F64),
    );
    let before = flat(&model);
    let g = gradients(&model, model.loss(&batch));
    let peak = SamConfig::new()
        .init()
        .expect("settings in range")
        .ascend(&model, &g)
        .expect("a peak");
    assert_eq!(
        burn::module::list_param_ids(&peak),
        burn::module::list_param_ids(&model)
    );
    assert_eq!(bits(&flat(&model)), bits(&before));
}

/// LoRA with factors from the host: Burn's own draws them on the device.
struct HostLora(Host);

impl Reparameterizer for HostLora {
    type Reparam = LoraAdapter;

    fn reparameterize<const D: usize>(
        &mut self,
        path: &str,
        param: Param<Tensor<D>>,
    ) -> (Param<Tensor<D>>, Option<LoraAdapter>) {
        let param = param.set_require_grad(false);
        let is_weight =
            D == 2 && ParamGroup::from_predicate("weight").matches(&param.id, Some(path));
        if !is_weight {
            return (param, None);
        }
        let (shape, device, dtype) = (param.dims(), param.device(), param.dtype());
        let adapter = LoraAdapter {
            a: Param::from_tensor(self.0.tensor([shape[0], 2], &device, dtype)),
            b: Param::from_tensor(self.0.tensor([2, shape[1]], &device, dtype)),
            scale: 0.5,
        };
        (param, Some(adapter))
    }
}

#[test]
fn reparameterised_weights_keep_their_adapters_and_only_those_move() {
    let device = Device::flex().autodiff();
    for policy in [
        BatchNormStatistics::FirstPass,
        BatchNormStatistics::BothPasses,
    ] {
        for dtype in DTYPES {
            let mut model = Mlp::new(1, &device, dtype).apply_reparameterization(HostLora(Host(5)));
            let batch = Batch::new(2, &device, dtype);
            let base = |m: &Mlp| bits(&crate::steps::nets::read(m.hidden.weight.base()));
            let adapter = |m: &Mlp| bits(&flat(m.hidden.weight.adapter().expect("an adapter")));
            let (frozen, start) = (base(&model), adapter(&model));

            let mut sam = SamConfig::new()
                .with_batch_norm(policy)
                .init()
                .expect("settings in range");
            let g = gradients(&model, model.loss(&batch));
            let peak = sam.ascend(&model, &g).expect("a peak");
            assert_eq!(base(&peak), frozen);
            assert_ne!(adapter(&peak), start);

            let mut optim = AdamConfig::new().init();
            for _ in 0..2 {
                model = sam
                    .step(&mut optim, 0.1, model, |m| m.loss(&batch))
                    .unwrap()
                    .model;
            }
            assert_eq!(base(&model), frozen);
            assert_ne!(adapter(&model), start);
        }
    }
}
