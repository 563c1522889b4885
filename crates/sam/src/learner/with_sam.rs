//! A model with a method, for burn-train's learner; the model's own code stays as it is.

use std::borrow::Borrow;
use std::fmt::{Debug, Display, Formatter};
use std::sync::{Arc, Mutex, PoisonError};

use burn::data::dataloader::Progress;
use burn::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::module::{Devices, Module, ModuleMapper, ModuleVisitor};
use burn::optim::{GradientsParams, ModuleOptimizer, MultiGradientsParams};
use burn::tensor::{Device, Tensor};
use burn::train::metric::{Adaptor, LossInput, LossMetric, Metric, MetricMetadata, Numeric};
use burn::train::{InferenceStep, TrainOutput, TrainStep};

use super::{InLearner, LearnerDescent};
use crate::ascent::RhoSchedule;
use crate::error::Error;
use crate::method::SharpnessAware;
use crate::module::{check_places, tied};
use crate::rule::{BatchUse, Rule};
use crate::step::{Forward, Loss, Rows};

/// A model with a method, for burn-train's learner:
/// `Learner::new(WithSam::new(model, method)?, ..)`.
///
/// The model keeps its own `TrainStep` and knows nothing of the method: a step of the learner calls
/// `TrainStep::step` of the model twice on the batch, at the weights and at the peak. The learner's
/// metrics see the output of the first. That output has to give the loss
/// (`Adaptor<LossInput>`, as Burn's `ClassificationOutput` does), and a batch has to be `Clone`.
///
/// ```
/// # use burn::module::Module;
/// # use burn::nn::{Linear, LinearConfig};
/// # use burn::nn::loss::{MseLoss, Reduction};
/// # use burn::optim::SgdConfig;
/// # use burn::tensor::{Device, Tensor};
/// # use burn::train::{InferenceStep, Learner, RegressionOutput, TrainOutput, TrainStep};
/// use sam::{SamConfig, WithSam};
///
/// # #[derive(Module, Debug)]
/// # struct Model { layer: Linear }
/// # impl Model {
/// #     fn regress(&self, [x, y]: [Tensor<2>; 2]) -> RegressionOutput {
/// #         let output = self.layer.forward(x);
/// #         let loss = MseLoss::new().forward(output.clone(), y.clone(), Reduction::Mean);
/// #         RegressionOutput::new(loss, output, y)
/// #     }
/// # }
/// # impl TrainStep for Model {
/// #     type Input = [Tensor<2>; 2];
/// #     type Output = RegressionOutput;
/// #     fn step(&self, batch: Self::Input) -> TrainOutput<RegressionOutput> {
/// #         let item = self.regress(batch);
/// #         TrainOutput::new(self, item.loss.backward(), item)
/// #     }
/// # }
/// # impl InferenceStep for Model {
/// #     type Input = [Tensor<2>; 2];
/// #     type Output = RegressionOutput;
/// #     fn step(&self, batch: Self::Input) -> RegressionOutput { self.regress(batch) }
/// # }
/// # let device = Device::flex().autodiff();
/// # let model = Model { layer: LinearConfig::new(2, 1).init(&device) };
/// let model = WithSam::new(model, SamConfig::new().with_rho(0.05).init()?)?;
/// let learner = Learner::new(model, SgdConfig::new().init(), 0.1);
/// // SupervisedTraining::new(..).launch(learner), and then `result.model.into_inner()`
/// # let step = learner.train_step([Tensor::ones([4, 2], &device), Tensor::ones([4, 1], &device)]);
/// # assert_eq!(step.grads.len(), 2);
/// # assert!(learner.model().scalars().iter().any(|(tag, _)| *tag == "sam/cosine"));
/// # Ok::<(), sam::Error>(())
/// ```
///
/// Paths of parameters are those of the model alone, and so are the learner's checkpoints: a
/// training can go on with the method from a checkpoint that was made without it, and the other way
/// round. Only what a later step needs is beside them, in the buffers `sam.numbers` and
/// `sam.carried`: for LookSAM, Friendly-SAM, a schedule of the radius and `same_masks`. Such a
/// training begins from a checkpoint without them by `model.load_file(path)` before
/// [`new`](Self::new).
///
/// For several devices, accumulated gradients, refused steps and statistics, see [`InLearner`]; it
/// is the same here. Tied weights and a radius that follows the learning rate need no line: the
/// optimiser's step goes through here. A model that steps itself, in a `TrainStep::optimize` of its
/// own, keeps it.
pub struct WithSam<M, S: Clone + Send + Debug> {
    model: M,
    sam: InLearner<S>,
    /// Whether a later step needs what the method remembers.
    remembers: bool,
    is_tied: bool,
    measured: Arc<Mutex<Vec<(&'static str, f64)>>>,
}

impl<M: Module, R: Rule> WithSam<M, SharpnessAware<R>> {
    /// Joins the model and the method.
    ///
    /// # Errors
    /// A model without trained parameters, or on a device without autodiff; places of one parameter
    /// that differ; a [`Perturbed`](crate::Perturbed) that chooses nothing; a method that needs the
    /// losses of single examples ([`InLearner::step_examples`] is for them).
    pub fn new(model: M, method: SharpnessAware<R>) -> Result<Self, Error> {
        let is_tied = check_places(&model)?;
        let ascent = method.ascent();
        ascent.perturbed.of(&model)?;
        if method.batches() != BatchUse::Whole {
            return Err(Error::ExamplesNotApart);
        }
        let follows = ascent.schedule != RhoSchedule::Constant || ascent.same_masks.is_some();
        Ok(Self {
            remembers: method.rule().carries() || follows,
            sam: InLearner::new(method, &model),
            model,
            is_tied,
            measured: Arc::default(),
        })
    }

