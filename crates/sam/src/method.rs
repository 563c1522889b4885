//! What all sharpness-aware methods share.

use burn::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::Tensor;

use crate::norm::Norms;
use crate::{BatchNormStatistics, Rejected, Step, ascent, step};

/// A method that descends along the gradient at a peak close to the weights.
///
/// A method says how it scales the ball in which it looks for the peak; the ascent and the step
/// follow. A new method implements the three required functions; one that also changes the
/// direction of descent or skips passes overrides [`step`](Self::step).
pub trait SharpnessAware {
    /// The radius of the ball.
    fn rho(&self) -> f64;

    /// The diagonal scale T of a parameter, of the shape of its `weight`, or `None` for T = 1.
    fn scale<const D: usize>(&self, weight: &Tensor<D>) -> Option<Tensor<D>>;

    /// What the pass at the peak does to the running statistics of batch normalisation.
    fn batch_norm(&self) -> BatchNormStatistics;

    /// The peak: `model` with weights w + e, $ e = \rho\, T (T g) / \lVert T g \rVert $, the norm
    /// over all parameters that have a gradient.
    ///
    /// The peak has the parameter identifiers of `model`, its gradient flags, checkpointing
    /// strategies, reparameterisations and buffers: a gradient taken at it can be given to the
    /// optimiser together with `model`. A parameter without a gradient stays where it is. With rho
    /// = 0 or a zero gradient e is 0 exactly. `model` is not changed. A gradient with an entry
    /// that is not finite gives a peak that is not finite; [`step`](Self::step) refuses it.
    ///
    /// Costs a few elementwise passes over the parameters and one read from the device, far less
    /// than a gradient.
    fn ascend<M: Module>(&self, model: &M, gradients: &GradientsParams) -> M
    where
        Self: Sized,
    {
        ascent::peak(
            self,
            model,
            gradients,
            Norms::of(self, model, gradients).scaled,
        )
    }

    /// One step of training: a gradient at w, a gradient at the peak, and the optimiser's step
    /// from w along the latter.
    ///
    /// `loss` gives the loss of a model, one number, on the batch of this step; it is called
    /// exactly twice, with rho = 0 too, and once only where the first pass is refused. `optim` and
    /// `lr` are what Burn's own `optim.step` takes. Everything returned beside the model has been
    /// computed for the step anyway.
    ///
    /// # Errors
    ///
    /// [`Rejected`] when a loss or a gradient of either pass is not finite. It holds the model with
    /// its weights and running statistics from before the step; the optimiser has not been called.
    ///
    /// # Panics
    ///
    /// When `loss` returns more than one number or one that does not depend on the parameters.
    fn step<M: Module>(
        &self,
        optim: &mut ModuleOptimizer,
        lr: impl Into<ModuleLearningRate>,
        model: M,
        loss: impl FnMut(&M) -> Tensor<1>,
    ) -> Result<Step<M>, Rejected<M>>
    where
        Self: Sized,
    {
        step::take(self, optim, lr.into(), model, loss)
    }
}
