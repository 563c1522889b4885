//! One step of sharpness-aware training.

pub(crate) mod backward;
pub(crate) mod evaluated;
pub(crate) mod evaluation;
pub(crate) mod hardest;
pub(crate) mod loss;
pub(crate) mod measured;
pub(crate) mod passes;

use burn::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::module::Module;
use burn::optim::ModuleOptimizer;

use crate::module::batch_norm::separated;
use crate::module::places;
use crate::step::loss::Loss;
use crate::step::measured::{Cost, Descent, Peak, scalars};
use crate::step::passes::{self as descent, Caller};
use crate::{BatchNormStatistics, Error, SharpnessAware};

/// A step that was taken.
#[derive(Debug, Clone)]
pub struct Step<M, T = ()> {
    /// The model after the step.
    pub model: M,
    /// What the closure gave beside the loss in the first pass, at the weights before the step; `()`
    /// where it gave the loss alone.
    pub output: T,
    /// L(w), before the step.
    pub loss: f64,
    /// ||g||, the Euclidean norm of the gradient at w over all parameters.
    pub gradient_norm: f64,
    /// The radius of this step.
    pub rho: f64,
    /// What was found at the peak; `None` in a step that looked for none.
    pub peak: Option<Peak>,
    /// What the step cost, the optimiser left out.
    pub cost: Cost,
}

impl<M> Step<M> {
    /// The step with what its first pass gave beside the loss.
    pub(crate) fn with_output<T>(self, output: T) -> Step<M, T> {
        Step {
            model: self.model,
            output,
            loss: self.loss,
            gradient_norm: self.gradient_norm,
            rho: self.rho,
            peak: self.peak,
            cost: self.cost,
        }
    }
}

impl<M, T> Step<M, T> {
    /// L(w + e) - L(w), the sharpness that the method descends beside the loss; `None` in a step that
    /// looked for no peak.
    pub fn ascent_gain(&self) -> Option<f64> {
        self.peak.map(|peak| peak.loss - self.loss)
    }

    /// What was measured on the way, as tags and values for a log: the norm of the gradient and the
    /// radius, and of steps that looked for a peak the ascent gain and the cosine of the two gradients.
    pub fn scalars(&self) -> impl Iterator<Item = (&'static str, f64)> {
        scalars(self.loss, self.gradient_norm, self.rho, self.peak)
    }
}

/// A step that was not taken.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the step was not taken: {reason}")]
pub struct Rejected<M> {
    /// The model as it was before the step, weights and running statistics.
    pub model: M,
    /// Why; its sentence is part of this error's own.
    pub reason: Error,
}

pub(crate) fn take<M: Module, S: SharpnessAware, L: Loss<M>>(
    method: &mut S,
    optim: &mut ModuleOptimizer,
    lr: ModuleLearningRate,
    model: M,
    loss: &mut L,
) -> Result<Step<M>, Rejected<M>> {
    let is_tied = match places::check(&model) {
        Ok(is_tied) => is_tied,
        Err(reason) => return Err(Rejected { model, reason }),
    };
    // The first pass already moves the live statistics, and a batch with a NaN would spoil them
    // for good. This copy shares the weights and costs no arithmetic.
    let before = separated(&model);
    let seen = method.state().learning_rate;
    method.at_learning_rate(lr.base());
    let Descent {
        gradients,
        loss: value,
        gradient_norm,
        rho,
        peak,
        mut cost,
    } = match descent::of(
        method,
        &model,
        loss,
        Caller {
            is_tied,
            recomputes: true,
        },
    ) {
        Ok(descent) => descent,
        Err(reason) => {
            method.state_mut().learning_rate = seen;
            return Err(Rejected {
                model: before.unwrap_or(model),
                reason,
            });
        }
    };
    // Burn's optimisers step the first place of a parameter.
    let model = places::tied(optim.step(lr, model, gradients), is_tied);
    if method.ascent().batch_norm == BatchNormStatistics::Recomputed {
        let _ = loss.mean(&model);
        cost.forward += 1.0;
    }
    Ok(Step {
        model,
        output: (),
        loss: value,
        gradient_norm,
        rho,
        peak,
        cost,
    })
}
