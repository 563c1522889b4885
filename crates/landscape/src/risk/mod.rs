//! The mean loss of a model over data.

mod batch_norm_gap;
mod batches;
mod cutter;
mod devices;
mod example_gradients;
mod limited;
mod model_outputs;
mod objective;
mod recomputed_statistics;
mod recording;
mod recording_check;
mod same_function;
mod shares;
mod spread;
mod weights;

use std::sync::{Arc, OnceLock};

use burn::module::Module;
use burn::tensor::Tensor;
use derivatives::{Outputs, Statistics, attempt};

pub use batch_norm_gap::BatchNormGap;
pub use batches::Batches;
pub(crate) use cutter::{Cutter, Part, first_part};
pub use devices::{Devices, LostDevice};
pub(crate) use example_gradients::check_rows;
pub use example_gradients::{ExampleGradients, ExampleStatistics};
pub use model_outputs::ModelOutputs;
pub use objective::Objective;
pub use recomputed_statistics::normalises_by_batch;
pub(crate) use same_function::check_same_function;
use shares::Numbering;
pub(crate) use spread::{OnFailure, Spread, brought_home, mean, mean_vectors};
use weights::BatchWeight;

use crate::batch::Batch;
use crate::error::Error;

/// The way in which the loss of a batch comes from its examples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reduction {
    /// The mean over the batch's examples.
    Mean,
    /// The sum over the batch's examples.
    Sum,
}

/// The loss of a batch, which marks the outputs on the way where they are told apart.
type BatchLoss<M, B> = dyn Fn(&M, &B, &mut Outputs) -> Tensor<1> + Send + Sync;

/// The mean loss over all examples of some data, as a function of the model:
/// `L(θ) = 1/N Σₙ ℓₙ(θ)` with the loss terms `ℓₙ` of N examples.
///
/// Batches are weighted by their number of examples, so a ragged last batch counts for what it is.
/// A loss that is a mean over something else (over the tokens that are no padding, over class
/// weights) says what each batch counts for by [`with_weights`](Self::with_weights). Dropout and
/// noise layers are off; BatchNorm uses its running statistics unless
/// [`with_statistics`](Self::with_statistics) says otherwise. Measuring goes through a copy of the
/// model: weights, running statistics and random streams stay bit for bit what they were.
///
/// A risk is cheap to clone: clones share batches and closures.
///
/// ```
/// use burn::nn::{
///     Linear, LinearConfig,
///     loss::{MseLoss, Reduction},
/// };
/// use burn::tensor::{Device, Tensor};
/// use landscape::Risk;
///
/// let device = Device::flex();
/// let model = LinearConfig::new(1, 1).init(&device);
/// let batch = (
///     Tensor::<2>::ones([4, 1], &device),
///     Tensor::<2>::zeros([4, 1], &device),
/// );
/// let risk = Risk::mean(
///     [batch],
///     |model: &Linear, (x, y): &(Tensor<2>, Tensor<2>)| {
///         MseLoss::new().forward(model.forward(x.clone()), y.clone(), Reduction::Mean)
///     },
/// );
/// let output: f32 = model
///     .forward(Tensor::<2>::ones([1, 1], &device))
///     .into_scalar();
/// assert!((risk.value(&model)? - f64::from(output).powi(2)).abs() < 1e-6);
/// # Ok::<(), landscape::Error>(())
/// ```
pub struct Risk<M, B> {
    batches: Batches<B>,
    loss: Arc<BatchLoss<M, B>>,
    weight: Option<Arc<BatchWeight<B>>>,
    reduction: Reduction,
    statistics: Statistics,
    reduction_checked: Arc<OnceLock<Result<(), Error>>>,
    gradient_checked: Arc<OnceLock<Result<(), Error>>>,
    runs_in_double: Arc<OnceLock<bool>>,
    /// Those over which it is spread, if it is.
    devices: Option<Devices>,
    numbering: Numbering,
}

impl<M, B> Clone for Risk<M, B> {
    fn clone(&self) -> Self {
        Self {
            batches: self.batches.clone(),
            loss: Arc::clone(&self.loss),
            weight: self.weight.clone(),
            reduction: self.reduction,
            statistics: self.statistics,
            reduction_checked: Arc::clone(&self.reduction_checked),
            gradient_checked: Arc::clone(&self.gradient_checked),
            runs_in_double: Arc::clone(&self.runs_in_double),
            devices: self.devices.clone(),
            numbering: self.numbering.clone(),
        }
    }
}

