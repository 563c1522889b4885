//! What all sharpness-aware methods share.

use std::path::Path;

use burn::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::store::RecordError;
use burn::tensor::Tensor;

use crate::batch_norm::peak_of;
use crate::descent;
use crate::loss::{Examples, Mean, Rows};
use crate::measured::Descent;
use crate::norms::Norms;
use crate::peak::Climb;
use crate::question::Question;
use crate::state::State;
use crate::step::{self, Rejected, Step};
use crate::{Ascent, Direction, Error, Pair, StateRecord};

/// How a method uses the examples of a batch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Batches {
    /// All together.
    Whole,
    /// In micro-batches of so many examples, each with a peak of its own.
    Micro(usize),
    /// The second pass takes this share of the examples, those whose loss the ascent raised most.
    Hardest(f64),
}

/// A method that descends along a gradient which has seen a peak close to the weights.
///
/// A method says where the ascent goes ([`direction`](Self::direction)), which steps look for a
/// peak ([`looks`](Self::looks)) and what the optimiser gets of the two gradients
/// ([`combine`](Self::combine), [`between`](Self::between)); the passes follow. One of one's own
/// implements the three required functions and those of these that differ from SAM's.
pub trait SharpnessAware: Clone {
    /// The settings that all methods have.
    fn ascent(&self) -> &Ascent;

    /// What the method remembers.
    fn state(&self) -> &State;

    /// What the method remembers, to be changed.
    fn state_mut(&mut self) -> &mut State;

    /// Where the ascent goes, given the gradient at the weights.
    fn direction<M: Module>(&mut self, model: &M, gradients: &GradientsParams) -> Direction {
        let _ = (model, gradients);
        Direction::Gradient
    }

    /// Whether the step to come looks for a peak.
    fn looks(&self) -> bool {
        true
    }

    /// What the optimiser gets of a step with a peak, rho being positive.
    fn combine<M: Module>(&mut self, model: &M, pair: Pair<'_>) -> GradientsParams {
        let _ = model;
        pair.at_peak
    }

    /// What the optimiser gets of a step without, given g and ||g||.
    fn between<M: Module>(
        &mut self,
        model: &M,
        gradients: GradientsParams,
        norm: f64,
    ) -> GradientsParams {
        let _ = (model, norm);
        gradients
    }

    /// How the batch is used.
    fn batches(&self) -> Batches {
        Batches::Whole
    }

    /// Whether the method carries a vector over the parameters from step to step.
    fn carries(&self) -> bool {
        false
    }

    /// The radius of the step to come, after its schedule.
    fn rho(&self) -> f64 {
        let (ascent, state) = (self.ascent(), self.state());
        ascent
            .schedule
            .at(ascent.rho, state.steps, state.learning_rate)
    }

    /// Tells a radius that follows the learning rate what it is. [`step`](Self::step) does it by
    /// itself; a loop that calls [`ascend`](Self::ascend) does it before.
    fn at_learning_rate(&mut self, rate: f64) {
        self.state_mut().learning_rate = Some(rate);
    }

    /// The peak: `model` with weights w + e, $ e = \rho\, T (T d) / \lVert T d \rVert $ along the
    /// [`direction`](Self::direction) d, the norm over all parameters that move and have a gradient.
    ///
    /// The peak has the parameter identifiers of `model`, its gradient flags, checkpointing
    /// strategies, reparameterisations and buffers: a gradient taken at it can be given to the
    /// optimiser together with `model`. A parameter without a gradient, or outside
    /// [`Perturbed`](crate::Perturbed), stays where it is. With rho = 0 or a zero gradient e is 0
    /// exactly. `model` is not changed. A gradient with an entry that is not finite gives a peak
    /// that is not finite, and the method stays as before; [`step`](Self::step) refuses it.
    ///
    /// With several ascent steps this is the first of them, of length rho over their number; for
    /// methods that climb along the gradient the next is `ascend(&peak, &gradients_there)`. Where gradients are accumulated over micro-batches,
    /// one ascent along the accumulated gradient, and the second passes accumulated at that peak,
    /// are SAM on the whole batch; an ascent for each micro-batch is m-SAM
    /// ([`MicroBatchSam`](crate::MicroBatchSam)).
    ///
    /// Costs a few elementwise passes over the parameters and one read from the device, far less
    /// than a gradient.
    fn ascend<M: Module>(&mut self, model: &M, gradients: &GradientsParams) -> M {
        let ascent = self.ascent().clone();
        let chosen = ascent.perturbed.of(model);
        let question = Question::before(&ascent, chosen.as_ref());
        let before = self.state().clone();
        let direction = self.direction(model, gradients);
        let (along, measure) = direction.vectors(gradients);
        let norm = Norms::of(model, measure.unwrap_or(gradients), &question).ascent;
        if !norm.is_finite() {
            *self.state_mut() = before;
        }
        let climb = Climb {
            along,
            norm,
            length: ascent.length(self.rho()),
            scale: ascent.scale,
            chosen: chosen.as_ref(),
        };
        climb.from(peak_of(model, ascent.batch_norm))
    }

