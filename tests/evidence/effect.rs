//! The effect of sharpness-aware methods on the minimum that is found, over several seeds.

use anyhow::Result;
use burn::tensor::Device;
use datasets::{Digits, MnistSubset, Split, SplitConfig};
use indicatif::ProgressBar;
use models::{CnnConfig, MlpConfig};

use crate::method::Method;
use crate::table::{Figure, Row, Table};
use crate::training::{Outcome, Recipe, train};

/// The columns, and how each is read off an outcome.
type Column = (&'static str, fn(&Outcome) -> f64);

const COLUMNS: [Column; 8] = [
    ("training loss", |outcome| outcome.training_loss),
    ("validation loss", |outcome| outcome.validation_loss),
    ("validation accuracy", |outcome| outcome.validation_accuracy),
    ("lambda_1", |outcome| outcome.lambda_max),
    ("its residual", |outcome| outcome.lambda_residual),
    ("trace", |outcome| outcome.trace),
    ("its standard error", |outcome| outcome.trace_error),
    ("SAM sharpness, rho 0.05", |outcome| outcome.sam_sharpness),
];

/// All methods on the digits MLP: five seeds of 30 epochs each; in the small form two of 3.
pub(crate) fn digits(small: bool) -> Result<Table> {
    let (seeds, epochs) = if small { (2, 3) } else { (5, 30) };
    let rows = compare(&Method::ALL, seeds, |method, seed| {
        let recipe = Recipe {
            epochs,
            seed,
            learning_rate: 0.1,
            batch_size: 32,
            curvature_examples: usize::MAX,
        };
        let Split {
            train: data,
            validation,
            ..
        } = Digits::load()?.split(&SplitConfig::new().with_seed(seed))?;
        let device = Device::flex().autodiff();
        let model = MlpConfig::new(vec![64, 128, 64, 10])
            .init_seeded(seed, &device)
            .expect("a network");
        train(method, &recipe, model, &data, &validation)
    })?;
    Ok(table(
        format!(
            "MLP 64-128-64-10 with ReLU on UCI digits; {seeds} seeds, each with its own split, initial weights and order; \
             {epochs} epochs, batches of 32, learning rate 0.1 falling to 0 as a cosine, no weight decay. Curvature and SAM \
             sharpness are of the mean loss over the whole training data. Mean ± standard deviation over the seeds."
        ),
        rows,
    ))
}

/// SGD, SAM and ASAM on the CNN: three seeds of 5 epochs each; in the small form two of 16 steps.
pub(crate) fn mnist(small: bool) -> Result<Table> {
    let (seeds, epochs, examples) = if small { (2, 1, 1024) } else { (3, 5, 9000) };
    let curvature_examples = if small { 128 } else { 1024 };
    let methods = [Method::Sgd, Method::Sam, Method::Asam];
    let rows = compare(&methods, seeds, |method, seed| {
        let recipe = Recipe {
            epochs,
            seed,
            learning_rate: 0.05,
            batch_size: 64,
            curvature_examples,
        };
        let split = SplitConfig::new().with_validation(0.1).with_seed(seed);
        let Split {
            train: data,
            validation,
            ..
        } = MnistSubset::load()?.split(&split)?;
        let data = data.select(&(0..examples.min(data.len())).collect::<Vec<_>>());
        let device = Device::flex().autodiff();
        let model = CnnConfig::new(28)
            .with_batch_norm(true)
            .init_seeded(seed, &device)
            .expect("a network");
        train(method, &recipe, model, &data, &validation)
    })?;
    Ok(table(
        format!(
            "CNN of 8 and 16 channels with BatchNorm on {examples} images of MNIST, 1,000 for validation; {seeds} seeds, each with \
             its own split, initial weights and order; {epochs} epochs, batches of 64, learning rate 0.05 falling to 0 as a \
             cosine, no weight decay. Curvature and SAM sharpness are of the mean loss over {curvature_examples} training images, \
             with running statistics. Mean ± standard deviation over the seeds."
        ),
        rows,
    ))
}

fn compare(
    methods: &[Method],
    seeds: u64,
    outcome: impl Fn(Method, u64) -> Result<Outcome>,
) -> Result<Vec<Row>> {
    let progress = ProgressBar::new(seeds * methods.len() as u64);
    let mut rows = Vec::new();
    for &method in methods {
        let mut outcomes = Vec::new();
        for seed in 0..seeds {
            outcomes.push(outcome(method, seed)?);
            progress.inc(1);
        }
        let figures = COLUMNS
            .iter()
            .map(|(_, read)| Figure::of(outcomes.iter().map(read).collect()))
            .collect();
        rows.push(Row {
            name: method.name().to_owned(),
            figures,
        });
    }
    progress.finish_and_clear();
    Ok(rows)
}

fn table(setting: String, rows: Vec<Row>) -> Table {
    let columns = std::iter::once("method").chain(COLUMNS.iter().map(|(name, _)| *name));
    Table {
        setting,
        columns: columns.map(str::to_owned).collect(),
        rows,
    }
}
