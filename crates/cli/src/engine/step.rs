//! One optimiser step: the base optimiser alone, or a sharpness-aware method over it.

use anyhow::Context;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::Bytes;
use landscape::Batch;
use sam::{
    Asam, AsamConfig, Batches, Esam, FriendlySam, Gsam, LookSam, MicroBatchSam, Sam, SamConfig,
    SharpnessAware, StateRecord,
};

use super::rows::rows;
use crate::config::Plan;
use crate::config::choice::Method;
use crate::workload::Workload;

/// What is done around the base optimiser.
pub(crate) enum Stepper {
    /// Nothing.
    Plain,
    /// SAM.
    Sam(Sam),
    /// ASAM.
    Asam(Asam),
    /// GSAM.
    Gsam(Gsam),
    /// LookSAM.
    LookSam(LookSam),
    /// ESAM.
    Esam(Esam),
    /// Friendly-SAM.
    FriendlySam(FriendlySam),
    /// m-SAM.
    MicroBatchSam(MicroBatchSam),
}

/// One expression for the method of a stepper, whatever its type, and one for a stepper without.
macro_rules! with_method {
    ($stepper:expr, $plain:expr, $method:ident => $body:expr) => {
        match $stepper {
            Stepper::Plain => $plain,
            Stepper::Sam($method) => $body,
            Stepper::Asam($method) => $body,
            Stepper::Gsam($method) => $body,
            Stepper::LookSam($method) => $body,
            Stepper::Esam($method) => $body,
            Stepper::FriendlySam($method) => $body,
            Stepper::MicroBatchSam($method) => $body,
        }
    };
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
        let (rho, sam) = (plan.rho.get(), &plan.sam);
        match plan.method {
            Method::Plain => Self::Plain,
            Method::Sam => Self::Sam(SamConfig::new().with_rho(rho).init()),
            Method::Asam => Self::Asam(AsamConfig::new().with_rho(rho).init()),
            Method::Gsam => Self::Gsam(sam.gsam().with_rho(rho).init()),
            Method::LookSam => Self::LookSam(sam.looksam().with_rho(rho).init()),
            Method::Esam => {
                let config = sam.esam().with_seed(u64::from(plan.seed));
                Self::Esam(config.with_rho(rho).init())
            }
            Method::FriendlySam => Self::FriendlySam(sam.friendly_sam().with_rho(rho).init()),
            Method::MicroBatchSam => {
                Self::MicroBatchSam(sam.m_sam(plan.batch_size).with_rho(rho).init())
            }
        }
    }

    /// One step on one batch.
    pub(crate) fn step<W: Workload>(
        &mut self,
        optimiser: &mut ModuleOptimizer,
        learning_rate: f64,
        model: W::Model,
        workload: &W,
        batch: &W::Batch,
    ) -> Stepped<W::Model> {
        with_method!(
            self,
            plain(optimiser, learning_rate, model, workload, batch),
            method => over(method, optimiser, learning_rate, model, workload, batch)
        )
    }

    /// What the method remembers from step to step, as bytes; nothing without a method.
    ///
    /// # Errors
    ///
    /// When Burn cannot encode it.
    pub(crate) fn to_bytes(&self) -> anyhow::Result<Option<Bytes>> {
        let record = with_method!(self, return Ok(None), method => method.to_record());
        let bytes = record.into_bytes();
        bytes
            .map(Some)
            .context("the method's state cannot be encoded")
    }

    /// With the memory that [`to_bytes`](Self::to_bytes) has written.
    ///
    /// # Errors
    ///
    /// When the bytes are something else.
    pub(crate) fn remember(&mut self, bytes: Vec<u8>) -> anyhow::Result<()> {
        let record = StateRecord::from_bytes(Bytes::from_bytes_vec(bytes))
            .context("the checkpoint's state of the method cannot be read")?;
        with_method!(self, (), method => *method = method.clone().load_record(record));
        Ok(())
    }
}

fn plain<W: Workload>(
    optimiser: &mut ModuleOptimizer,
    learning_rate: f64,
    model: W::Model,
    workload: &W,
    batch: &W::Batch,
) -> Stepped<W::Model> {
    let loss = workload.loss(&model, batch);
    let value = loss.clone().into_scalar::<f64>();
    if !value.is_finite() {
        return Stepped::Refused(format!("the loss is {value}"));
    }
    let gradients = GradientsParams::from_grads(loss.backward(), &model);
    let model = optimiser.step(learning_rate, model, gradients);
    Stepped::Done(model, value, Vec::new())
}

fn over<S: SharpnessAware, W: Workload>(
    method: &mut S,
    optimiser: &mut ModuleOptimizer,
    learning_rate: f64,
    model: W::Model,
    workload: &W,
    batch: &W::Batch,
) -> Stepped<W::Model> {
    let step = if method.batches() == Batches::Whole {
        method.step(optimiser, learning_rate, model, |model: &W::Model| {
            workload.loss(model, batch)
        })
    } else {
        let examples = batch.examples();
        method.step_examples(
            optimiser,
            learning_rate,
            model,
            examples,
            |model, chosen| {
                let losses = workload.losses(model, &rows(batch, chosen));
                losses.expect("a workload without them is refused before the first step")
            },
        )
    };
    match step {
        Ok(step) => {
            let scalars = step.scalars().collect();
            Stepped::Done(step.model, step.loss, scalars)
        }
        Err(rejected) => Stepped::Refused(rejected.reason.to_string()),
    }
}
