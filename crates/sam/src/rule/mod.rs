//! The part of a method that its author writes.

mod batch_use;
mod context;
mod direction;
mod pair;

use std::fmt::Debug;

use burn::module::Module;
use burn::optim::GradientsParams;

pub use batch_use::BatchUse;
pub use context::StepContext;
pub use direction::Direction;
pub use pair::{Angle, Pair};

use crate::error::Error;

/// The rule of a sharpness-aware method: where the ascent goes, which steps look for a peak, and
/// what the optimiser gets of the two gradients.
///
/// Every function has SAM's behaviour as its default, so a rule writes only what differs.
/// [`SharpnessAware::new`](crate::SharpnessAware::new) makes a method of it, which runs the passes,
/// checks model and gradients, counts the steps and keeps what is carried from step to step. A rule
/// holds settings alone and owns no state: what it may read and change comes with each call, in a
/// [`StepContext`].
///
/// ```
/// use burn::module::{Module, Param};
/// use burn::optim::{GradientsParams, SgdConfig};
/// use burn::tensor::{Device, Tensor};
/// use sam::{Ascent, Pair, Rule, SharpnessAware, StepContext};
///
/// /// Descends along `(1 − a) g + a g(w + e)`, between plain training and SAM.
/// #[derive(Debug, Clone)]
/// struct Blend {
///     a: f64,
/// }
///
/// impl Rule for Blend {
///     fn combine<M: Module>(&self, at: StepContext<'_, M>, pair: Pair<'_>) -> GradientsParams {
///         pair.combined(at.model, 1.0 - self.a, self.a)
///     }
/// }
///
/// # #[derive(Module, Debug)]
/// # struct Point { w: Param<Tensor<1>> }
/// # let device = Device::flex().autodiff();
/// # let model = Point { w: Param::from_data([3.0, 4.0], &device) };
/// # let mut optim = SgdConfig::new().init();
/// let mut method = SharpnessAware::new(Blend { a: 0.5 }, Ascent::new(0.5))?;
///
/// // L(w) = ½ ‖w‖² has the gradient w, and 1.1 w at the peak: a step goes to (1 − 0.1 · 1.05) w.
/// let loss = |point: &Point| point.w.val().square().sum() / 2.0;
/// let step = method.step(&mut optim, 0.1, model, loss)?;
/// let w: Vec<f32> = step.model.w.val().try_into_vec_as()?;
/// assert!((w[0] - 0.895 * 3.0).abs() < 1e-6 && (w[1] - 0.895 * 4.0).abs() < 1e-6);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Rule: Debug + Clone + Send {
    /// Returns where the ascent goes, given the gradient at the weights: along that gradient.
    ///
    /// It is called once for each peak, before the weights move.
    fn direction<M: Module>(
        &self,
        context: StepContext<'_, M>,
        gradients: &GradientsParams,
    ) -> Direction {
        let _ = (context, gradients);
        Direction::Gradient
    }

    /// Returns whether step number `step`, counted from 0, looks for a peak: every step does.
    fn looks(&self, step: u64) -> bool {
        let _ = step;
        true
    }

    /// Returns what the optimiser gets of a step with a peak: the gradient there.
    ///
    /// It is called where the radius is positive. With a radius of zero the optimiser gets the
    /// gradient of the second pass as it is.
    fn combine<M: Module>(&self, context: StepContext<'_, M>, pair: Pair<'_>) -> GradientsParams {
        let _ = context;
        pair.at_peak
    }

    /// Returns what the optimiser gets of a step without a peak, given `g` and `‖g‖`: `g` as it is.
    fn between<M: Module>(
        &self,
        context: StepContext<'_, M>,
        gradients: GradientsParams,
        norm: f64,
    ) -> GradientsParams {
        let _ = (context, norm);
        gradients
    }

    /// Returns how the examples of a batch are used: all together.
    fn batches(&self) -> BatchUse {
        BatchUse::Whole
    }

    /// Returns whether the rule keeps something in [`StepContext::carried`] from step to step: it
    /// does not.
    ///
    /// A learner makes room for the vector in its checkpoints only where this is true.
    fn carries(&self) -> bool {
        false
    }

    /// Refuses settings that are out of range, when a method is made of the rule: none are.
    ///
    /// # Errors
    /// [`Error::Setting`], with the name of the setting and its value.
    fn check(&self) -> Result<(), Error> {
        Ok(())
    }
}
