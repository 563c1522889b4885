//! The gap in the spectrum of a trained net, and the top eigenspaces of the Hessian and of the
//! Gauss-Newton matrix beside each other.

use anyhow::{Context, Result};
use burn::tensor::{DType, Device, Tensor};
use datasets::{Digits, ImageDataset, SplitConfig, batch, epoch_order};
use indicatif::ProgressBar;
use landscape::spectrum::{DenseEigen, materialize};
use landscape::{GaussNewton, Hessian, LinearOperator, Reduction, Risk};
use models::{Mlp, MlpConfig};
use tests::ImageBatch;

use crate::table::{Row, Table};
use crate::training::{base, descended, first};

/// Numbers of eigenvalues after which the gap is looked for.
const PLACES: std::ops::RangeInclusive<usize> = 3..=25;
/// One for each class but one; where a gap is often reported.
const CLASSES_LESS_ONE: usize = 9;

/// Spectrum and eigenvectors in descending order.
struct Top {
    values: Vec<f64>,
    vectors: Vec<Vec<f64>>,
}

impl Top {
    fn of<A: LinearOperator>(op: &A) -> Result<Self> {
        let DenseEigen {
            mut values,
            mut vectors,
        } = materialize(op)?.eigen()?;
        values.reverse();
        vectors.reverse();
        Ok(Self { values, vectors })
    }

    /// λ_k / λ_(k+1), with λ_1 the largest.
    fn ratio(&self, k: usize) -> f64 {
        self.values[k - 1] / self.values[k]
    }
}

/// tr(P Q) / k of the projectors on the first k eigenvectors of each: the mean squared cosine of
/// the principal angles, 1 for the same space and k / P in the mean for a random one.
fn overlap(a: &Top, b: &Top, k: usize) -> Result<f64> {
    let first = |top: &Top| top.vectors[..k].to_vec();
    Ok(landscape::connectivity::overlap(first(a), first(b))?.overlap)
}

/// Trains with batches of 32 and returns the model after each of `epochs`.
fn train(seed: u64, data: &ImageDataset, epochs: &[u64], device: &Device) -> Result<Vec<Mlp>> {
    let mut model = MlpConfig::new(vec![64, 16, 10]).init_seeded(seed, (device, DType::F64))?;
    let mut optimiser = base();
    let mut stages = Vec::new();
    for epoch in 0..epochs.iter().copied().max().unwrap_or(0) {
        for indices in epoch_order(seed, epoch, data.len()).chunks(32) {
            let batch = batch(data, indices, (device, DType::F64)).into_pair();
            model = descended(&mut optimiser, 0.05, model, &batch);
        }
        if epochs.contains(&(epoch + 1)) {
            stages.push(model.clone());
        }
    }
    Ok(stages)
}

/// Five seeds after 1 and after 30 epochs; in the small form one seed after one epoch.
pub(crate) fn run(small: bool) -> Result<Table> {
    let (seeds, epochs, examples): (_, &[u64], _) = if small {
        (1, &[1], 128)
    } else {
        (5, &[1, 30], usize::MAX)
    };
    let device = Device::flex().autodiff();
    let progress = ProgressBar::new(seeds * epochs.len() as u64);
    let mut found: Vec<Vec<Row>> = epochs.iter().map(|_| Vec::new()).collect();
    for seed in 0..seeds {
        let data = Digits::load()?
            .split(&SplitConfig::new().with_seed(seed))?
            .train;
        let risk = Risk::of(
            first(&data, examples, (&device, DType::F64)),
            |model: &Mlp, (images, _): &ImageBatch| model.forward(images.clone()),
            |scores: Tensor<2>, (_, labels): &ImageBatch| {
                tests::cross_entropy(scores, labels.clone()).mean()
            },
            Reduction::Mean,
        );
        let stages = train(seed, &data, epochs, &device)?;
        for ((model, epochs), rows) in stages.iter().zip(epochs).zip(&mut found) {
            let hessian = Top::of(&Hessian::at(model, &risk)?)?;
            let gauss_newton = Top::of(&GaussNewton::at(model, &risk)?)?;
            let k = PLACES
                .max_by(|a, b| hessian.ratio(*a).total_cmp(&hessian.ratio(*b)))
                .context("there is a place")?;
            let unit = if *epochs == 1 { "epoch" } else { "epochs" };
            rows.push(Row::of(
                format!("{epochs} {unit}, seed {seed}"),
                figures(&hessian, &gauss_newton, k, risk.value(model)?)?,
            ));
            progress.inc(1);
        }
    }
    progress.finish_and_clear();
    let columns = [
        "trained",
        "training loss",
        "lambda_1",
        "k of the largest gap",
        "lambda_k / lambda_(k+1)",
        "overlap of the top k",
        "k / P",
        "lambda_9 / lambda_10",
        "overlap of the top 9",
        "lambda_1 of G / that of H",
    ];
    Ok(Table {
        setting: format!(
            "MLP 64-16-10 with ReLU on UCI digits, cross-entropy, f64; SGD with momentum 0.9, batches of 32, learning rate 0.05; \
             {seeds} seeds, each with its own split, initial weights and order. H and the Gauss-Newton matrix G are over {} \
             training images, dense. The gap is the largest ratio of neighbouring eigenvalues of H among 3 <= k <= 25; the overlap is \
             tr(P_H P_G) / k.",
            if small { "128" } else { "all" },
        ),
        columns: columns.map(str::to_owned).to_vec(),
        rows: found.into_iter().flatten().collect(),
    })
}

#[allow(clippy::cast_precision_loss, reason = "at most some thousand")]
fn figures(hessian: &Top, gauss_newton: &Top, k: usize, loss: f64) -> Result<[f64; 9]> {
    Ok([
        loss,
        hessian.values[0],
        k as f64,
        hessian.ratio(k),
        overlap(hessian, gauss_newton, k)?,
        k as f64 / hessian.values.len() as f64,
        hessian.ratio(CLASSES_LESS_ONE),
        overlap(hessian, gauss_newton, CLASSES_LESS_ONE)?,
        gauss_newton.values[0] / hessian.values[0],
    ])
}
