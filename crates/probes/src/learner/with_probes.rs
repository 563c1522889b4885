//! A model that is measured while burn-train's learner trains it.

use std::borrow::Borrow;
use std::fmt::{Debug, Display, Formatter};
use std::path::Path;
use std::sync::Arc;

use burn::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::module::{Devices, Module, ModuleMapper, ModuleVisitor};
use burn::optim::{GradientsParams, ModuleOptimizer, MultiGradientsParams};
use burn::tensor::Device;
use burn::train::{InferenceStep, TrainOutput, TrainStep};

use super::watch::Watch;
use super::{Epochs, Metrics};
use crate::{Probes, Summary};

/// A model with probes, for burn-train's learner: `Learner::new(WithProbes::new(model, probes,
/// epochs), ..)`.
///
/// Each update of the weights is a step, and the model is measured after it, as in a loop that
/// calls [`Probes::observe`]; the untrained model is step 0. Paths of parameters, checkpoints and
/// training are those of the model alone: checkpoints of a training without probes can be gone on
/// from with them, and the other way. `training/learning_rate` is recorded at each step.
///
/// The last model is measured by [`finish`](Self::finish), as the end of the run, wherever that
/// was: after the last epoch, or earlier by early stopping, an interruption or an error. A run that
/// goes on from a checkpoint ([`Epochs::after`]) measures from the next step on: the run that wrote
/// the checkpoint has measured there.
///
/// `N` is what the probes measure: the model, or a part that it borrows, such as the `Model` in
/// `sam::WithSam<Model, _>`.
///
/// Probes see the optimiser too ([`Moment::optimiser`](crate::Moment::optimiser)), of each update
/// after which one is due: its state then has one more owner until the next update, which is
/// therefore not made in place. Where a training ends before its last epoch, the learner does not
/// say so beforehand: at such an end the optimiser is not seen. Before the first update it has no
/// state, and a resumed training shows none before its own first update.
///
/// On several devices with one optimiser, the first copy that begins a step is measured. In Burn's
/// distributed training each copy has an optimiser of its own and would count the steps once more:
/// it is not for that.
pub struct WithProbes<M, N = M> {
    model: M,
    watch: Arc<Watch<M, N>>,
}

impl<M: Borrow<N>, N: Clone> WithProbes<M, N> {
    /// Returns the model with probes. They are told the total number of steps.
    #[must_use]
    pub fn new(model: M, probes: Probes<N>, epochs: Epochs) -> Self {
        let watch = Arc::new(Watch::new(probes, epochs));
        Self { model, watch }
    }

    /// Records numbers of each step that the model knows, by tag: `.with_scalars(|model|
    /// model.scalars())` for `sam::WithSam`.
    #[must_use]
    pub fn with_scalars(
        self,
        scalars: impl Fn(&M) -> Vec<(&'static str, f64)> + Send + 'static,
    ) -> Self {
        self.watch.set_scalars(Box::new(scalars));
        self
    }

    /// Returns a logger that hands the learner's metrics to the sinks of the probes, for
    /// `SupervisedTraining::with_metric_logger`. `directory` is the learner's, for Burn's own
    /// files. One training takes one.
    #[must_use]
    pub fn metrics(&self, directory: impl AsRef<Path>) -> Metrics<M, N> {
        Metrics::new(directory.as_ref(), Arc::clone(&self.watch))
    }

    /// Measures the last model of the training and ends the sinks: `let (model, summary) =
    /// result.model.finish();`.
    ///
    /// The summary is [`Probes::finish`]'s. Clones of a model have their probes in common: the
    /// first that is finished tells, and the summary of another is empty.
    #[must_use = "the summary tells what failed"]
    pub fn finish(self) -> (M, Summary) {
        let summary = self.watch.finish().unwrap_or_default();
        (self.model, summary)
    }
}

impl<M, N> WithProbes<M, N> {
    /// Returns the model.
    pub const fn model(&self) -> &M {
        &self.model
    }
}

impl<M, N> TrainStep for WithProbes<M, N>
where
    M: Module + TrainStep + Borrow<N>,
    N: Clone + Send,
{
    type Input = M::Input;
    type Output = M::Output;

    fn step(&self, batch: M::Input) -> TrainOutput<M::Output> {
        self.watch.begin_batch(self.model.borrow());
        self.model.step(batch)
    }

    fn optimize(
        self,
        optim: &mut ModuleOptimizer,
        lr: ModuleLearningRate,
        grads: GradientsParams,
    ) -> Self {
        let base = lr.base();
        let model = self.model.optimize(optim, lr, grads);
        self.watch.end_update(&model, optim, base);
        Self { model, ..self }
    }

    fn optimize_multi(
        self,
        optim: &mut ModuleOptimizer,
        lr: ModuleLearningRate,
        grads: MultiGradientsParams,
    ) -> Self {
        let base = lr.base();
        let model = self.model.optimize_multi(optim, lr, grads);
        self.watch.end_update(&model, optim, base);
        Self { model, ..self }
    }
}

impl<M: InferenceStep, N> InferenceStep for WithProbes<M, N> {
    type Input = M::Input;
    type Output = M::Output;

    fn step(&self, batch: M::Input) -> M::Output {
        self.model.step(batch)
    }
}

// By hand, for the model's own paths: a derived module puts the name of the field before them.
impl<M: Module, N: Send> Module for WithProbes<M, N> {
    fn visit<V: ModuleVisitor>(&self, visitor: &mut V) {
        self.model.visit(visitor);
    }

    fn map<V: ModuleMapper>(self, mapper: &mut V) -> Self {
        let model = self.model.map(mapper);
        Self { model, ..self }
    }

    fn collect_devices(&self, devices: Devices) -> Devices {
        self.model.collect_devices(devices)
    }

    fn to_device(self, device: &Device) -> Self {
        let model = self.model.to_device(device);
        Self { model, ..self }
    }

    fn fork(self, device: &Device) -> Self {
        let model = self.model.fork(device);
        Self { model, ..self }
    }

    fn train(self) -> Self {
        let model = self.model.train();
        Self { model, ..self }
    }

    fn valid(&self) -> Self {
        Self {
            model: self.model.valid(),
            watch: Arc::clone(&self.watch),
        }
    }

    fn materialize(self) -> Self {
        let model = self.model.materialize();
        Self { model, ..self }
    }

    fn num_params(&self) -> usize {
        self.model.num_params()
    }
}

impl<M: Clone, N> Clone for WithProbes<M, N> {
    fn clone(&self) -> Self {
        Self {
            model: self.model.clone(),
            watch: Arc::clone(&self.watch),
        }
    }
}

impl<M: Debug, N> Debug for WithProbes<M, N> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let mut fields = f.debug_struct("WithProbes");
        fields.field("model", &self.model).finish_non_exhaustive()
    }
}

/// As the model writes itself.
impl<M: Display, N> Display for WithProbes<M, N> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        self.model.fmt(f)
    }
}
