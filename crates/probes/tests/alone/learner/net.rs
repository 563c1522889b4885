//! A network with batch normalisation and dropout, its data, and the learner that trains it.

use std::borrow::Borrow;
use std::path::Path;
use std::sync::Arc;

use burn::data::dataloader::batcher::Batcher;
use burn::data::dataloader::{DataLoader, DataLoaderBuilder};
use burn::data::dataset::InMemDataset;
use burn::lr_scheduler::linear::LinearLrSchedulerConfig;
use burn::lr_scheduler::module_lr_scheduler::ModuleLrScheduler;
use burn::module::{Module, ModuleVisitor, Param};
use burn::nn::loss::{MseLoss, Reduction};
use burn::nn::{BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Linear, LinearConfig};
use burn::optim::AdamConfig;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor, TensorData};
use burn::train::checkpoint::KeepLastNCheckpoints;
use burn::train::metric::{Adaptor, LearningRateMetric, LossInput, LossMetric};
use burn::train::{
    InferenceStep, Learner, LearnerModel, RegressionOutput, SupervisedTraining, TrainOutput,
    TrainStep,
};
use probes::learner::{Epochs, WithProbes};
use probes::{Error, Moment, Probe, Probes, Records, Summary};

use super::quiet::Quiet;

pub(crate) type Batch = [Tensor<2>; 2];

#[derive(Module, Debug)]
pub(crate) struct Net {
    first: Linear,
    norm: BatchNorm,
    dropout: Dropout,
    last: Linear,
}

impl Net {
    /// A network whose weights are drawn from the device when they are first looked at.
    pub(crate) fn drawn(device: &Device) -> Self {
        Self {
            first: LinearConfig::new(3, 5).init(device),
            norm: BatchNormConfig::new(5).init(device),
            dropout: DropoutConfig::new(0.3).init(),
            last: LinearConfig::new(5, 1).init(device),
        }
    }

    /// One that draws nothing.
    pub(crate) fn fixed(device: &Device) -> Self {
        let weights = |shape: [usize; 2], phase: f32| {
            let count = shape[0] * shape[1];
            let values: Vec<f32> = (0..count).map(|i| (i as f32 + phase).sin()).collect();
            Linear {
                weight: Param::from_data(TensorData::new(values, shape), device),
                bias: Some(Param::from_data(
                    TensorData::zeros::<f32, _>([shape[1]]),
                    device,
                )),
            }
        };
        Self {
            first: weights([3, 5], 0.3),
            norm: BatchNormConfig::new(5).init(device),
            dropout: DropoutConfig::new(0.0).init(),
            last: weights([5, 1], 0.7),
        }
    }

    pub(crate) fn regress(&self, [x, y]: &Batch) -> RegressionOutput {
        let hidden = relu(self.norm.forward(self.first.forward(x.clone())));
        let output = self.last.forward(self.dropout.forward(hidden));
        let loss = MseLoss::new().forward(output.clone(), y.clone(), Reduction::Mean);
        RegressionOutput::new(loss, output, y.clone())
    }
}

impl TrainStep for Net {
    type Input = Batch;
    type Output = RegressionOutput;

    fn step(&self, batch: Batch) -> TrainOutput<RegressionOutput> {
        let item = self.regress(&batch);
        TrainOutput::new(self, item.loss.backward(), item)
    }
}

impl InferenceStep for Net {
    type Input = Batch;
    type Output = RegressionOutput;

    fn step(&self, batch: Batch) -> RegressionOutput {
        self.regress(&batch)
    }
}

/// The bits of every float tensor after all pending updates, running statistics included.
pub(crate) fn bits<M: Module>(model: &M) -> Vec<u64> {
    struct Bits(Vec<u64>);
    impl ModuleVisitor for Bits {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let data = param.val().into_data();
            self.0.extend(data.iter::<f64>().map(f64::to_bits));
        }
    }
    let mut bits = Bits(Vec::new());
    model.valid().visit(&mut bits);
    bits.0
}

/// The sum of all weights and statistics, as the probe of these tests; told by the learning rate as well.
pub(crate) fn reading(net: &Net) -> f64 {
    let values = bits(net).into_iter().map(f64::from_bits);
    values.sum()
}

