//! A network with batch normalisation as a learner trains it, its data, and the learner.

use std::fmt::Debug;
use std::path::Path;
use std::sync::{Arc, Mutex};

use burn::data::dataloader::batcher::Batcher;
use burn::data::dataloader::{DataLoader, DataLoaderBuilder};
use burn::data::dataset::InMemDataset;
use burn::lr_scheduler::linear::LinearLrSchedulerConfig;
use burn::lr_scheduler::module_lr_scheduler::{ModuleLearningRate, ModuleLrScheduler};
use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{DType, Device, Tensor, TensorData};
use burn::train::checkpoint::KeepLastNCheckpoints;
use burn::train::{
    InferenceStep, Learner, LearnerModel, SupervisedTraining, TrainOutput, TrainStep,
};
use sam::{Error, InLearner, Measures, Rule, SharpnessAware};

use crate::learner::quiet::Quiet;
use crate::steps::nets::{Batch, Host, Normalised, bits, flat};

/// What a step has measured, or why it was refused.
type Said = Result<Measures, Error>;

/// A network with a method as a part.
#[derive(Module, Debug)]
pub(crate) struct Model<A> {
    pub(crate) net: Normalised,
    pub(crate) sam: A,
    #[module(skip)]
    pub(crate) said: Arc<Mutex<Vec<Said>>>,
}

pub(crate) type Trained<S> = Model<InLearner<S>>;

impl<R: Rule> Trained<SharpnessAware<R>> {
    pub(crate) fn new(method: SharpnessAware<R>, net: Normalised) -> Self {
        Self {
            sam: InLearner::new(method, &net),
            net,
            said: Arc::default(),
        }
    }

    pub(crate) fn said(&self) -> Vec<Said> {
        self.said.lock().expect("no step panicked").clone()
    }
}

impl<R: Rule> TrainStep for Trained<SharpnessAware<R>> {
    type Input = Batch;
    type Output = ();

    fn step(&self, batch: Batch) -> TrainOutput<()> {
        let step = self.sam.step(self, |model| (model.net.loss(&batch), ()));
        let step = step.expect("a loss of the argument");
        self.said
            .lock()
            .expect("no step panicked")
            .push(step.measured);
        TrainOutput {
            grads: step.gradients,
            item: step.output,
        }
    }

    fn optimize(
        self,
        optim: &mut ModuleOptimizer,
        lr: ModuleLearningRate,
        grads: GradientsParams,
    ) -> Self {
        self.sam.at_learning_rate(lr.base());
        optim.step(lr, self, grads)
    }
}

impl<R: Rule> InferenceStep for Trained<SharpnessAware<R>> {
    type Input = Batch;
    type Output = ();

    fn step(&self, batch: Batch) {
        let _ = self.net.loss(&batch);
    }
}

/// Six inputs and a class.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) inputs: [f64; 6],
    label: i64,
}

pub(crate) fn rows(count: usize) -> Vec<Row> {
    let mut host = Host(7);
    let mut row = || Row {
        inputs: std::array::from_fn(|_| host.number()),
        label: i64::from(host.number() > -0.3) + i64::from(host.number() > 0.3),
    };
    (0..count).map(|_| row()).collect()
}

pub(crate) struct Rows(pub(crate) DType);

impl Batcher<Row, Batch> for Rows {
    fn batch(&self, rows: Vec<Row>, device: &Device) -> Batch {
        let inputs: Vec<f64> = rows.iter().flat_map(|row| row.inputs).collect();
        let labels: Vec<i64> = rows.iter().map(|row| row.label).collect();
        let count = rows.len();
        Batch {
            inputs: Tensor::from_data(TensorData::new(inputs, [count, 6]), (device, self.0)),
            labels: Tensor::from_data(TensorData::new(labels, [count]), (device, DType::I64)),
        }
    }
}

/// How a learner trains: no order is drawn, the batches are the rows in their order.
pub(crate) struct Training<'a> {
    pub(crate) rows: Vec<Row>,
    pub(crate) batch_size: usize,
    pub(crate) dtype: DType,
    pub(crate) epochs: usize,
    pub(crate) accumulation: Option<usize>,
    pub(crate) directory: &'a Path,
    /// The epoch whose checkpoint it goes on from.
    pub(crate) checkpoint: Option<usize>,
}

impl<'a> Training<'a> {
    pub(crate) fn new(rows: Vec<Row>, dtype: DType, directory: &'a Path) -> Self {
        Self {
            rows,
            batch_size: 8,
            dtype,
            epochs: 3,
            accumulation: None,
            directory,
            checkpoint: None,
        }
    }

    pub(crate) fn batches(&self, device: &Device) -> Vec<Batch> {
        let batch = |rows: &[Row]| Rows(self.dtype).batch(rows.to_vec(), device);
        self.rows.chunks(self.batch_size).map(batch).collect()
    }

    fn loader(&self) -> Arc<dyn DataLoader<Batch>> {
        DataLoaderBuilder::new(Rows(self.dtype))
            .batch_size(self.batch_size)
            .build(InMemDataset::new(self.rows.clone()))
    }

    /// The model after training, to be trained on.
    pub(crate) fn run<M>(&self, model: M, optim: ModuleOptimizer, schedule: ModuleLrScheduler) -> M
    where
        M: LearnerModel + TrainStep<Input = Batch> + InferenceStep<Input = Batch>,
    {
        let mut training = SupervisedTraining::new(self.directory, self.loader(), self.loader())
            .num_epochs(self.epochs)
            .renderer(Box::new(Quiet))
            .with_default_checkpointers()
            .with_checkpointing_strategy(KeepLastNCheckpoints::new(10))
            .with_application_logger(None);
        if let Some(accumulation) = self.accumulation {
            training = training.grads_accumulation(accumulation);
        }
        if let Some(epoch) = self.checkpoint {
            training = training.checkpoint(epoch);
        }
        let result = training.launch(Learner::new(model, optim, schedule));
        assert!(result.error.is_none(), "{:?}", result.error);
        result.model.train()
    }
}

/// A learning rate that differs in each step.
pub(crate) fn schedule() -> ModuleLrScheduler {
    LinearLrSchedulerConfig::new(0.1, 0.01, 40)
        .init()
        .expect("rates between 0 and 1")
}

/// Weights and running statistics after all pending updates, as bits.
pub(crate) fn all_bits(net: &Normalised) -> Vec<u64> {
    bits(&flat(&net.valid().train()))
}