    /// Returns the number of steps taken so far in this process, or since the first where they are
    /// in the checkpoints; those that were refused are left out.
    pub fn steps(&self) -> u64 {
        self.sam.steps()
    }

    /// Returns the number of steps that were refused so far.
    pub fn refused(&self) -> u64 {
        self.sam.refused()
    }
}

impl<M, S: Clone + Send + Debug> WithSam<M, S> {
    /// Returns what the last step has measured, as [`Measures::scalars`](crate::Measures::scalars);
    /// nothing before the first and after one that was refused.
    pub fn scalars(&self) -> Vec<(&'static str, f64)> {
        let measured = self.measured.lock();
        measured.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the model.
    pub const fn model(&self) -> &M {
        &self.model
    }

    /// Returns the model alone.
    pub fn into_inner(self) -> M {
        self.model
    }
}

impl<M: Module, S: Clone + Send + Debug> WithSam<M, S> {
    /// Makes one leaf of each parameter that stands in several places: Burn moves, reads and steps
    /// each place by itself, and `TrainOutput::new` keeps the gradient of the last.
    fn tied(self) -> Self {
        let model = tied(self.model, self.is_tied);
        Self { model, ..self }
    }
}

/// The passes of a method through a model's own step.
struct Steps<'a, M: TrainStep> {
    batch: &'a M::Input,
    /// The output of the first pass, for the learner's metrics.
    first: Option<M::Output>,
}

impl<M> Loss<M> for Steps<'_, M>
where
    M: TrainStep<Input: Clone, Output: Adaptor<LossInput>>,
{
    fn mean(&mut self, model: &M) -> Result<Forward, Error> {
        let TrainOutput { grads, item } = TrainStep::step(model, self.batch.clone());
        let loss = loss_of(&item);
        self.first.get_or_insert(item);
        Ok(Forward::Gradients(loss, grads))
    }

    fn examples(&self) -> Option<usize> {
        None
    }

    fn terms(&mut self, _: &M, _: Rows<'_>) -> Result<Option<Tensor<1>>, Error> {
        Ok(None)
    }
}

/// Returns the loss in an output. Its adaptor hides the tensor, and Burn's metric reads it.
fn loss_of(output: &impl Adaptor<LossInput>) -> f64 {
    let mut metric = LossMetric::new();
    let metadata = MetricMetadata {
        progress: Progress::new(0, 0, None),
        iteration: None,
        lr: None,
    };
    let read = metric.update(&output.adapt(), &metadata);
    read.expect("a loss that was computed can be read");
    let value = metric.value().expect("one loss was read");
    value.current()
}

impl<M, R> TrainStep for WithSam<M, SharpnessAware<R>>
where
    M: Module + TrainStep<Input: Clone, Output: Adaptor<LossInput>>,
    R: Rule,
{
    type Input = M::Input;
    type Output = M::Output;

    /// # Panics
    /// When the model's step does, or gives a loss that does not depend on its weights, and when
    /// weights are no longer finite: the learner has no error for either.
    fn step(&self, batch: M::Input) -> TrainOutput<M::Output> {
        let (batch, first) = (&batch, None);
        let mut steps = Steps { batch, first };
        let descent = self.sam.descent(&self.model, &mut steps);
        let descent = descent.unwrap_or_else(|error| panic!("the method cannot step: {error}"));
        let output = steps.first.expect("a descent begins with a pass");
        let step = LearnerDescent::new(descent, output);
        let mut measured = self.measured.lock().unwrap_or_else(PoisonError::into_inner);
        *measured = match &step.measured {
            Ok(measured) => measured.scalars().collect(),
            Err(_) => Vec::new(),
        };
        let (grads, item) = step.into_parts();
        TrainOutput { grads, item }
    }

    fn optimize(
        self,
        optim: &mut ModuleOptimizer,
        lr: ModuleLearningRate,
        grads: GradientsParams,
    ) -> Self {
        self.sam.at_learning_rate(lr.base());
        let model = self.model.optimize(optim, lr, grads);
        Self { model, ..self }.tied()
    }

    fn optimize_multi(
        self,
        optim: &mut ModuleOptimizer,
        lr: ModuleLearningRate,
        grads: MultiGradientsParams,
    ) -> Self {
        self.sam.at_learning_rate(lr.base());
        let model = self.model.optimize_multi(optim, lr, grads);
        Self { model, ..self }.tied()
    }
}

impl<M: InferenceStep, S: Clone + Send + Debug> InferenceStep for WithSam<M, S> {
    type Input = M::Input;
    type Output = M::Output;

