//! The same CNN trained by burn-train's learner, with SAM and with probes: the learner's metrics
//! and the curvature in one TensorBoard. A run that was killed goes on with `--resume`.
#![allow(clippy::print_stdout, reason = "a program")]

use std::sync::Arc;

use anyhow::{Context, Result, bail};
use burn::data::dataloader::{DataLoader, DataLoaderBuilder};
use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::AdamConfig;
use burn::tensor::{Device, Int, Tensor};
use burn::train::metric::{AccuracyMetric, LossMetric};
use burn::train::{
    ClassificationOutput, InferenceStep, Learner, SupervisedTraining, TrainOutput, TrainStep,
};
use datasets::{ImageBatch, ImageBatcher, ImageDataset, MnistSubset, SplitConfig, batches};
use landscape::Risk;
use models::{Cnn, CnnConfig};
use probes::instrument::{AscentSharpness, GradientNorm, TopEigenvalues};
use probes::learner::{Epochs, WithProbes, last_checkpoint};
use probes::{Budget, Probes, Schedule};
use sam::{SamConfig, WithSam};

const RUN: &str = "runs/example-mnist-cnn-learner";

/// A model as any program for the learner has it, with a step that knows neither SAM nor probes.
#[derive(Module, Debug)]
struct Classifier {
    net: Cnn,
}

impl Classifier {
    fn classify(&self, images: Tensor<4>, labels: Tensor<1, Int>) -> ClassificationOutput {
        let output = self.net.forward(images);
        let loss = CrossEntropyLossConfig::new()
            .init(&output.device())
            .forward(output.clone(), labels.clone());
        ClassificationOutput::new(loss, output, labels)
    }
}

impl TrainStep for Classifier {
    type Input = ImageBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: ImageBatch) -> TrainOutput<ClassificationOutput> {
        let item = self.classify(batch.images, batch.labels);
        TrainOutput::new(self, item.loss.backward(), item)
    }
}

impl InferenceStep for Classifier {
    type Input = ImageBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: ImageBatch) -> ClassificationOutput {
        self.classify(batch.images, batch.labels)
    }
}

fn main() -> Result<()> {
    let (num_epochs, batch_size, seed) = (3, 64, 7);
    let checkpoint = match std::env::args().nth(1).as_deref() {
        None => None,
        Some("--resume") => last_checkpoint(RUN),
        Some(other) => bail!("`{other}` is no argument: there is `--resume` alone"),
    };
    let device = Device::flex().autodiff();
    let split = MnistSubset::load()?.split(&SplitConfig::new())?;
    let loader = |data: &ImageDataset| -> Arc<dyn DataLoader<ImageBatch>> {
        DataLoaderBuilder::new(ImageBatcher::of(data))
            .batch_size(batch_size)
            .shuffle(seed)
            .build(data.clone())
    };
    let (train, valid) = (loader(&split.train), loader(&split.validation));
    let net = CnnConfig::new(28)
        .with_batch_norm(true)
        .init_seeded(seed, &device)?;

    // What is measured: the model on 256 training images.
    let sample = batches(&split.train, 256, &device)?.remove(0).into_pair();
    let risk = Risk::mean([sample], |model: &Classifier, (images, labels)| {
        model.classify(images.clone(), labels.clone()).loss
    });
    let epochs = Epochs::new(num_epochs, train.num_items(), batch_size).after(checkpoint);
    let board = epochs
        .tensor_board(format!("{RUN}/tensorboard"))
        .with_context(|| format!("go on with the run by --resume, or remove {RUN}"))?;
    let probes = Probes::new()
        .with_budget(Budget::fraction(0.5))
        .with(Schedule::every(25), GradientNorm::of(&risk))
        .with(Schedule::every(25), AscentSharpness::of(&risk, 0.05))
        .with(Schedule::every(125), TopEigenvalues::of(&risk, 1))
        .with_sink(board);

    // The model with SAM, and that with probes.
    let model = Classifier { net };
    let model = WithSam::new(model, SamConfig::new().with_rho(0.05).init()?)?;
    let model = WithProbes::new(model, probes, epochs).with_scalars(WithSam::scalars);

    let mut training = SupervisedTraining::new(RUN, train, valid)
        .metrics((LossMetric::new(), AccuracyMetric::new()))
        .with_metric_logger(model.metrics(RUN))
        .with_default_checkpointers()
        .num_epochs(num_epochs);
    if let Some(epoch) = checkpoint {
        training = training.checkpoint(epoch);
    }
    let result = training.launch(Learner::new(model, AdamConfig::new().init(), 1e-3));
    if let Some(error) = result.error {
        bail!("the learner stopped: {error}");
    }

    let (model, summary) = result.model.finish();
    let summary = summary.delivered()?;
    for (probe, times) in &summary.measured {
        println!("{probe} {times} times");
    }
    println!(
        "{} of {} steps",
        epochs.total() - epochs.done(),
        epochs.total()
    );
    let test = batches(&split.test, split.test.len(), &device.inner())?.remove(0);
    let item = model.into_inner().classify(test.images, test.labels);
    let right = item.output.argmax(1).reshape([-1]).equal(item.targets);
    let accuracy: f64 = right.float().mean().into_scalar();
    println!("accuracy {accuracy:.4} on the test data");
    println!("tensorboard --logdir {RUN}");
    Ok(())
}
