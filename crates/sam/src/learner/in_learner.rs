//! A method as a part of the model that a learner trains.

use std::fmt::Debug;

use burn::module::{Module, ModuleVisitor, Param, RunningState};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Tensor, TensorData};

use super::buffer::{COUNT, decoded, encoded};
use crate::error::Error;
use crate::gradient::Carried;
use crate::method::SharpnessAware;
use crate::module::{Once, check_places, restore_buffers, with_own_statistics};
use crate::rule::Rule;
use crate::state::State;
use crate::step::{Caller, Descent, Examples, Loss, Mean, Measures, Rows};

/// A method as a part of the model that a learner trains, for a `TrainStep::step` of one's own.
/// Where a method takes the batch as a whole, `WithSam` (feature `train`) needs neither a field nor
/// a line in the model.
///
/// burn-train asks the model for the gradients of a batch, `TrainStep::step`, and gives them to its
/// optimiser. With this as a field of the model, `step` returns the gradients of the method
/// instead:
///
/// ```
/// use burn::module::Module;
/// use burn::nn::{Linear, LinearConfig};
/// use burn::tensor::{Device, Tensor};
/// use sam::{InLearner, Sam, SamConfig};
///
/// #[derive(Module, Debug)]
/// struct Trained {
///     net: Linear,
///     sam: InLearner<Sam>,
/// }
///
/// # let device = Device::flex().autodiff();
/// let net = LinearConfig::new(2, 1).init(&device);
/// let sam = InLearner::new(SamConfig::new().init()?, &net);
/// let model = Trained { net, sam };
///
/// // In `TrainStep::step(&self, batch)`:
/// # let x = Tensor::<2>::ones([4, 2], &device);
/// let step = model.sam.step(&model, |model| {
///     let output = model.net.forward(x.clone());
///     (output.clone().square().mean(), output)
/// });
/// // `TrainStep::step` has no error: a closure that trains nothing ends the program here.
/// let step = step.expect("a loss of the closure's argument");
/// # assert!(step.measured.is_ok());
/// let (grads, item) = step.into_parts();
/// // TrainOutput { grads, item }
/// # assert!(!grads.is_empty() && item.dims() == [4, 1]);
/// # Ok::<(), sam::Error>(())
/// ```
///
/// What the method remembers (the number of its steps, the moving average of Friendly-SAM, the
/// component that LookSAM reuses) is in buffers of the model, so that the learner's own checkpoints
/// keep it.
///
/// - A radius that follows the learning rate sees the one of the step before: the learner steps its
///   scheduler after `step`. Override `TrainStep::optimize` with
///   `self.sam.at_learning_rate(lr.base()); optim.step(lr, self, grads)`.
/// - Where the learner accumulates gradients, each `step` is a micro-batch with a peak of its own:
///   that is m-SAM ([`MicroBatchSam`](crate::MicroBatchSam)). The learner adds the gradients up and
///   takes no mean, and what counts steps (a schedule of the radius, the k of LookSAM) counts
///   micro-batches.
/// - A step whose loss or gradient is not finite is refused: it gives no gradients, so that the
///   optimiser moves nothing, and running statistics and what the method remembers are put back.
///   The learner goes on with the next batch; [`LearnerDescent::measured`] says why, and
///   [`refused`](Self::refused) counts.
/// - A mistake that no other batch would mend is the `Err` of [`step`](Self::step): a closure that
///   uses `self` in place of its argument, a selection that chooses nothing, weights that are not
///   finite.
/// - The learner's optimiser steps only the first place of a parameter that stands in several (tied
///   weights). Override `TrainStep::optimize` with `sam::tie(optim.step(lr, self, grads))`; without
///   it the second step is an error.
/// - [`BatchNormStatistics::Recomputed`](crate::BatchNormStatistics::Recomputed) is `FirstPass`
///   here, for the weights after the step are not known in it.
/// - Training on several devices gives each its own copy of the model for a step: what a method
///   remembers is lost there. Sam, Asam and Gsam with a constant radius remember nothing.
///
/// A model whose method is chosen at run time has a field `InLearner<AnyMethod>`
/// ([`AnyMethod`](crate::AnyMethod)).
#[derive(Module, Debug)]
pub struct InLearner<S: Clone + Send + Debug> {
    /// The numbers of steps and refused steps, and the learning rate, `[8]`.
    numbers: RunningState<Tensor<1>>,
    /// The vector over the parameters, `[P]`; `[1]` if the method has none.
    carried: RunningState<Tensor<1>>,
    #[module(skip)]
    method: S,
}

