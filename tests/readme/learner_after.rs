//! The same digits classifier in burn-train's learner, with SAM and with probes.

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
use landscape::Risk; // probes
use models::{Mlp, MlpConfig};
use probes::instrument::TopEigenvalues; // probes
use probes::learner::{Epochs, WithProbes}; // probes
use probes::{Probes, Schedule}; // probes
use sam::{SamConfig, WithSam}; // SAM

type Pair = (Tensor<4>, Tensor<1, Int>); // probes
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
    let model = WithSam::new(model, SamConfig::new().with_rho(0.05).init()?)?; // SAM
    let (data, validation) = (loader(&split.train), loader(&split.validation));
    let pair = batches(&split.train, 256, &device)?.remove(0).into_pair(); // probes
    let loss = |m: &Classifier, (x, y): &Pair| m.classify(x.clone(), y.clone()).loss; // probes
    let risk = Risk::mean([pair], loss); // probes
    let epochs = Epochs::new(5, data.num_items(), 128); // probes
    let probes = Probes::new() // probes
        .with(Schedule::log_spaced(8), TopEigenvalues::of(&risk, 1)) // probes
        .with_sink(epochs.tensor_board("runs/digits/tensorboard")?); // probes
    let model = WithProbes::new(model, probes, epochs).with_scalars(WithSam::scalars); // probes
    let training = SupervisedTraining::new("runs/digits", data, validation)
        .metrics((AccuracyMetric::new(), LossMetric::new()))
        .with_metric_logger(model.metrics("runs/digits")) // probes
        .num_epochs(5);
    let result = training.launch(Learner::new(model, AdamConfig::new().init(), 1e-2));
    let (model, summary) = result.model.finish(); // probes
    println!("measured {:?}", summary.measured); // probes
    let model = model.into_inner(); // SAM

    let test = batches(&split.test, split.test.len(), &device.inner())?.remove(0);
    let item = model.classify(test.images, test.labels);
    let right = item.output.argmax(1).reshape([-1]).equal(item.targets);
    let accuracy: f64 = right.float().mean().into_scalar();
    println!("accuracy {accuracy:.3} on the test data");
    ensure!(accuracy > 0.9, "the classifier has not learnt: {accuracy}");
    Ok(())
}