impl<M, B> std::fmt::Debug for Risk<M, B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Risk")
            .field("reduction", &self.reduction)
            .field("has_weights", &self.weight.is_some())
            .field("statistics", &self.statistics)
            .finish_non_exhaustive()
    }
}

impl<M: Module, B: Batch> Risk<M, B> {
    /// Returns the risk whose loss closure gives the mean over a batch, shape `[1]`.
    ///
    /// `batches` is one batch, a slice, an array or a vector of batches, or a Burn `DataLoader`,
    /// from which they are streamed anew for each evaluation. The closure must use the model and
    /// the batch it is given: they stand on the device of the measurement.
    ///
    /// With several batches say what each counts for, where that is not its number of examples: see
    /// [`with_weights`](Self::with_weights).
    ///
    /// A closure that gives a sum is noticed at the first evaluation: doubling the examples of a
    /// batch does not change a mean.
    pub fn mean<F>(batches: impl Into<Batches<B>>, loss: F) -> Self
    where
        F: Fn(&M, &B) -> Tensor<1> + Send + Sync + 'static,
    {
        let loss = move |model: &M, batch: &B, _: &mut Outputs| loss(model, batch);
        Self::new(batches.into(), Arc::new(loss), Reduction::Mean)
    }

    /// Returns the risk with the model's outputs and the loss on them apart, which Gauss-Newton,
    /// Fisher and per-example quantities need. The outputs are a tensor, or a tuple of up to four.
    ///
    /// ```
    /// use burn::nn::{Linear, LinearConfig};
    /// use burn::tensor::{Device, Tensor};
    /// use landscape::{Reduction, Risk};
    ///
    /// let device = Device::flex();
    /// let model = LinearConfig::new(2, 3).init(&device);
    /// let risk = Risk::of(
    ///     Tensor::<2>::ones([4, 2], &device),
    ///     |model: &Linear, x: &Tensor<2>| {
    ///         let outputs = model.forward(x.clone());
    ///         (outputs.clone().narrow(1, 0, 1), outputs.narrow(1, 1, 2)) // two heads
    ///     },
    ///     |(first, second): (Tensor<2>, Tensor<2>), _: &Tensor<2>| {
    ///         first.square().mean() + second.abs().mean()
    ///     },
    ///     Reduction::Mean,
    /// );
    /// assert!(risk.value(&model)? >= 0.0);
    /// # Ok::<(), landscape::Error>(())
    /// ```
    pub fn of<T, O, F>(
        batches: impl Into<Batches<B>>,
        outputs: O,
        loss: F,
        reduction: Reduction,
    ) -> Self
    where
        T: ModelOutputs,
        O: Fn(&M, &B) -> T + Send + Sync + 'static,
        F: Fn(T, &B) -> Tensor<1> + Send + Sync + 'static,
    {
        let joint = move |model: &M, batch: &B, marks: &mut Outputs| {
            loss(outputs(model, batch).marked(marks), batch)
        };
        Self::new(batches.into(), Arc::new(joint), reduction)
    }

    fn new(batches: Batches<B>, loss: Arc<BatchLoss<M, B>>, reduction: Reduction) -> Self {
        Self {
            batches,
            loss,
            weight: None,
            reduction,
            statistics: Statistics::default(),
            reduction_checked: Arc::default(),
            gradient_checked: Arc::default(),
            runs_in_double: Arc::default(),
            devices: None,
            numbering: Numbering::default(),
        }
    }

    /// Returns the same risk with BatchNorm's statistics chosen.
    #[must_use]
    pub const fn with_statistics(mut self, statistics: Statistics) -> Self {
        self.statistics = statistics;
        self
    }

    /// Returns the same risk without the check that its loss is the reduction it is said to be: for
    /// closures that work for one batch size only.
    #[must_use]
    pub fn without_reduction_check(mut self) -> Self {
        self.reduction_checked = Arc::new(OnceLock::from(Ok(())));
        self
    }

    /// Returns the same loss over other data.
    #[must_use]
    pub fn over(&self, batches: impl Into<Batches<B>>) -> Self {
        Self {
            batches: batches.into(),
            numbering: Numbering::default(),
            ..self.clone()
        }
    }

    /// Returns the value L at `model`; NaN and infinities come as they are. Cost: one forward pass
    /// over the data.
    ///
    /// # Errors
    /// No data, a loss that is not one number or no mean, a model that cannot be measured.
    pub fn value(&self, model: &M) -> Result<f64, Error> {
        Objective::at(model, self)?.value_here()
    }

