//! With rho = 0 the base optimiser is what remains, bit for bit.

use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamConfig, AdamWConfig, ModuleOptimizer, SgdConfig};
use burn::tensor::{DType, Device};
use sam::{AsamConfig, Rule, SamConfig, SharpnessAware};

use crate::steps::nets::{Batch, DTYPES, Mlp, Normalised, bits, flat, gradients};

const STEPS: u64 = 50;

fn assert_equal_to_base<R: Rule>(
    method: &mut SharpnessAware<R>,
    optimiser: impl Fn() -> ModuleOptimizer,
    dtype: DType,
) {
    let device = Device::flex().autodiff();
    let (mut sharp, mut base) = (Mlp::new(1, &device, dtype), Mlp::new(1, &device, dtype));
    let (mut optim, mut base_optim) = (optimiser(), optimiser());
    let mut calls = 0;
    for step in 0..STEPS {
        let batch = Batch::new(100 + step, &device, dtype);
        let taken = method
            .step(&mut optim, 0.05, sharp, |m| {
                calls += 1;
                m.loss(&batch)
            })
            .expect("everything is finite");
        assert_eq!(
            taken.measured.loss.to_bits(),
            taken.measured.peak.expect("a peak").loss.to_bits()
        );
        sharp = taken.model;
        let g = gradients(&base, base.loss(&batch));
        base = base_optim.step(0.05, base, g);
        assert_eq!(bits(&flat(&sharp)), bits(&flat(&base)), "step {step}");
    }
    assert_eq!(calls, 2 * STEPS, "both passes are run");
}

fn for_both_methods(optimiser: impl Fn() -> ModuleOptimizer) {
    for dtype in DTYPES {
        assert_equal_to_base(
            &mut SamConfig::new()
                .with_rho(0.0)
                .init()
                .expect("settings in range"),
            &optimiser,
            dtype,
        );
        assert_equal_to_base(
            &mut AsamConfig::new()
                .with_rho(0.0)
                .init()
                .expect("settings in range"),
            &optimiser,
            dtype,
        );
    }
}

#[test]
fn rho_zero_is_sgd_with_momentum_bit_for_bit() {
    for_both_methods(|| {
        SgdConfig::new()
            .with_momentum(Some(MomentumConfig::new()))
            .init()
    });
}

#[test]
fn rho_zero_is_adam_bit_for_bit() {
    for_both_methods(|| AdamConfig::new().init());
}

#[test]
fn rho_zero_is_adamw_bit_for_bit() {
    for_both_methods(|| AdamWConfig::new().init());
}

#[test]
fn rho_zero_keeps_the_base_optimisers_batch_norm_statistics() {
    let device = Device::flex().autodiff();
    for dtype in DTYPES {
        let mut method = SamConfig::new()
            .with_rho(0.0)
            .init()
            .expect("settings in range");
        let mut sharp = Normalised::new(1, &device, dtype);
        let mut base = Normalised::new(1, &device, dtype);
        let (mut optim, mut base_optim) = (SgdConfig::new().init(), SgdConfig::new().init());
        for step in 0..STEPS {
            let batch = Batch::new(100 + step, &device, dtype);
            sharp = method
                .step(&mut optim, 0.05, sharp, |m| m.loss(&batch))
                .unwrap()
                .model;
            let g = gradients(&base, base.loss(&batch));
            base = base_optim.step(0.05, base, g);
        }
        assert_eq!(sharp.statistics(), base.statistics());
        assert_eq!(bits(&flat(&sharp)), bits(&flat(&base)));
    }
}
