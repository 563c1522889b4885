//! What all sharpness-aware methods share.

pub(crate) mod asam;
pub(crate) mod config;
pub(crate) mod esam;
pub(crate) mod friendly_sam;
pub(crate) mod gsam;
pub(crate) mod looksam;
pub(crate) mod micro_batch_sam;
pub(crate) mod sam;

use std::path::Path;

use burn::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::store::RecordError;
use burn::tensor::Tensor;

use crate::ascent::climb::Climb;
use crate::gradient::norms::Norms;
use crate::gradient::question::Question;
use crate::module::batch_norm::{peak_of, with_own_statistics};
use crate::module::places;
use crate::state::State;
use crate::step::loss::{Examples, Mean, Rows};
use crate::step::measured::Descent;
use crate::step::passes::{self as descent, Caller};
use crate::step::{self, Rejected, Step};
use crate::{Ascent, Direction, Error, Evaluation, Pair, Pass, StateRecord};

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
    /// A parameter that stands in several places counts once and is one leaf of the peak. After the
    /// optimiser's step such a model needs [`tie`](crate::tie).
    ///
    /// Costs a few elementwise passes over the parameters and one read from the device, far less
    /// than a gradient.
    ///
    /// # Errors
    /// Gradients that have nothing for the parameters to be moved; a model without trained parameters, or
    /// on a device without autodiff; places of one parameter that differ or are leaves apart; a
    /// [`Perturbed`](crate::Perturbed) that chooses nothing; a radius that is none. The method is then
    /// as before.
    fn ascend<M: Module>(&mut self, model: &M, gradients: &GradientsParams) -> Result<M, Error> {
        let is_tied = places::check(model)?;
        if is_tied {
            places::check_leaves(model)?;
        }
        let rho = descent::radius(self)?;
        let ascent = self.ascent().clone();
        let chosen = ascent.perturbed.of(model)?;
        let perturbed = &ascent.perturbed;
        perturbed.check(model, chosen.as_ref(), gradients, Pass::Weights)?;
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
            length: ascent.length(rho),
            scale: ascent.scale,
            chosen: chosen.as_ref(),
        };
        let peak = climb.from(peak_of(model, ascent.batch_norm));
        Ok(places::tied(peak, is_tied))
    }

    /// What the optimiser gets, in a loop that calls [`ascend`](Self::ascend); counts the step.
    ///
    /// For SAM and ASAM that is the gradient at the peak as it is. `at_peak` is none in a step that
    /// does not [`look`](Self::looks) for a peak.
    ///
    /// # Errors
    /// Gradients that have nothing for the model, or at the peak nothing for the parameters that moved:
    /// their loss was that of another model. What [`ascend`](Self::ascend) refuses of the model. The
    /// method is then as before.
    fn descend<M: Module>(
        &mut self,
        model: &M,
        at_weights: &GradientsParams,
        at_peak: Option<GradientsParams>,
    ) -> Result<GradientsParams, Error> {
        places::check(model)?;
        let rho = descent::radius(self)?;
        let perturbed = &self.ascent().perturbed;
        perturbed.check(model, None, at_weights, Pass::Weights)?;
        if let Some(at_peak) = &at_peak {
            let chosen = perturbed.of(model)?;
            perturbed.check(model, chosen.as_ref(), at_peak, Pass::Peak)?;
        }
        let gradients = match at_peak {
            Some(at_peak) if rho > 0.0 => {
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
                let copy = crate::gradient::combine::copy(model, at_weights);
                self.between(model, copy, norm.value())
            }
        };
        self.state_mut().steps += 1;
        Ok(gradients)
    }

    /// The gradient for the optimiser, and what was measured on the way; nothing is stepped. It is
    /// what a training loop of another shape needs: Burn's `LBFGS`, say, whose closure gives a loss
    /// and a gradient for each point it tries.
    ///
    /// # Errors
    /// As [`step`](Self::step). The method is then as before.
    fn gradient<M: Module>(
        &mut self,
        model: &M,
        loss: impl FnMut(&M) -> Tensor<1>,
    ) -> Result<Descent, Error> {
        let is_tied = places::check(model)?;
        let recomputes = false;
        descent::of(
            self,
            model,
            &mut Mean(loss),
            Caller {
                is_tied,
                recomputes,
            },
        )
    }

    /// One step of training: a gradient at w, a gradient at the peak, and the optimiser's step
    /// from w along what the method makes of them.
    ///
    /// A parameter that stands in several places of the model, a `Param` or layer cloned into another
    /// field, is one: it counts once, moves as one and stays one, as in PyTorch. Burn's own `optim.step`
    /// would step its first place alone.
    ///
    /// `loss` gives the loss of a model, one number, on the batch of this step. It is called exactly
    /// twice by methods that look for a peak in each step, with rho = 0 too, and once only where the
    /// first pass is refused. `optim` and `lr` are what Burn's own `optim.step` takes. Weight decay
    /// is the optimiser's and acts at w. Everything returned beside the model has been computed for
    /// the step anyway.
    ///
    /// Where `loss` gives a pair of the loss and something else, that of the first pass, at w, is
    /// [`Step::output`]:
    ///
    /// ```
    /// # use burn::nn::{Linear, LinearConfig};
    /// # use burn::optim::SgdConfig;
    /// # use burn::tensor::{Device, Tensor};
    /// # use sam::{SamConfig, SharpnessAware};
    /// # let device = Device::flex().autodiff();
    /// # let model = LinearConfig::new(2, 1).init(&device);
    /// # let x = Tensor::<2>::ones([4, 2], &device);
    /// # let (mut sam, mut optim) = (SamConfig::new().init(), SgdConfig::new().init());
    /// # let before = model.forward(x.clone()).into_data();
    /// let step = sam.step(&mut optim, 0.1, model, |model| {
    ///     let output = model.forward(x.clone());
    ///     (output.clone().square().mean(), output)
    /// })?;
    /// assert_eq!(step.output.into_data(), before); // of the weights before the step
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Rejected`], with the model as it was before the step, weights and running statistics; the
    /// optimiser has not been called, and the method is as before. The reasons are
    ///
    /// - a loss, a gradient or a weight that is not finite;
    /// - a loss that is no single number, depends on no weight, or on weights of another model than the
    ///   closure's argument, in either pass, or whose graph an earlier backward pass has used up: Burn
    ///   panics there, and the panic hook of the process sees that before it is caught;
    /// - a model without trained parameters, or on a device without autodiff; places of one parameter
    ///   that differ;
    /// - a [`Perturbed`](crate::Perturbed) that chooses nothing, a radius that is none, or a method that
    ///   needs [`step_examples`](Self::step_examples).
    ///
    /// # Panics
    /// When `loss` does.
    fn step<M: Module, E: Evaluation>(
        &mut self,
        optim: &mut ModuleOptimizer,
        lr: impl Into<ModuleLearningRate>,
        model: M,
        mut loss: impl FnMut(&M) -> E,
    ) -> Result<Step<M, E::Output>, Rejected<M>> {
        let mut output = None;
        let mut mean = Mean(|model: &M| {
            let (loss, of_pass) = loss(model).into_parts();
            output.get_or_insert(of_pass);
            loss
        });
        let step = step::take(self, optim, lr.into(), model, &mut mean)?;
        Ok(step.with_output(output.expect("a step that was taken has had its first pass")))
    }

    /// [`step`](Self::step) with a loss that tells the `examples` of the batch apart: `terms` gives
    /// the losses of the wanted [`Rows`], one number each, `[k]`; the loss is their mean.
    ///
    /// [`Esam`](crate::Esam), which selects examples, and [`MicroBatchSam`](crate::MicroBatchSam),
    /// which groups them, need it; every method takes it.
    ///
    /// Where `terms` gives a pair of the losses and something else, that of the whole batch at w is
    /// [`Step::output`]. A method that never takes the whole batch at once
    /// ([`MicroBatchSam`](crate::MicroBatchSam)) then needs one more forward pass, for the output alone.
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
    /// As [`step`](Self::step); another number of losses than there are wanted rows; no examples.
    ///
    /// # Panics
    /// When `terms` does.
    fn step_examples<M: Module, E: Evaluation>(
        &mut self,
        optim: &mut ModuleOptimizer,
        lr: impl Into<ModuleLearningRate>,
        model: M,
        examples: usize,
        mut terms: impl FnMut(&M, Rows<'_>) -> E,
    ) -> Result<Step<M, E::Output>, Rejected<M>> {
        let mut output = E::NOTHING;
        let is_in_parts = matches!(self.batches(), Batches::Micro(size) if size < examples);
        let is_extra = output.is_none() && is_in_parts;
        if is_extra {
            // The weights are gone after the step; the live statistics see these examples in it.
            output = Some(
                terms(&with_own_statistics(&model), Rows::ALL)
                    .into_parts()
                    .1,
            );
        }
        let mut losses = Examples(examples, |model: &M, rows: Rows<'_>| {
            let (losses, of_pass) = terms(model, rows).into_parts();
            if rows.indices().is_none() {
                output.get_or_insert(of_pass);
            }
            losses
        });
        let mut step = step::take(self, optim, lr.into(), model, &mut losses)?;
        step.cost.forward += f64::from(u8::from(is_extra));
        Ok(step.with_output(output.expect("the first pass takes the whole batch")))
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
