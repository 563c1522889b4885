//! The cost of a step of each sharpness-aware method beside a step of its base optimiser.

use std::time::Instant;

use anyhow::Result;
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::Device;
use datasets::{Digits, ImageDataset, MnistSubset, batch};
use indicatif::ProgressBar;
use models::{Classifier, CnnConfig, MlpConfig};
use sam::Cost;
use tests::{ImageBatch, image_loss};

use crate::method::Method;
use crate::table::{Row, Table};
use crate::training::{base, stepped};

const BATCH: usize = 64;

/// A learning rate that leaves the loss of the one batch where it is over all steps of a
/// measurement.
const SLOW: f64 = 1e-5;

/// Seconds of a step in one round.
type Timed<'a> = Box<dyn FnMut(usize) -> Result<f64> + 'a>;

/// A new base optimiser.
type Optimiser = fn() -> ModuleOptimizer;

/// Alternated rounds over all methods on three networks; fewer and shorter in the small form.
pub(crate) fn run(small: bool) -> Result<Table> {
    let rounds = if small { 3 } else { 15 };
    let device = Device::flex().autodiff();
    let (digits, mnist) = (Digits::load()?.images, MnistSubset::load()?.train);
    let mlp = |layers: Vec<usize>| {
        MlpConfig::new(layers)
            .init_seeded(1, &device)
            .expect("a network")
    };
    let mut rows = Vec::new();
    let progress = ProgressBar::new(3);
    let digits_mlp = mlp(vec![64, 128, 64, 10]);
    let mnist_mlp = mlp(vec![784, 128, 64, 10]);
    let cnn = CnnConfig::new(28)
        .init_seeded(1, &device)
        .expect("a network");
    let steps = |of: usize| if small { 10 } else { of };
    measure(
        "digits MLP",
        &digits_mlp,
        &digits,
        steps(100),
        rounds,
        &mut rows,
    )?;
    progress.inc(1);
    measure(
        "MNIST MLP",
        &mnist_mlp,
        &mnist,
        steps(50),
        rounds,
        &mut rows,
    )?;
    progress.inc(1);
    measure("MNIST CNN", &cnn, &mnist, steps(30), rounds, &mut rows)?;
    progress.finish_and_clear();
    Ok(Table {
        setting: format!(
            "f32, batches of {BATCH}, over SGD with momentum 0.9 where nothing else is said; medians of {rounds} alternated rounds \
             of one run. Each step goes on from the last, as in training. Time is that of a step over a step of the base optimiser alone in the same round. Predicted is what the passes counted cost: their forward and backward \
             passes at the measured time of each, and the optimiser's step. Digits MLP 64-128-64-10, MNIST MLP 784-128-64-10, \
             CNN of 8 and 16 channels."
        ),
        columns: [
            "network, method",
            "forward passes",
            "backward passes",
            "time",
            "predicted",
            "time over predicted",
            "milliseconds",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows,
    })
}

fn measure<M: Classifier + Sync + 'static>(
    network: &str,
    model: &M,
    data: &ImageDataset,
    steps: usize,
    rounds: usize,
    rows: &mut Vec<Row>,
) -> Result<()> {
    let indices: Vec<usize> = (0..BATCH).collect();
    let batch = batch(data, &indices, &Device::flex().autodiff()).into_pair();
    let mut jobs: Vec<Timed<'_>> = vec![
        Box::new(|steps| {
            timed((), steps, |()| {
                let value: f64 = image_loss(model, &batch).into_scalar();
                std::hint::black_box(value);
                Ok(())
            })
        }),
        Box::new(|steps| {
            timed((), steps, |()| {
                let gradients =
                    GradientsParams::from_grads(image_loss(model, &batch).backward(), model);
                std::hint::black_box(gradients);
                Ok(())
            })
        }),
    ];
    // SAM over another optimiser as well: what its passes over the parameters weigh depends on the
    // step.
    let (over_sgd, over_adam) = (jobs.len(), jobs.len() + Method::ALL.len());
    let of_sgd = Method::ALL.map(|method| (method.name(), method, base as Optimiser, over_sgd));
    let of_adam = [
        ("Adam", Method::Sgd, adam as Optimiser, over_adam),
        ("SAM, rho 0.05, over Adam", Method::Sam, adam, over_adam),
    ];
    // Each with the job that it is measured over.
    let steppers: Vec<_> = of_sgd.into_iter().chain(of_adam).collect();
    for &(_, method, optimiser, _) in &steppers {
        let batch = &batch;
        jobs.push(Box::new(move |steps| {
            of_method(method, optimiser(), model, batch, steps)
        }));
    }
    let mut times = vec![Vec::new(); jobs.len()];
    for round in 0..=rounds {
        for (job, times) in jobs.iter_mut().zip(&mut times) {
            let seconds = job(steps)?;
            // The first round fills caches.
            if round > 0 {
                times.push(seconds);
            }
        }
    }
    let medians: Vec<f64> = times.iter().cloned().map(median).collect();
    let (forward, gradient) = (medians[0], medians[1]);
    // Over the base of the same round, so that a clock that changes between rounds changes both.
    let over = |job: usize, base: usize| {
        let ratios = times[job]
            .iter()
            .zip(&times[base])
            .map(|(time, base)| time / base);
        median(ratios.collect())
    };
    for (at, (name, method, _, base_at)) in (over_sgd..).zip(steppers) {
        let cost = cost(method, model, &batch)?;
        let optimiser = (medians[base_at] - gradient).max(0.0);
        let predicted = (cost.forward * forward + cost.backward * (gradient - forward) + optimiser)
            / (gradient + optimiser);
        let time = over(at, base_at);
        let figures = [
            cost.forward,
            cost.backward,
            time,
            predicted,
            time / predicted,
            medians[at] * 1e3,
        ];
        rows.push(Row::of(format!("{network}, {name}"), figures));
    }
    Ok(())
}

