//! A method inside burn-train's learner.

use burn::module::{Module, ModuleVisitor, Param, RunningState};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Tensor, TensorData};

use crate::descent::{self, Cost, Peak};
use crate::loss::{Examples, Loss, Mean, Rows};
use crate::vectors::Vectors;
use crate::{Error, SharpnessAware, State};

/// A method as a part of the model that a learner trains.
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
/// // TrainOutput { grads: step.gradients, item: step.output }
/// # assert!(step.refused.is_none() && step.output.dims() == [4, 1]);
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
///   m-SAM.
/// - Training on several devices gives each its own copy of the model for a step: what a method
///   remembers is lost there. Sam, Asam and Gsam with a constant radius remember nothing.
#[derive(Module, Debug)]
pub struct InLearner<S: Clone + Send + std::fmt::Debug> {
    /// Steps and learning rate, `[6]`.
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
    /// Why there are no gradients, if there are none.
    pub refused: Option<Error>,
    /// ||g|| at the weights; NaN if the step was refused.
    pub gradient_norm: f64,
    /// What was found at the peak; `None` in a step that looked for none.
    pub peak: Option<Peak>,
    /// What the step cost.
    pub cost: Cost,
}

impl<S: SharpnessAware + Send + std::fmt::Debug> InLearner<S> {
    /// The method for a model with the parameters of `model`: that of which it becomes a part, or the
    /// network in it if nothing else in it is trained.
    pub fn new<M: Module>(method: S, model: &M) -> Self {
        let mut size = Size::default();
        model.visit(&mut size);
        let device = size.device.unwrap_or_default();
        let dtype = size.dtype.unwrap_or(DType::F32);
        let entries = if method.carries() { size.entries } else { 1 };
        let numbers = encoded(method.state());
        let zeros = |len: usize| TensorData::zeros::<f64, _>([len]);
        let buffer =
            |data: TensorData| RunningState::new(Tensor::from_data(data, (&device, dtype)));
        Self {
            carried: buffer(zeros(entries)),
            numbers: buffer(TensorData::new(numbers.to_vec(), [numbers.len()])),
            method,
        }
    }

    /// The passes of one step on one batch, inside `TrainStep::step`. `pass` gives the loss of the model,
    /// one number, and the output for the learner's metrics.
    ///
    /// # Panics
    /// When the loss is more than one number or does not depend on the parameters.
    pub fn step<M: Module, T>(
        &self,
        model: &M,
        mut pass: impl FnMut(&M) -> (Tensor<1>, T),
    ) -> LearnerDescent<T> {
        let mut output = None;
        let descent = self.descent(
            model,
            &mut Mean(|model: &M| {
                let (loss, of_pass) = pass(model);
                output.get_or_insert(of_pass);
                loss
            }),
        );
        let output = match output {
            Some(output) => output,
            None => pass(model).1,
        };
        done(descent, output)
    }

    /// [`step`](Self::step) for a method that selects or groups examples: `pass` gives the losses of the
    /// wanted [`Rows`] of the batch, `[k]`, and their output.
    ///
    /// # Panics
    /// When there are more or fewer losses than wanted rows, or they do not depend on the parameters.
    pub fn step_examples<M: Module, T>(
        &self,
        model: &M,
        examples: usize,
        mut pass: impl FnMut(&M, Rows<'_>) -> (Tensor<1>, T),
    ) -> LearnerDescent<T> {
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
        );
        let output = match output {
            Some(output) => output,
            None => pass(model, Rows::ALL).1,
        };
        done(descent, output)
    }

    /// Tells a radius that follows the learning rate what it is now, in `TrainStep::optimize`.
    pub fn at_learning_rate(&self, rate: f64) {
        let mut state = self.numbers();
        state.learning_rate = Some(rate);
        self.write(&self.numbers, encoded(&state).to_vec());
    }

    /// Steps taken so far.
    pub fn steps(&self) -> u64 {
        self.numbers().steps
    }

