//! The same CNN trained with SAM by burn-train's learner.
#![allow(clippy::print_stdout, reason = "a program")]

use std::sync::Arc;

use anyhow::{Result, bail};
use burn::data::dataloader::{DataLoader, DataLoaderBuilder};
use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::AdamConfig;
use burn::tensor::Device;
use burn::train::metric::{AccuracyMetric, LossMetric};
use burn::train::{
    ClassificationOutput, InferenceStep, Learner, SupervisedTraining, TrainOutput, TrainStep,
};
use datasets::{ImageBatch, ImageBatcher, ImageDataset, MnistSubset, SplitConfig, batches};
use models::{Cnn, CnnConfig};
use sam::{InLearner, Sam, SamConfig};

/// The network, and the method as a part of what the learner trains.
#[derive(Module, Debug)]
struct Classifier {
    net: Cnn,
    sam: InLearner<Sam>,
}

impl Classifier {
    fn classify(&self, batch: ImageBatch) -> ClassificationOutput {
        let output = self.net.forward(batch.images);
        let loss = CrossEntropyLossConfig::new()
            .init(&output.device())
            .forward(output.clone(), batch.labels.clone());
        ClassificationOutput::new(loss, output, batch.labels)
    }
}

impl TrainStep for Classifier {
    type Input = ImageBatch;
    type Output = ClassificationOutput;

    // Both passes of SAM on one batch. The learner's metrics are those of the first.
    fn step(&self, batch: ImageBatch) -> TrainOutput<ClassificationOutput> {
        let step = self.sam.step(self, |model| {
            let item = model.classify(batch.clone());
            (item.loss.clone(), item)
        });
        let (grads, item) = step.expect("a loss of the closure's model").into_parts();
        TrainOutput { grads, item }
    }
}

impl InferenceStep for Classifier {
    type Input = ImageBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: ImageBatch) -> ClassificationOutput {
        self.classify(batch)
    }
}

fn main() -> Result<()> {
    let (epochs, batch_size, seed) = (1, 64, 7);
    let device = Device::flex().autodiff();
    let split = MnistSubset::load()?.split(&SplitConfig::new())?;
    let loader = |data: &ImageDataset| -> Arc<dyn DataLoader<ImageBatch>> {
        DataLoaderBuilder::new(ImageBatcher::of(data))
            .batch_size(batch_size)
            .shuffle(seed)
            .build(data.clone())
    };

    let net = CnnConfig::new(28)
        .with_batch_norm(true)
        .init_seeded(seed, &device);
    let sam = InLearner::new(SamConfig::new().with_rho(0.05).init(), &net);
    let learner = Learner::new(Classifier { net, sam }, AdamConfig::new().init(), 1e-3);
    let result = SupervisedTraining::new(
        "runs/example-mnist-cnn-learner",
        loader(&split.train),
        loader(&split.validation),
    )
    .num_epochs(epochs)
    .metrics((LossMetric::new(), AccuracyMetric::new()))
    .with_default_checkpointers()
    .launch(learner);
    if let Some(error) = result.error {
        bail!("the learner stopped: {error}");
    }

    let model = result.model;
    println!(
        "{} steps, {} refused",
        model.sam.steps(),
        model.sam.refused()
    );
    let test = batches(&split.test, split.test.len(), &device.inner())?.remove(0);
    let item = model.classify(test);
    let right = item.output.argmax(1).reshape([-1]).equal(item.targets);
    let accuracy: f64 = right.float().mean().into_scalar();
    println!("accuracy {accuracy:.4} on the test data");
    Ok(())
}