/// Adam as the program has it.
fn adam() -> ModuleOptimizer {
    AdamConfig::new().with_epsilon(1e-8).init()
}

/// Seconds of a step, over so many, each from what the last one gave.
fn timed<T>(mut state: T, steps: usize, mut step: impl FnMut(T) -> Result<T>) -> Result<f64> {
    let began = Instant::now();
    for _ in 0..steps {
        state = step(state)?;
    }
    #[allow(clippy::cast_precision_loss, reason = "some hundred steps")]
    Ok(began.elapsed().as_secs_f64() / steps as f64)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Seconds of a step of the method, over so many, each from where the last one ended.
fn of_method<M: Classifier>(
    method: Method,
    mut optimiser: ModuleOptimizer,
    model: &M,
    batch: &ImageBatch,
    steps: usize,
) -> Result<f64> {
    let model = model.clone();
    if let Some(mut sharp) = method.sharp(BATCH)? {
        return timed(model, steps, |model| {
            Ok(stepped(&mut sharp, &mut optimiser, SLOW, model, batch)?.model)
        });
    }
    timed(model, steps, |model| {
        let loss = image_loss(&model, batch);
        // As every program does, which logs it.
        std::hint::black_box(loss.clone().inner().into_scalar::<f64>());
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        Ok(optimiser.step(SLOW, model, gradients))
    })
}

/// The passes of a step, on average over twenty.
fn cost<M: Classifier>(method: Method, model: &M, batch: &ImageBatch) -> Result<Cost> {
    const STEPS: usize = 20;
    let mut optimiser = base();
    let mut sum = Cost::default();
    let Some(mut sharp) = method.sharp(BATCH)? else {
        return Ok(Cost {
            forward: 1.0,
            backward: 1.0,
        });
    };
    for _ in 0..STEPS {
        let step = stepped(&mut sharp, &mut optimiser, 0.1, model.clone(), batch)?;
        let cost = step.measured.cost;
        sum.forward += cost.forward / STEPS as f64;
        sum.backward += cost.backward / STEPS as f64;
    }
    Ok(sum)
}
