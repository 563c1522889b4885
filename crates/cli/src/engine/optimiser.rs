//! The base optimiser.

use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamConfig, ModuleOptimizer, SgdConfig};

use landscape::stability::{self, OptimiserSettings};

use crate::config::Plan;
use crate::config::choice::{Method, Optimiser};

/// Returns the base optimiser of a plan.
///
/// SGD is Burn's with dampening 0, so the velocity is v = mu v + g and the step w = w - lr v, as in
/// most other libraries; Burn's own default dampening is 0.1. Adam is Burn's with epsilon 1e-8
/// instead of 1e-5.
pub(crate) fn optimiser(plan: &Plan) -> ModuleOptimizer {
    match plan.optimiser {
        Optimiser::Sgd => sgd(plan).init(),
        Optimiser::Adam => adam(plan).init(),
    }
}

/// Returns the settings on which the stability of a plan's steps depends; none where no threshold
/// is known.
///
/// SAM's threshold is that of the curvature without the L2 penalty, which is taken at the weights
/// and not at the peak: with a penalty w the true one is lower, by at most w.
///
/// # Errors
/// A configuration that cannot be read.
pub(crate) fn stability(plan: &Plan) -> anyhow::Result<Option<OptimiserSettings>> {
    Ok(match (plan.optimiser, plan.method) {
        (Optimiser::Sgd, Method::Plain) => Some(OptimiserSettings::try_from(&sgd(plan))?),
        (Optimiser::Adam, Method::Plain) => Some(OptimiserSettings::try_from(&adam(plan))?),
        (Optimiser::Sgd, Method::Sam) => {
            Some(OptimiserSettings::plain(stability::Optimiser::Sam {
                rho: plan.rho.get(),
                momentum: plan.momentum.get(),
                dampening: 0.0,
            }))
        }
        _ => None,
    })
}

fn decay(plan: &Plan) -> Option<WeightDecayConfig> {
    let decay = single(plan.weight_decay.get());
    (decay > 0.0).then(|| WeightDecayConfig::new(decay))
}

fn sgd(plan: &Plan) -> SgdConfig {
    let momentum = plan.momentum.get();
    let momentum = (momentum > 0.0).then_some(MomentumConfig {
        momentum,
        dampening: 0.0,
        nesterov: false,
    });
    SgdConfig::new()
        .with_momentum(momentum)
        .with_weight_decay(decay(plan))
}

fn adam(plan: &Plan) -> AdamConfig {
    AdamConfig::new()
        .with_beta_1(single(plan.momentum.get()))
        .with_epsilon(1e-8)
        .with_weight_decay(decay(plan))
}

/// Rounds to f32, as Burn's optimisers keep it.
#[expect(
    clippy::cast_possible_truncation,
    reason = "rounding is what Burn does with them"
)]
fn single(value: f64) -> f32 {
    value as f32
}
