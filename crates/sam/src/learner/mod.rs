//! A method inside burn-train's learner.

pub(crate) mod buffer;
#[cfg(feature = "train")]
pub(crate) mod with_sam;

use burn::module::{Module, ModuleVisitor, Param, RunningState};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Tensor, TensorData};

use crate::gradient::carried::Vectors;
use crate::learner::buffer::{COUNT, decoded, encoded};
use crate::module::batch_norm::{restore_buffers, with_own_statistics};
use crate::module::places::{self, Once};
use crate::step::loss::{Examples, Loss, Mean, Rows};
use crate::step::measured::{Cost, Descent, Peak, scalars};
use crate::step::passes::{self as descent, Caller};
use crate::{Error, SharpnessAware, State};

/// A method as a part of the model that a learner trains, for a `TrainStep::step` of one's own. Where a method takes the batch as a
/// whole, `WithSam` (feature `train`) does without a field and without a line in the model.
///
/// burn-train asks the model for the gradients of a batch, `TrainStep::step`, and gives them to its
/// optimiser. With this as a field of the model, `step` returns the gradients of the method instead:
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
/// let sam = InLearner::new(SamConfig::new().init(), &net);
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
/// # assert!(step.refused.is_none());
/// let (grads, item) = step.into_parts();
/// // TrainOutput { grads, item }
/// # assert!(!grads.is_empty() && item.dims() == [4, 1]);
/// ```
///
/// What the method remembers (how many steps it has taken, the moving average of Friendly-SAM, the
/// component that LookSAM reuses) stands in buffers of the model, so that the learner's own
/// checkpoints keep it.
///
/// - A radius that follows the learning rate sees the one of the step before: the learner steps its
///   scheduler after `step`. Override `TrainStep::optimize` with
///   `self.sam.at_learning_rate(lr.base()); optim.step(lr, self, grads)`.
/// - Where the learner accumulates gradients, each `step` is a micro-batch with a peak of its own: that is
///   m-SAM ([`MicroBatchSam`](crate::MicroBatchSam)). The learner adds the gradients up and takes no mean,
///   and what counts steps (a schedule of the radius, the k of LookSAM) counts micro-batches.
/// - A step whose loss or gradient is not finite is refused: it gives no gradients, so that the optimiser
///   moves nothing, and running statistics and what the method remembers are put back. The learner goes on
///   with the next batch; [`LearnerDescent::refused`] says why, and [`refused`](Self::refused) counts.
/// - What no other batch would mend is the `Err` of [`step`](Self::step): a closure that uses `self` in
///   place of its argument, a selection that chooses nothing, weights that are not finite.
/// - The learner's optimiser steps the first place alone of a parameter that stands in several (tied
///   weights). Override `TrainStep::optimize` with `sam::tie(optim.step(lr, self, grads))`; without it
///   the second step is an error.
/// - [`BatchNormStatistics::Recomputed`](crate::BatchNormStatistics::Recomputed) is `FirstPass` here, for
///   the weights after the step are not known in it.
/// - Training on several devices gives each its own copy of the model for a step: what a method
///   remembers is lost there. Sam, Asam and Gsam with a constant radius remember nothing.
///
/// A type parameter of a Burn module is a module, which a method is not: a model that leaves the method
/// open has a parameter for the whole field, `struct Trained<A> { net: Linear, sam: A }`, and is used as
/// `Trained<InLearner<S>>`.
#[derive(Module, Debug)]
pub struct InLearner<S: Clone + Send + std::fmt::Debug> {
    /// Steps, refused steps and learning rate, `[8]`.
    numbers: RunningState<Tensor<1>>,
    /// The vector over the parameters, `[P]`; `[1]` if the method has none.
    carried: RunningState<Tensor<1>>,
    #[module(skip)]
    method: S,
}

/// What a step in a learner gives.
#[derive(Debug)]
pub struct LearnerDescent<T> {
    /// The gradients for the learner's optimiser; none if the step was refused, so that no weight moves.
    pub gradients: GradientsParams,
    /// What the closure returned beside the loss in its first pass, at the weights.
    pub output: T,
    /// Why there are no gradients, if there are none: the loss or the gradient of this batch is not finite.
    pub refused: Option<Error>,
    /// L(w); NaN if the step was refused, as the other numbers.
    pub loss: f64,
    /// ||g|| at the weights.
    pub gradient_norm: f64,
    /// The radius of this step.
    pub rho: f64,
    /// What was found at the peak; `None` in a step that looked for none.
    pub peak: Option<Peak>,
    /// What the step cost.
    pub cost: Cost,
}

