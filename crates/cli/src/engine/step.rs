//! One optimiser step: the base optimiser alone, or SAM or ASAM over it.

use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer, SgdConfig};
use burn::tensor::{Int, Tensor};
use sam::{Asam, AsamConfig, Sam, SamConfig, SharpnessAware};

use super::data::Batch;
use super::network::Network;
use crate::config::Plan;
use crate::config::choice::{Method, Optimiser};

/// The base optimiser of a plan.
///
/// SGD is Burn's with dampening 0, so the velocity is v = mu v + g and the step w = w - lr v, as in most other
/// libraries; Burn's own default dampening is 0.1. Adam is Burn's with epsilon 1e-8 instead of 1e-5.
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

/// Burn's optimisers keep these as f32.
#[expect(
    clippy::cast_possible_truncation,
    reason = "rounding is what Burn does with them"
)]
fn single(value: f64) -> f32 {
    value as f32
}

/// What is done around the base optimiser.
pub(crate) enum Stepper {
    /// Nothing.
    Plain,
    /// SAM.
    Sam(Sam),
    /// ASAM.
    Asam(Asam),
}

/// What a step came to.
pub(crate) enum Stepped<M> {
    /// The weights after the step, the loss of the batch at the weights before it, and what else the
    /// method has seen, by tag.
    Done(M, f64, Vec<(&'static str, f64)>),
    /// The loss or its gradient is not finite: which, and where.
    Refused(String),
}

impl Stepper {
    /// The method of a plan.
    pub(crate) fn new(plan: &Plan) -> Self {
        let rho = plan.rho.get();
        match plan.method {
            Method::Plain => Self::Plain,
            Method::Sam => Self::Sam(SamConfig::new().with_rho(rho).init()),
            Method::Asam => Self::Asam(AsamConfig::new().with_rho(rho).init()),
        }
    }

    /// One step on one batch.
    pub(crate) fn step<M: Network>(
        &mut self,
        optimiser: &mut ModuleOptimizer,
        learning_rate: f64,
        model: M,
        batch: &Batch,
    ) -> Stepped<M> {
        match self {
            Self::Plain => plain(optimiser, learning_rate, model, batch),
            Self::Sam(method) => over(method, optimiser, learning_rate, model, batch),
            Self::Asam(method) => over(method, optimiser, learning_rate, model, batch),
        }
    }
}

fn plain<M: Network>(
    optimiser: &mut ModuleOptimizer,
    learning_rate: f64,
    model: M,
    batch: &Batch,
) -> Stepped<M> {
    let loss = loss(&model, batch);
    let value = loss.clone().into_scalar::<f64>();
    if !value.is_finite() {
        return Stepped::Refused(format!("the loss is {value}"));
    }
    let gradients = GradientsParams::from_grads(loss.backward(), &model);
    let model = optimiser.step(learning_rate, model, gradients);
    Stepped::Done(model, value, Vec::new())
}

/// The mean cross-entropy of a batch in nats, `[1]`.
pub(crate) fn loss<M: Network>(model: &M, (images, labels): &Batch) -> Tensor<1> {
    cross_entropy(model.logits(images.clone()), labels.clone())
}

/// The mean cross-entropy of logits `[B, classes]` in nats, `[1]`.
pub(crate) fn cross_entropy(logits: Tensor<2>, labels: Tensor<1, Int>) -> Tensor<1> {
    CrossEntropyLossConfig::new()
        .init(&logits.device())
        .forward(logits, labels)
}

fn over<S: SharpnessAware, M: Network>(
    method: &mut S,
    optimiser: &mut ModuleOptimizer,
    learning_rate: f64,
    model: M,
    batch: &Batch,
) -> Stepped<M> {
    match method.step(optimiser, learning_rate, model, |model: &M| {
        loss(model, batch)
    }) {
        Ok(step) => {
            let scalars = step.scalars().collect();
            Stepped::Done(step.model, step.loss, scalars)
        }
        Err(rejected) => Stepped::Refused(rejected.reason.to_string()),
    }
}
