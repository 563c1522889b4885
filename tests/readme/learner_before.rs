//! A digits classifier in burn-train's learner.

use std::sync::Arc;

use anyhow::{Result, ensure};
use burn::data::dataloader::{DataLoader, DataLoaderBuilder};
use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::AdamConfig;
use burn::tensor::{Device, Int, Tensor};
use burn::train::metric::{AccuracyMetric, LossMetric};
use burn::train::{
    ClassificationOutput, InferenceStep, Learner, SupervisedTraining, TrainOutput, TrainStep,
};
use datasets::{Digits, ImageBatch, ImageBatcher, ImageDataset, SplitConfig, batches};
use models::{Mlp, MlpConfig};

#[derive(Module, Debug)]
struct Classifier {
    net: Mlp,
}

impl Classifier {
    fn classify(&self, images: Tensor<4>, labels: Tensor<1, Int>) -> ClassificationOutput {
        let output = self.net.forward(images);
        let cross_entropy = CrossEntropyLossConfig::new().init(&output.device());
        let loss = cross_entropy.forward(output.clone(), labels.clone());
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

#[allow(clippy::print_stdout, reason = "a program")]
pub(crate) fn main() -> Result<()> {
    let device = Device::flex().autodiff();
    let split = Digits::load()?.split(&SplitConfig::new())?;
    let loader = |data: &ImageDataset| -> Arc<dyn DataLoader<ImageBatch>> {
        let builder = DataLoaderBuilder::new(ImageBatcher::of(data)).batch_size(128);
        builder.shuffle(7).build(data.clone())
    };
    let net = MlpConfig::new(vec![64, 32, 10]).init_seeded(7, &device)?;
    let model = Classifier { net };
    let (data, validation) = (loader(&split.train), loader(&split.validation));
    let training = SupervisedTraining::new("runs/digits", data, validation)
        .metrics((AccuracyMetric::new(), LossMetric::new()))
        .num_epochs(5);
    let result = training.launch(Learner::new(model, AdamConfig::new().init(), 1e-2));
    let model = result.model; // before

    let test = batches(&split.test, split.test.len(), &device.inner())?.remove(0);
    let item = model.classify(test.images, test.labels);
    let right = item.output.argmax(1).reshape([-1]).equal(item.targets);
    let accuracy: f64 = right.float().mean().into_scalar();
    println!("accuracy {accuracy:.3} on the test data");
    ensure!(accuracy > 0.9, "the classifier has not learnt: {accuracy}");
    Ok(())
}