/// Records [`reading`] and the learning rate under a name.
pub(crate) struct Reading(pub(crate) &'static str);

impl Probe<Net> for Reading {
    fn name(&self) -> String {
        self.0.into()
    }

    fn measure(&mut self, moment: &Moment<'_, Net>, records: &mut Records) -> Result<(), Error> {
        records.scalar(format!("reading/{}", self.0), reading(moment.model));
        if let Some(rate) = moment.learning_rate {
            records.scalar(format!("rate/{}", self.0), rate);
        }
        Ok(())
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Row(usize);

#[derive(Clone)]
pub(crate) struct Rows;

impl Batcher<Row, Batch> for Rows {
    fn batch(&self, rows: Vec<Row>, device: &Device) -> Batch {
        let number = |i: usize, phase: f32| (i as f32 * 0.7 + phase).sin();
        let x: Vec<f32> = rows
            .iter()
            .flat_map(|row| [0.0, 1.0, 2.0].map(|phase| number(row.0, phase)))
            .collect();
        let y: Vec<f32> = rows.iter().map(|row| number(row.0, 0.5)).collect();
        [
            Tensor::from_data(TensorData::new(x, [rows.len(), 3]), device),
            Tensor::from_data(TensorData::new(y, [rows.len(), 1]), device),
        ]
    }
}

/// Twenty-two rows in three batches, in their order.
pub(crate) const ITEMS: usize = 22;
pub(crate) const BATCH: usize = 8;

fn rows() -> Vec<Row> {
    (0..ITEMS).map(Row).collect()
}

pub(crate) fn batches(device: &Device) -> Vec<Batch> {
    let batch = |rows: &[Row]| Rows.batch(rows.to_vec(), device);
    rows().chunks(BATCH).map(batch).collect()
}

fn loader() -> Arc<dyn DataLoader<Batch>> {
    let builder = DataLoaderBuilder::new(Rows).batch_size(BATCH);
    builder.build(InMemDataset::new(rows()))
}

/// A learning rate that differs in each step.
pub(crate) fn schedule() -> ModuleLrScheduler {
    let schedule = LinearLrSchedulerConfig::new(0.1, 0.01, 40).init();
    schedule.expect("rates between 0 and 1")
}

/// The learner's settings that are common to these tests.
pub(crate) fn training<M>(directory: &Path, epochs: usize) -> SupervisedTraining<M>
where
    M: LearnerModel + TrainStep<Input = Batch> + InferenceStep<Input = Batch>,
    <M as TrainStep>::Output: Adaptor<LossInput>,
    <M as InferenceStep>::Output: Adaptor<LossInput>,
{
    SupervisedTraining::new(directory, loader(), loader())
        .metrics((LossMetric::new(),))
        .metric_train_numeric(LearningRateMetric::new())
        .num_epochs(epochs)
        .renderer(Box::new(Quiet))
        .with_default_checkpointers()
        .with_checkpointing_strategy(KeepLastNCheckpoints::new(10))
        .with_application_logger(None)
}

pub(crate) fn launch<M: LearnerModel>(training: SupervisedTraining<M>, model: M) -> M {
    let learner = Learner::new(model, AdamConfig::new().init(), schedule());
    let result = training.launch(learner);
    assert!(result.error.is_none(), "{:?}", result.error);
    result.model
}

/// A training with probes, from a checkpoint if there is one; the network and what the probes did.
pub(crate) fn train<M>(
    directory: &Path,
    model: M,
    probes: Probes<Net>,
    epochs: usize,
    checkpoint: Option<usize>,
) -> (M, Summary)
where
    M: LearnerModel + TrainStep<Input = Batch> + InferenceStep<Input = Batch> + Borrow<Net>,
    <M as TrainStep>::Output: Adaptor<LossInput>,
    <M as InferenceStep>::Output: Adaptor<LossInput>,
{
    let steps = Epochs::new(epochs, ITEMS, BATCH).after(checkpoint);
    let model = WithProbes::new(model, probes, steps);
    let mut training = training(directory, epochs).with_metric_logger(model.metrics(directory));
    if let Some(epoch) = checkpoint {
        training = training.checkpoint(epoch);
    }
    launch(training, model).finish()
}