impl<T> LearnerDescent<T> {
    /// L(w + e) - L(w), the sharpness that the method descends beside the loss; `None` in a step that
    /// looked for no peak.
    pub fn ascent_gain(&self) -> Option<f64> {
        self.peak.map(|peak| peak.loss - self.loss)
    }

    /// What was measured on the way, as [`Step::scalars`](crate::Step::scalars) gives it; nothing if the
    /// step was refused.
    pub fn scalars(&self) -> impl Iterator<Item = (&'static str, f64)> {
        scalars(self.loss, self.gradient_norm, self.rho, self.peak)
    }

    /// The gradients and the output, as `TrainOutput` wants them.
    pub fn into_parts(self) -> (GradientsParams, T) {
        (self.gradients, self.output)
    }
}

impl<S: SharpnessAware + Send + std::fmt::Debug> InLearner<S> {
    /// The method for a model with the parameters of `model`: that of which it becomes a part, or the
    /// network in it if nothing else in it is trained.
    pub fn new<M: Module>(method: S, model: &M) -> Self {
        let mut size = Size::default();
        model.visit(&mut size);
        let device = size.device.unwrap_or_default();
        // Half precision does not hold the numbers.
        let dtype = if size.is_double {
            DType::F64
        } else {
            DType::F32
        };
        let entries = if method.carries() { size.entries } else { 1 };
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

    /// The passes of one step on one batch, inside `TrainStep::step`. `pass` gives the loss of the model,
    /// one number, and the output for the learner's metrics.
    ///
    /// # Errors
    /// What [`SharpnessAware::step`] refuses, but for a loss or a gradient that is not finite: that is
    /// [`LearnerDescent::refused`]. It is counted, and the method, weights and running statistics are as
    /// before.
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
        Ok(done(descent, output))
    }

    /// [`step`](Self::step) for a method that selects or groups examples: `pass` gives the losses of the
    /// wanted [`Rows`] of the batch, `[k]`, and their output.
    ///
    /// A method that never takes the whole batch at once ([`MicroBatchSam`](crate::MicroBatchSam)) needs
    /// one more forward pass, for the output alone.
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
        Ok(done(descent, output))
    }

    /// Tells a radius that follows the learning rate what it is now, in `TrainStep::optimize`.
    pub fn at_learning_rate(&self, rate: f64) {
        let (mut state, refused) = self.numbers();
        state.learning_rate = Some(rate);
        self.write(&state, refused);
    }

    /// Steps taken so far, those that were refused left out.
    pub fn steps(&self) -> u64 {
        self.numbers().0.steps
    }

    /// Steps that were refused so far.
    pub fn refused(&self) -> u64 {
        self.numbers().1
    }

    /// The descent, or why this batch has none.
    pub(crate) fn descent<M: Module, L: Loss<M>>(
        &self,
        model: &M,
        loss: &mut L,
    ) -> Result<Result<Descent, Error>, Error> {
        let is_tied = places::check(model).inspect_err(|_| self.count_refused())?;
        // The first pass already moves the live statistics, and a batch with a NaN would spoil them
        // for good.
        let before = with_own_statistics(model);
        let mut method = self.method.clone();
        let (mut state, refused) = self.numbers();
        if method.carries() {
            state.carried = Vectors::split(model, &self.carried.value_sync().inner());
        }
        *method.state_mut() = state;
        let descent = descent::of(
            &mut method,
            model,
            loss,
            Caller {
                is_tied,
                recomputes: false,
            },
        );
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
        if method.carries() {
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
        decoded(&data.iter::<f64>().collect::<Vec<_>>())
    }

    fn write(&self, state: &State, refused: u64) {
        let old = self.numbers.value_sync();
        let data = TensorData::new(encoded(state, refused).to_vec(), [COUNT]);
        let numbers = Tensor::from_data(data, (&old.device(), old.dtype()));
        self.numbers.update(numbers);
        let _ = self.numbers.value_sync();
    }
}

pub(crate) fn done<T>(descent: Result<Descent, Error>, output: T) -> LearnerDescent<T> {
    match descent {
        Ok(descent) => LearnerDescent {
            gradients: descent.gradients,
            output,
            refused: None,
            loss: descent.loss,
            gradient_norm: descent.gradient_norm,
            rho: descent.rho,
            peak: descent.peak,
            cost: descent.cost,
        },
        Err(reason) => LearnerDescent {
            gradients: GradientsParams::new(),
            output,
            refused: Some(reason),
            loss: f64::NAN,
            gradient_norm: f64::NAN,
            rho: f64::NAN,
            peak: None,
            cost: Cost::default(),
        },
    }
}

/// How many entries the parameters have that require a gradient, where they are and whether some are of
/// float64.
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
