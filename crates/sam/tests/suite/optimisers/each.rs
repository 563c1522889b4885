//! The optimisers that step any parameter by its gradient alone.

use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{
    AdaGradConfig, AdafactorConfig, AdamConfig, AdamWConfig, AdanConfig, LambConfig, LionConfig,
    RmsPropConfig, SgdConfig,
};

use crate::optimisers::by_hand::check;

#[test]
fn sam_over_adagrad_is_what_its_equations_say() {
    check(|| AdaGradConfig::new().init(), 0.05);
}

#[test]
fn sam_over_adam_is_what_its_equations_say() {
    check(|| AdamConfig::new().init(), 0.01);
}

#[test]
fn sam_over_adamw_is_what_its_equations_say() {
    // The decay is of w: at the peak, another point, it would differ by rho times itself.
    check(|| AdamWConfig::new().with_weight_decay(0.1).init(), 0.01);
}

#[test]
fn sam_over_adafactor_is_what_its_equations_say() {
    // Its step is relative to the size of the weights: of w, not of the peak.
    check(|| AdafactorConfig::new().init(), 0.05);
}

#[test]
fn sam_over_adan_is_what_its_equations_say() {
    check(|| AdanConfig::new().init(), 0.01);
}

#[test]
fn sam_over_lamb_is_what_its_equations_say() {
    check(|| LambConfig::new().with_weight_decay(0.01).init(), 0.01);
}

#[test]
fn sam_over_lion_is_what_its_equations_say() {
    check(|| LionConfig::new().init(), 0.001);
}

#[test]
fn sam_over_rms_prop_is_what_its_equations_say() {
    check(|| RmsPropConfig::new().with_centered(true).init(), 0.01);
}

#[test]
fn sam_over_sgd_is_what_its_equations_say() {
    check(|| SgdConfig::new().init(), 0.1);
    let momentum = MomentumConfig::new().with_nesterov(true);
    let config = SgdConfig::new()
        .with_momentum(Some(momentum))
        .with_weight_decay(Some(WeightDecayConfig::new(0.01)));
    check(|| config.init(), 0.1);
}
