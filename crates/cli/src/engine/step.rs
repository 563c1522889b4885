//! One optimiser step: the base optimiser alone, or a sharpness-aware method over it.

use anyhow::Context;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::Bytes;
use landscape::Batch;
use sam::{AnyMethod, AsamConfig, BatchUse, SamConfig, StateRecord};

use super::clip::clipped;
use super::rows::rows;
use crate::config::Plan;
use crate::config::bounded::Bounded;
use crate::config::choice::Method;
use crate::workload::Workload;

/// The base optimiser alone, or a method over it.
pub(crate) struct Stepper {
    method: Option<AnyMethod>,
    /// Largest norm of the gradient of a step without a method.
    clip: Option<f64>,
}

/// The outcome of a step.
pub(crate) enum Stepped<M> {
    /// The weights after the step, the loss of the batch at the weights before it, and what else
    /// the method has seen, by tag.
    Done(M, f64, Vec<(&'static str, f64)>),
    /// The loss or its gradient is not finite: which, and where.
    Refused(String),
}

impl Stepper {
    /// Makes the method of a plan.
    ///
    /// # Errors
    /// A setting that is out of range.
    pub(crate) fn new(plan: &Plan) -> anyhow::Result<Self> {
        let (rho, sam) = (plan.rho.get(), &plan.sam);
        let method = match plan.method {
            Method::Plain => {
                return Ok(Self {
                    method: None,
                    clip: plan.clip.map(Bounded::get),
                });
            }
            Method::Sam => SamConfig::new().with_rho(rho).init()?.into_any(),
            Method::Asam => AsamConfig::new().with_rho(rho).init()?.into_any(),
            Method::Gsam => sam.gsam().with_rho(rho).init()?.into_any(),
            Method::LookSam => sam.looksam().with_rho(rho).init()?.into_any(),
            Method::Esam => {
                let config = sam.esam().with_seed(u64::from(plan.seed));
                config.with_rho(rho).init()?.into_any()
            }
            Method::FriendlySam => sam.friendly_sam().with_rho(rho).init()?.into_any(),
            Method::MicroBatchSam => {
                let config = sam.m_sam(plan.batch_size);
                config.with_rho(rho).init()?.into_any()
            }
        };
        Ok(Self {
            method: Some(method),
            clip: None,
        })
    }

    /// Takes one step on one batch.
    pub(crate) fn step<W: Workload>(
        &mut self,
        optimiser: &mut ModuleOptimizer,
        learning_rate: f64,
        model: W::Model,
        workload: &W,
        batch: &W::Batch,
    ) -> Stepped<W::Model> {
        match &mut self.method {
            None => plain(self.clip, optimiser, learning_rate, model, workload, batch),
            Some(method) => over(method, optimiser, learning_rate, model, workload, batch),
        }
    }

    /// Returns what the method remembers from step to step, as bytes; nothing without a method.
    ///
    /// # Errors
    /// When Burn cannot encode it.
    pub(crate) fn to_bytes(&self) -> anyhow::Result<Option<Bytes>> {
        let Some(method) = &self.method else {
            return Ok(None);
        };
        let bytes = method.to_record().into_bytes();
        bytes
            .map(Some)
            .context("the method's state cannot be encoded")
    }

    /// Gives the method the memory that [`to_bytes`](Self::to_bytes) has written.
    ///
    /// # Errors
    /// When the bytes are something else.
    pub(crate) fn remember(&mut self, bytes: Vec<u8>) -> anyhow::Result<()> {
        let record = StateRecord::from_bytes(Bytes::from_bytes_vec(bytes))
            .context("the checkpoint's state of the method cannot be read")?;
        self.method = self.method.take().map(|method| method.load_record(record));
        Ok(())
    }
}

fn plain<W: Workload>(
    clip: Option<f64>,
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
    let gradients = match clip {
        Some(most) => clipped(gradients, &model, most),
        None => gradients,
    };
    let model = optimiser.step(learning_rate, model, gradients);
    Stepped::Done(model, value, Vec::new())
}

fn over<W: Workload>(
    method: &mut AnyMethod,
    optimiser: &mut ModuleOptimizer,
    learning_rate: f64,
    model: W::Model,
    workload: &W,
    batch: &W::Batch,
) -> Stepped<W::Model> {
    let step = if method.batches() == BatchUse::Whole {
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
            let scalars = step.measured.scalars().collect();
            Stepped::Done(step.model, step.measured.loss, scalars)
        }
        Err(rejected) => Stepped::Refused(rejected.reason.to_string()),
    }
}