    /// What the optimiser gets, in a loop that calls [`ascend`](Self::ascend); counts the step.
    ///
    /// For SAM and ASAM that is the gradient at the peak as it is. `at_peak` is none in a step that
    /// does not [`look`](Self::looks) for a peak.
    fn descend<M: Module>(
        &mut self,
        model: &M,
        at_weights: &GradientsParams,
        at_peak: Option<GradientsParams>,
    ) -> GradientsParams {
        let gradients = match at_peak {
            Some(at_peak) if self.rho() > 0.0 => {
                let pair = Pair {
                    at_weights,
                    at_peak,
                    angle: None,
                };
                self.combine(model, pair)
            }
            Some(at_peak) => at_peak,
            None => {
                let norm = Norms::of(model, at_weights, &Question::NORM).gradient;
                let copy = crate::gradients::copy(model, at_weights);
                self.between(model, copy, norm.value())
            }
        };
        self.state_mut().steps += 1;
        gradients
    }

    /// The gradient for the optimiser, and what was measured on the way; nothing is stepped. It is
    /// what a training loop of another shape needs: Burn's `LBFGS`, say, whose closure gives a loss
    /// and a gradient for each point it tries.
    ///
    /// # Errors
    /// A loss or a gradient of either pass that is not finite; a method that needs the examples
    /// apart. The method is then as before.
    ///
    /// # Panics
    /// When `loss` returns more than one number or one that does not depend on the parameters.
    fn gradient<M: Module>(
        &mut self,
        model: &M,
        loss: impl FnMut(&M) -> Tensor<1>,
    ) -> Result<Descent, Error> {
        descent::of(self, model, &mut Mean(loss), false)
    }

    /// One step of training: a gradient at w, a gradient at the peak, and the optimiser's step
    /// from w along what the method makes of them.
    ///
    /// `loss` gives the loss of a model, one number, on the batch of this step. It is called exactly
    /// twice by methods that look for a peak in each step, with rho = 0 too, and once only where the
    /// first pass is refused. `optim` and `lr` are what Burn's own `optim.step` takes. Weight decay
    /// is the optimiser's and acts at w. Everything returned beside the model has been computed for
    /// the step anyway.
    ///
    /// # Errors
    ///
    /// [`Rejected`] when a loss or a gradient of either pass is not finite, or when the method needs
    /// [`step_examples`](Self::step_examples). It holds the model with its weights and running
    /// statistics from before the step; the optimiser has not been called, and the method is as
    /// before.
    ///
    /// # Panics
    ///
    /// When `loss` returns more than one number or one that does not depend on the parameters.
    fn step<M: Module>(
        &mut self,
        optim: &mut ModuleOptimizer,
        lr: impl Into<ModuleLearningRate>,
        model: M,
        loss: impl FnMut(&M) -> Tensor<1>,
    ) -> Result<Step<M>, Rejected<M>> {
        step::take(self, optim, lr.into(), model, &mut Mean(loss))
    }

    /// [`step`](Self::step) with a loss that tells the `examples` of the batch apart: `terms` gives
    /// the losses of the wanted [`Rows`], one number each, `[k]`; the loss is their mean.
    ///
    /// [`Esam`](crate::Esam), which selects examples, and [`MicroBatchSam`](crate::MicroBatchSam),
    /// which groups them, need it; every method takes it.
    ///
    /// ```
    /// # use burn::module::{Module, Param};
    /// # use burn::optim::SgdConfig;
    /// # use burn::tensor::{Device, Tensor};
    /// # use sam::{EsamConfig, SharpnessAware};
    /// # #[derive(Module, Debug)]
    /// # struct Line { w: Param<Tensor<1>> }
    /// # let device = Device::flex().autodiff();
    /// # let model = Line { w: Param::from_data([3.0], &device) };
    /// # let x = Tensor::<1>::from_data([1.0, 2.0, 3.0, 4.0], &device);
    /// # let mut optim = SgdConfig::new().init();
    /// let mut esam = EsamConfig::new().init();
    /// let step = esam.step_examples(&mut optim, 0.01, model, 4, |model, rows| {
    ///     (model.w.val() * rows.of(&x)).square()
    /// })?;
    /// assert_eq!(step.cost.backward, 1.5); // half of the examples in the second pass
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`step`](Self::step).
    ///
    /// # Panics
    /// When `terms` returns another number of losses than there are wanted rows, or losses that do not
    /// depend on the parameters.
    fn step_examples<M: Module>(
        &mut self,
        optim: &mut ModuleOptimizer,
        lr: impl Into<ModuleLearningRate>,
        model: M,
        examples: usize,
        terms: impl FnMut(&M, Rows<'_>) -> Tensor<1>,
    ) -> Result<Step<M>, Rejected<M>> {
        step::take(
            self,
            optim,
            lr.into(),
            model,
            &mut Examples(examples, terms),
        )
    }

    /// What the method remembers, as a record.
    fn to_record(&self) -> StateRecord {
        StateRecord::of(self.state())
    }

    /// The method with the memory of a record.
    #[must_use]
    fn load_record(mut self, record: StateRecord) -> Self {
        *self.state_mut() = record.into_state();
        self
    }

    /// Saves what the method remembers; see [`StateRecord::save`].
    ///
    /// # Errors
    /// A file that cannot be written.
    fn save(&self, path: impl AsRef<Path>) -> Result<(), RecordError> {
        self.to_record().save(path)
    }

    /// The method with the memory of a file; see [`StateRecord::load`].
    ///
    /// # Errors
    /// A file that cannot be read.
    fn load(self, path: impl AsRef<Path>) -> Result<Self, RecordError> {
        Ok(self.load_record(StateRecord::load(path)?))
    }
}