    /// Returns the value and the gradient, `[P]` in the order of
    /// [`ParameterSpace`](crate::ParameterSpace). Cost: one gradient.
    ///
    /// # Errors
    /// As [`value`](Self::value), and a loss that is not finite or depends on no parameter.
    pub fn gradient(&self, model: &M) -> Result<(f64, Tensor<1>), Error> {
        Objective::at(model, self)?.gradient_here()
    }

    /// Returns the batches of this risk.
    #[must_use]
    pub const fn batches(&self) -> &Batches<B> {
        &self.batches
    }

    /// Returns BatchNorm's statistics while this risk is measured.
    #[must_use]
    pub const fn statistics(&self) -> Statistics {
        self.statistics
    }

    /// Returns the mean loss of one batch as a tensor of one element.
    pub(crate) fn batch_loss(
        &self,
        model: &M,
        batch: &B,
        index: usize,
    ) -> Result<Tensor<1>, Error> {
        let evaluate = || self.evaluate(model, batch, &mut Outputs::default());
        let loss = attempt(evaluate).map_err(|message| Error::LossPanicked { index, message })?;
        let elements = loss.dims()[0];
        if elements != 1 {
            return Err(Error::LossNotScalar { index, elements });
        }
        Ok(loss)
    }

    /// Returns the mean loss of one batch, of whatever shape the closure gives it, its outputs
    /// marked.
    pub(crate) fn evaluate(&self, model: &M, batch: &B, marks: &mut Outputs) -> Tensor<1> {
        let loss = (self.loss)(model, batch, marks);
        match self.reduction {
            Reduction::Mean => loss,
            #[expect(
                clippy::cast_precision_loss,
                reason = "a batch has far fewer than 2^53 examples"
            )]
            // Burn's gradient of a division by a scalar takes the reciprocal in f32.
            Reduction::Sum => loss * (batch.examples() as f64).recip(),
        }
    }

    /// Checks, once for each risk, that the loss is the reduction it was said to be.
    pub(crate) fn check_reduction(&self, model: &M, batch: &B) -> Result<(), Error> {
        self.reduction_checked
            .get_or_init(|| self.doubling_leaves_loss(model, batch))
            .clone()
    }

    /// Calls `check` of the gradient that Burn gives once for each risk, and returns what it found.
    pub(crate) fn check_gradient(
        &self,
        check: impl FnOnce() -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.gradient_checked.get_or_init(check).clone()
    }

    /// Checks that doubling a batch leaves the mean of its losses.
    fn doubling_leaves_loss(&self, model: &M, batch: &B) -> Result<(), Error> {
        // Few examples say as much as many.
        let examples = batch.examples().min(8);
        let mut batch = batch.clone();
        let mut losses = Vec::with_capacity(3);
        for times in [1, 2, 4] {
            batch = batch.doubled(times * examples);
            if batch.examples() != 2 * times * examples {
                return Ok(());
            }
            // A closure that works for one batch size only panics here; a loss that is no number is
            // named by the evaluation of the real batch, if it is none there either.
            match attempt(|| self.batch_loss(model, &batch, 0)) {
                Ok(Ok(loss)) => losses.push(scalar(&loss)),
                Ok(Err(_)) | Err(_) => return Ok(()),
            }
        }
        let ratios = [losses[1] / losses[0], losses[2] / losses[1]];
        // A sum doubles twice over (the mean of a loss declared a sum halves); a mean may do
        // anything only where it is all rounding, and then not the same thing twice.
        let is = |factor: f64| {
            ratios
                .iter()
                .all(|ratio| (ratio / factor - 1.0).abs() < 0.02)
        };
        if is(2.0) || is(0.5) {
            return Err(Error::LossIsNotMean {
                examples: 2 * examples,
                ratio: ratios[0],
            });
        }
        Ok(())
    }

    /// Returns whether the closures run on a model and a batch in f64, which is tried once for each
    /// risk. They do not if they join constants of the device's default type; Burn then panics.
    pub(crate) fn runs_in_double(&self, model: &M, batch: &B) -> bool {
        *self.runs_in_double.get_or_init(|| {
            let trial = || {
                let loss = (self.loss)(model, batch, &mut Outputs::default());
                loss.is_tracked().then(|| loss.backward())
            };
            attempt(trial).is_ok()
        })
    }
}

/// Returns the number of a tensor of one element.
pub(crate) fn scalar(loss: &Tensor<1>) -> f64 {
    loss.clone().into_scalar()
}