    fn step(&self, batch: M::Input) -> M::Output {
        self.model.step(batch)
    }
}

/// The name of the buffers in paths, and of this type for who visits.
const BUFFERS: (&str, &str) = ("sam", "Struct:WithSam");

// By hand, for the model's own paths: a derived module puts the name of the field before them.
impl<M: Module, S: Clone + Send + Debug> Module for WithSam<M, S> {
    fn visit<V: ModuleVisitor>(&self, visitor: &mut V) {
        self.model.visit(visitor);
        if self.remembers {
            visitor.enter_module(BUFFERS.0, BUFFERS.1);
            self.sam.visit(visitor);
            visitor.exit_module(BUFFERS.0, BUFFERS.1);
        }
    }

    fn map<V: ModuleMapper>(self, mapper: &mut V) -> Self {
        let model = self.model.map(mapper);
        let mut sam = self.sam;
        if self.remembers {
            mapper.enter_module(BUFFERS.0, BUFFERS.1);
            sam = sam.map(mapper);
            mapper.exit_module(BUFFERS.0, BUFFERS.1);
        }
        Self { model, sam, ..self }.tied()
    }

    fn collect_devices(&self, devices: Devices) -> Devices {
        self.sam
            .collect_devices(self.model.collect_devices(devices))
    }

    fn to_device(self, device: &Device) -> Self {
        Self {
            model: self.model.to_device(device),
            sam: self.sam.to_device(device),
            ..self
        }
        .tied()
    }

    fn fork(self, device: &Device) -> Self {
        Self {
            model: self.model.fork(device),
            sam: self.sam.fork(device),
            ..self
        }
        .tied()
    }

    fn train(self) -> Self {
        Self {
            model: self.model.train(),
            sam: self.sam.train(),
            ..self
        }
        .tied()
    }

    fn valid(&self) -> Self {
        Self {
            model: self.model.valid(),
            sam: self.sam.valid(),
            remembers: self.remembers,
            is_tied: self.is_tied,
            measured: Arc::clone(&self.measured),
        }
    }

    fn materialize(self) -> Self {
        Self {
            model: self.model.materialize(),
            ..self
        }
    }

    fn num_params(&self) -> usize {
        self.model.num_params()
    }
}

impl<M: Clone, S: Clone + Send + Debug> Clone for WithSam<M, S> {
    fn clone(&self) -> Self {
        Self {
            model: self.model.clone(),
            sam: self.sam.clone(),
            remembers: self.remembers,
            is_tied: self.is_tied,
            measured: Arc::clone(&self.measured),
        }
    }
}

impl<M: Debug, S: Clone + Send + Debug> Debug for WithSam<M, S> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let mut fields = f.debug_struct("WithSam");
        fields.field("model", &self.model).field("sam", &self.sam);
        fields.finish_non_exhaustive()
    }
}

/// Writes the model, without the method.
impl<M: Display, S: Clone + Send + Debug> Display for WithSam<M, S> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        self.model.fmt(f)
    }
}

/// For what measures the model, whatever trains it.
impl<M, S: Clone + Send + Debug> Borrow<M> for WithSam<M, S> {
    fn borrow(&self) -> &M {
        &self.model
    }
}
