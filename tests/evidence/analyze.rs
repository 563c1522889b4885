//! The seconds of an analysis at each depth, on the three networks that are timed beside PyTorch.

use anyhow::{Result, ensure};
use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::tensor::{Device, Tensor};
use datasets::{Digits, ImageDataset, MnistSubset, batch};
use landscape::{Reduction, Risk};
use models::{Classifier, CnnConfig, MlpConfig};
use probes::{Depth, analyze};
use tests::ImageBatch;

use crate::table::{Row, Table};

/// Parts of an analysis without an optimiser.
const PARTS: usize = 8;

pub(crate) fn run(small: bool) -> Result<Table> {
    let device = Device::flex().autodiff();
    let mut rows = Vec::new();
    let digits = Digits::load()?.images;
    let examples = digits.len();
    let network = MlpConfig::new(vec![64, 32, 16, 10]).init_seeded(1, &device);
    let network = network.expect("a network");
    rows.extend(depths(
        "digits MLP 64-32-16-10",
        &network,
        &digits,
        examples,
        small,
    )?);
    if !small {
        let mnist = MnistSubset::load()?.train;
        let network = MlpConfig::new(vec![784, 128, 64, 10]).init_seeded(1, &device);
        let network = network.expect("a network");
        rows.extend(depths(
            "MNIST MLP 784-128-64-10",
            &network,
            &mnist,
            4096,
            small,
        )?);
        let network = CnnConfig::new(28).init_seeded(1, &device);
        let network = network.expect("a network");
        rows.extend(depths(
            "MNIST CNN, 8 and 16 channels",
            &network,
            &mnist,
            1024,
            small,
        )?);
    }
    Ok(Table {
        setting: "All examples as one batch, f32, initial weights of seed 1.".into(),
        columns: [
            "network, depth",
            "seconds",
            "limit",
            "parameters",
            "examples measured",
            "examples given",
            "parts measured",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows,
    })
}

#[allow(clippy::cast_precision_loss, reason = "counts")]
fn depths<M: Classifier + Module + Sync + 'static>(
    name: &str,
    model: &M,
    images: &ImageDataset,
    examples: usize,
    small: bool,
) -> Result<Vec<Row>> {
    let indices: Vec<usize> = (0..examples).collect();
    let data = batch(images, &indices, &Device::flex()).into_pair();
    let risk = Risk::of(
        [data],
        |model: &M, (images, _): &ImageBatch| model.logits(images.clone()),
        |logits: Tensor<2>, (_, labels): &ImageBatch| {
            CrossEntropyLossConfig::new()
                .init(&logits.device())
                .forward(logits, labels.clone())
        },
        Reduction::Mean,
    );
    let depths: &[Depth] = if small {
        &[Depth::Quick]
    } else {
        &[Depth::Quick, Depth::Standard, Depth::Thorough]
    };
    let mut rows = Vec::new();
    for &depth in depths {
        let analysis = analyze(model, &risk, depth)?;
        ensure!(analysis.loss.is_finite(), "the loss is {}", analysis.loss);
        println!("{name}\n{analysis}\n");
        for (part, seconds) in &analysis.times {
            println!("    {part:12} {seconds:.2} s");
        }
        let made = analysis.times.len().min(PARTS);
        rows.push(Row::of(
            format!("{name}, {depth}"),
            [
                analysis.seconds,
                depth.seconds(),
                analysis.parameters as f64,
                analysis.examples as f64,
                analysis.examples_given as f64,
                made as f64,
            ],
        ));
    }
    Ok(rows)
}