/// The result of a step in a learner.
#[derive(Debug)]
pub struct LearnerDescent<T> {
    /// The gradients for the learner's optimiser; none if the step was refused, so that no weight
    /// moves.
    pub gradients: GradientsParams,
    /// The output of the closure beside the loss in its first pass, at the weights.
    pub output: T,
    /// The quantities that were measured on the way, or the reason why the step was refused: the
    /// loss or the gradient of this batch is not finite.
    pub measured: Result<Measures, Error>,
}

impl<T> LearnerDescent<T> {
    /// Joins a descent, or the reason why there is none, with the output of the first pass.
    pub(crate) fn new(descent: Result<Descent, Error>, output: T) -> Self {
        match descent {
            Ok(Descent {
                gradients,
                measured,
            }) => Self {
                gradients,
                output,
                measured: Ok(measured),
            },
            Err(reason) => Self {
                gradients: GradientsParams::new(),
                output,
                measured: Err(reason),
            },
        }
    }

    /// Returns the gradients and the output, as `TrainOutput` wants them.
    pub fn into_parts(self) -> (GradientsParams, T) {
        (self.gradients, self.output)
    }
}

impl<R: Rule> InLearner<SharpnessAware<R>> {
    /// Makes the part for a model with the parameters of `model`: that of which it becomes a part,
    /// or the network in it if nothing else in it is trained.
    pub fn new<M: Module>(method: SharpnessAware<R>, model: &M) -> Self {
        let mut size = Size::default();
        model.visit(&mut size);
        let device = size.device.unwrap_or_default();
        // Half precision does not hold the numbers.
        let dtype = if size.is_double {
            DType::F64
        } else {
            DType::F32
        };
        let entries = if method.rule().carries() {
            size.entries
        } else {
            1
        };
        let numbers = encoded(method.state(), 0);
        let zeros = |len: usize| TensorData::zeros::<f64, _>([len]);
        let buffer =
            |data: TensorData| RunningState::new(Tensor::from_data(data, (&device, dtype)));
        Self {
            carried: buffer(zeros(entries)),
            numbers: buffer(TensorData::new(numbers.to_vec(), [COUNT])),
            method,
        }
    }

    /// Runs the passes of one step on one batch, inside `TrainStep::step`. `pass` gives the loss of
    /// the model, one number, and the output for the learner's metrics.
    ///
    /// # Errors
    /// What [`SharpnessAware::step`] refuses, but for a loss or a gradient that is not finite: that
    /// is in [`LearnerDescent::measured`]. It is counted, and the method, weights and running
    /// statistics are as before.
    ///
    /// # Panics
    /// When `pass` does.
    pub fn step<M: Module, T>(
        &self,
        model: &M,
        mut pass: impl FnMut(&M) -> (Tensor<1>, T),
    ) -> Result<LearnerDescent<T>, Error> {
        let mut output = None;
        let descent = self.descent(
            model,
            &mut Mean(|model: &M| {
                let (loss, of_pass) = pass(model);
                output.get_or_insert(of_pass);
                loss
            }),
        )?;
        let output = match output {
            Some(output) => output,
            None => pass(&with_own_statistics(model)).1,
        };
        Ok(LearnerDescent::new(descent, output))
    }

