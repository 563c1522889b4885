//! The base optimiser.

use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamConfig, ModuleOptimizer, SgdConfig};

use crate::config::Plan;
use crate::config::choice::Optimiser;

/// Returns the base optimiser of a plan.
///
/// SGD is Burn's with dampening 0, so the velocity is v = mu v + g and the step w = w - lr v, as in
/// most other libraries; Burn's own default dampening is 0.1. Adam is Burn's with epsilon 1e-8
/// instead of 1e-5.
pub(crate) fn optimiser(plan: &Plan) -> ModuleOptimizer {
    let decay = single(plan.weight_decay.get());
    let decay = (decay > 0.0).then(|| WeightDecayConfig::new(decay));
    let momentum = plan.momentum.get();
    match plan.optimiser {
        Optimiser::Sgd => {
            let momentum = (momentum > 0.0).then_some(MomentumConfig {
                momentum,
                dampening: 0.0,
                nesterov: false,
            });
            SgdConfig::new()
                .with_momentum(momentum)
                .with_weight_decay(decay)
                .init()
        }
        Optimiser::Adam => AdamConfig::new()
            .with_beta_1(single(plan.momentum.get()))
            .with_epsilon(1e-8)
            .with_weight_decay(decay)
            .init(),
    }
}

/// Rounds to f32, as Burn's optimisers keep it.
#[expect(
    clippy::cast_possible_truncation,
    reason = "rounding is what Burn does with them"
)]
fn single(value: f64) -> f32 {
    value as f32
}
