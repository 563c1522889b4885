//! One step of sharpness-aware training, and what it measured on the way.

use burn::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::Tensor;

use crate::batch_norm::with_own_statistics;
use crate::norm::Norms;
use crate::{Error, Pass, SharpnessAware, ascent};

/// A step that was taken.
#[derive(Debug, Clone)]
pub struct Step<M> {
    /// The model after the step.
    pub model: M,
    /// L(w), before the step.
    pub loss: f64,
    /// L(w + e). `peak_loss - loss` is the sharpness that the method descends beside the loss.
    pub peak_loss: f64,
    /// ||g||, the Euclidean norm of the gradient at w over all parameters.
    pub gradient_norm: f64,
    /// The same of the gradient at the peak, which drove the optimiser.
    pub peak_gradient_norm: f64,
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

pub(crate) fn take<M: Module, S: SharpnessAware>(
    method: &S,
    optim: &mut ModuleOptimizer,
    lr: ModuleLearningRate,
    model: M,
    mut loss: impl FnMut(&M) -> Tensor<1>,
) -> Result<Step<M>, Rejected<M>> {
    // The first pass already moves the live statistics, and a batch with a NaN would spoil them
    // for good. This copy shares the weights and costs no arithmetic.
    let before = with_own_statistics(&model);
    let first = match Evaluated::at(Pass::Weights, method, &model, &mut loss) {
        Ok(first) => first,
        Err(reason) => {
            return Err(Rejected {
                model: before,
                reason,
            });
        }
    };
    let peak = ascent::peak(method, &model, &first.gradients, first.norms.scaled);
    let second = match Evaluated::at(Pass::Peak, method, &peak, &mut loss) {
        Ok(second) => second,
        Err(reason) => {
            return Err(Rejected {
                model: before,
                reason,
            });
        }
    };
    Ok(Step {
        model: optim.step(lr, model, second.gradients),
        loss: first.loss,
        peak_loss: second.loss,
        gradient_norm: first.norms.gradient.value(),
        peak_gradient_norm: second.norms.gradient.value(),
    })
}

/// One pass: a loss and its gradient, both finite.
struct Evaluated {
    loss: f64,
    gradients: GradientsParams,
    norms: Norms,
}

impl Evaluated {
    fn at<M: Module, S: SharpnessAware>(
        pass: Pass,
        method: &S,
        model: &M,
        loss: &mut impl FnMut(&M) -> Tensor<1>,
    ) -> Result<Self, Error> {
        let loss = loss(model);
        let value = loss.clone().inner();
        let gradients = GradientsParams::from_grads(loss.backward(), model);
        let loss: f64 = value.into_scalar();
        if !loss.is_finite() {
            return Err(Error::Loss { pass, value: loss });
        }
        let norms = Norms::of(method, model, &gradients);
        if !norms.gradient.is_finite() || !norms.scaled.is_finite() {
            return Err(Error::Gradient { pass, loss });
        }
        Ok(Self {
            loss,
            gradients,
            norms,
        })
    }
}