    /// Runs the passes of a [`step`](Self::step) of a method that selects or groups examples:
    /// `pass` gives the losses of the wanted [`Rows`] of the batch, `[k]`, and their output.
    ///
    /// A method that never takes the whole batch at once ([`MicroBatchSam`](crate::MicroBatchSam))
    /// needs one more forward pass, for the output alone.
    ///
    /// # Errors
    /// As [`step`](Self::step); more or fewer losses than wanted rows; no examples.
    ///
    /// # Panics
    /// When `pass` does.
    pub fn step_examples<M: Module, T>(
        &self,
        model: &M,
        examples: usize,
        mut pass: impl FnMut(&M, Rows<'_>) -> (Tensor<1>, T),
    ) -> Result<LearnerDescent<T>, Error> {
        let mut output = None;
        let descent = self.descent(
            model,
            &mut Examples(examples, |model: &M, rows: Rows<'_>| {
                let (losses, of_pass) = pass(model, rows);
                if rows.indices().is_none() {
                    output.get_or_insert(of_pass);
                }
                losses
            }),
        )?;
        // The live statistics have seen these examples.
        let output = match output {
            Some(output) => output,
            None => pass(&with_own_statistics(model), Rows::ALL).1,
        };
        Ok(LearnerDescent::new(descent, output))
    }

    /// Sets the learning rate that a radius may follow, in `TrainStep::optimize`.
    pub fn at_learning_rate(&self, rate: f64) {
        let (mut state, refused) = self.numbers();
        state.learning_rate = Some(rate);
        self.write(&state, refused);
    }

    /// Returns the number of steps taken so far, those that were refused left out.
    pub fn steps(&self) -> u64 {
        self.numbers().0.steps
    }

    /// Returns the number of steps that were refused so far.
    pub fn refused(&self) -> u64 {
        self.numbers().1
    }

    /// Runs the passes of a step. Returns the descent, or why this batch has none.
    ///
    /// # Errors
    /// As [`step`](Self::step).
    pub(crate) fn descent<M: Module, L: Loss<M>>(
        &self,
        model: &M,
        loss: &mut L,
    ) -> Result<Result<Descent, Error>, Error> {
        let is_tied = check_places(model).inspect_err(|_| self.count_refused())?;
        // The first pass already moves the live statistics, and a batch with a NaN would spoil them
        // for good.
        let before = with_own_statistics(model);
        let carries = self.method.rule().carries();
        let (mut state, refused) = self.numbers();
        if carries {
            state.carried = Carried::split(model, &self.carried.value_sync().inner());
        }
        let mut method = self.method.with_state(state);
        let caller = Caller {
            is_tied,
            recomputes: false,
        };
        let descent = method.descent(model, loss, caller);
        if let Err(reason) = descent {
            restore_buffers(model, &before);
            self.write(method.state(), refused + 1);
            return if reason.is_of_the_batch() {
                Ok(Err(reason))
            } else {
                Err(reason)
            };
        }
        self.write(method.state(), refused);
        if carries {
            let like = self.carried.value_sync().inner();
            if let Some(carried) = method.state().carried.join(model, &like) {
                self.carried.update(Tensor::from_inner(carried));
                let _ = self.carried.value_sync();
            }
        }
        Ok(descent)
    }

    fn count_refused(&self) {
        let (state, refused) = self.numbers();
        self.write(&state, refused + 1);
    }

    fn numbers(&self) -> (State, u64) {
        let data = self.numbers.value_sync().into_data();
        let numbers: Vec<f64> = data.iter().collect();
        decoded(numbers.try_into().expect("the buffer has eight numbers"))
    }

    fn write(&self, state: &State, refused: u64) {
        let old = self.numbers.value_sync();
        let data = TensorData::new(encoded(state, refused).to_vec(), [COUNT]);
        let numbers = Tensor::from_data(data, (&old.device(), old.dtype()));
        self.numbers.update(numbers);
        let _ = self.numbers.value_sync();
    }
}

/// The number of entries of the parameters that require a gradient, their device, and whether some
/// are in float64.
#[derive(Default)]
struct Size {
    entries: usize,
    device: Option<Device>,
    is_double: bool,
    once: Once,
}

impl ModuleVisitor for Size {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if self.once.is_new(param) {
            self.entries += param.shape().num_elements();
            self.device.get_or_insert_with(|| param.device());
            self.is_double |= param.dtype() == DType::F64;
        }
    }
}