    fn descent<M: Module, L: Loss<M>>(
        &self,
        model: &M,
        loss: &mut L,
    ) -> Result<descent::Descent, Error> {
        let mut method = self.method.clone();
        let mut state = self.numbers();
        if method.carries() {
            state.carried = Vectors::split(model, &self.carried.value_sync().inner());
        }
        *method.state_mut() = state;
        let descent = descent::of(&mut method, model, loss, false)?;
        self.write(&self.numbers, encoded(method.state()).to_vec());
        if method.carries()
            && let Some(carried) = method.state().carried.join(model)
        {
            self.carried.update(Tensor::from_inner(carried));
            let _ = self.carried.value_sync();
        }
        Ok(descent)
    }

    fn numbers(&self) -> State {
        let data = self.numbers.value_sync().into_data();
        decoded(&data.iter::<f64>().collect::<Vec<_>>())
    }

    fn write(&self, buffer: &RunningState<Tensor<1>>, values: Vec<f64>) {
        let old = buffer.value_sync();
        let data = TensorData::new(values, old.dims());
        buffer.update(Tensor::from_data(data, (&old.device(), old.dtype())));
        let _ = buffer.value_sync();
    }
}

fn done<T>(descent: Result<descent::Descent, Error>, output: T) -> LearnerDescent<T> {
    match descent {
        Ok(descent) => LearnerDescent {
            gradients: descent.gradients,
            output,
            refused: None,
            gradient_norm: descent.gradient_norm,
            peak: descent.peak,
            cost: descent.cost,
        },
        Err(reason) => LearnerDescent {
            gradients: GradientsParams::new(),
            output,
            refused: Some(reason),
            gradient_norm: f64::NAN,
            peak: None,
            cost: Cost::default(),
        },
    }
}

/// What fits a float32 exactly.
const DIGIT: u64 = 1 << 20;

/// Steps in two digits, whether there is a learning rate, and that as a sum of three float32.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "digits that a float32 holds, and the parts of a number that it does"
)]
fn encoded(state: &State) -> [f64; 6] {
    let rate = state.learning_rate.unwrap_or(0.0);
    let first = f64::from(rate as f32);
    let second = f64::from((rate - first) as f32);
    let third = f64::from((rate - first - second) as f32);
    [
        (state.steps % DIGIT) as f64,
        (state.steps / DIGIT) as f64,
        f64::from(u8::from(state.learning_rate.is_some())),
        first,
        second,
        third,
    ]
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "whole numbers that are not negative"
)]
fn decoded(numbers: &[f64]) -> State {
    let at = |index: usize| numbers.get(index).copied().unwrap_or(0.0);
    State {
        steps: at(0) as u64 + DIGIT * at(1) as u64,
        learning_rate: (at(2) > 0.0).then(|| at(3) + at(4) + at(5)),
        carried: Vectors::default(),
    }
}

/// How many entries the parameters have that require a gradient, where and of which type they are.
#[derive(Default)]
struct Size {
    entries: usize,
    device: Option<Device>,
    dtype: Option<DType>,
}

impl ModuleVisitor for Size {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let weight = param.base();
        if weight.is_require_grad() {
            self.entries += weight.shape().num_elements();
            self.device.get_or_insert_with(|| weight.device());
            self.dtype.get_or_insert(weight.dtype());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_and_learning_rate_survive_a_buffer_of_float32() {
        for (steps, learning_rate) in [(0, None), (7, Some(0.1)), (1 << 33, Some(1e-5 / 3.0))] {
            let state = State {
                steps,
                learning_rate,
                carried: Vectors::default(),
            };
            #[expect(clippy::cast_possible_truncation, reason = "the buffer's type")]
            let stored = encoded(&state).map(|number| f64::from(number as f32));
            let back = decoded(&stored);
            assert_eq!((back.steps, back.learning_rate), (steps, learning_rate));
        }
    }
}
