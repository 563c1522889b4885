//! A digits classifier in burn-train's learner.

use std::sync::Arc;

use anyhow::{Result, ensure};
use burn::data::dataloader::{DataLoader, DataLoaderBuilder};
use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::AdamConfig;
use burn::tensor::{Device, Tensor};
use burn::train::{
    ClassificationOutput, InferenceStep, Learner, SupervisedTraining, TrainOutput, TrainStep,
};
use datasets::{Digits, ImageBatch, ImageBatcher, ImageDataset, SplitConfig, batches};
use models::{Mlp, MlpConfig};
use sam::{InLearner, Sam, SamConfig}; // added

#[derive(Module, Debug)]
struct Classifier {
    net: Mlp,
    sam: InLearner<Sam>, // added
}

impl Classifier {
    fn classify(&self, batch: &ImageBatch) -> (Tensor<1>, ClassificationOutput) {
        let output = self.net.forward(batch.images.clone());
        let cross_entropy = CrossEntropyLossConfig::new().init(&output.device());
        let loss = cross_entropy.forward(output.clone(), batch.labels.clone());
        let item = ClassificationOutput::new(loss.clone(), output, batch.labels.clone());
        (loss, item)
    }
}

impl TrainStep for Classifier {
    type Input = ImageBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: ImageBatch) -> TrainOutput<ClassificationOutput> {
        let step = self.sam.step(self, |m| m.classify(&batch)); // added
        let (grads, item) = step.expect("a loss of m").into_parts(); // changed
        TrainOutput { grads, item } // changed
    }
}

impl InferenceStep for Classifier {
    type Input = ImageBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: ImageBatch) -> ClassificationOutput {
        self.classify(&batch).1
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
    let net = MlpConfig::new(vec![64, 32, 10]).init_seeded(7, &device);
    let sam = InLearner::new(SamConfig::new().with_rho(0.05).init(), &net); // added
    let model = Classifier { net, sam }; // changed
    let learner = Learner::new(model, AdamConfig::new().init(), 1e-2);
    let (data, validation) = (loader(&split.train), loader(&split.validation));
    let training = SupervisedTraining::new("runs/digits", data, validation).num_epochs(5);
    let result = training.launch(learner);

    let test = batches(&split.test, split.test.len(), &device.inner())?.remove(0);
    let (_, item) = result.model.classify(&test);
    let right = item.output.argmax(1).reshape([-1]).equal(item.targets);
    let accuracy: f64 = right.float().mean().into_scalar();
    println!("accuracy {accuracy:.3} on the test data");
    ensure!(accuracy > 0.9, "the classifier has not learnt: {accuracy}");
    Ok(())
}
