//! Full-batch training at the edge of stability: the largest eigenvalue over its threshold.

use std::slice::from_ref;
use std::thread;

use anyhow::{Result, anyhow, ensure};
use burn::optim::momentum::MomentumConfig;
use burn::optim::{GradientsParams, ModuleOptimizer, SgdConfig};
use burn::tensor::{DType, Device, Tensor, TensorData};
use datasets::Digits;
use indicatif::ProgressBar;
use landscape::spectrum::top_eigenpairs_from;
use landscape::{Hessian, LanczosConfig, Risk, top_eigenpairs};
use models::{Activation, Mlp, MlpConfig};
use probes::instrument::Optimiser;

use crate::table::{Figure, Row, Table};
use crate::training::first;

/// Images `[N, 64]` and their classes as unit vectors `[N, 10]`.
pub(crate) type Batch = (Tensor<2>, Tensor<2>);

/// Steps from the first crossing over which the ratio is averaged.
const WINDOW: usize = 500;
/// Steps between two measurements from a ratio of 0.9 on. Odd, because the weights oscillate with
/// a period of two steps.
const NEAR: usize = 5;
/// Steps between two measurements below that.
const FAR: usize = 25;
/// The range in which the mean must lie.
const EDGE: std::ops::RangeInclusive<f64> = 0.95..=1.05;

/// A training by gradient descent or heavy ball.
#[derive(Debug, Clone, Copy)]
struct Setting {
    learning_rate: f64,
    /// Heavy-ball momentum, 0 for gradient descent.
    momentum: f64,
    /// Whether its mean must lie at the edge; the other shows what comes of larger steps.
    claimed: bool,
}

impl Setting {
    const fn new(learning_rate: f64, momentum: f64, claimed: bool) -> Self {
        Self {
            learning_rate,
            momentum,
            claimed,
        }
    }

    fn name(self) -> String {
        let Self {
            learning_rate,
            momentum,
            ..
        } = self;
        if momentum == 0.0 {
            format!("gradient descent, rate {learning_rate}")
        } else {
            format!("heavy ball {momentum}, rate {learning_rate}")
        }
    }

    fn optimiser(self) -> ModuleOptimizer {
        let momentum = MomentumConfig::new()
            .with_momentum(self.momentum)
            .with_dampening(0.0);
        SgdConfig::new()
            .with_momentum((self.momentum > 0.0).then_some(momentum))
            .init()
    }

    fn threshold(self) -> Result<f64> {
        let optimiser = Optimiser::HeavyBall {
            momentum: self.momentum,
            dampening: 0.0,
        };
        Ok(optimiser.threshold(self.learning_rate, 1.0)?)
    }
}

/// The figures of one training.
struct Outcome {
    crossing: usize,
    /// The ratios from the crossing on.
    ratios: Vec<f64>,
    loss: f64,
    loss_at_crossing: f64,
    /// Largest residual of λ₁, over λ₁.
    residual: f64,
}

/// Half the squared distance from the outputs to the unit vector of the class, averaged over the
/// images.
pub(crate) fn loss(model: &Mlp, (images, targets): &Batch) -> Tensor<1> {
    let error = model.forward(images.clone()) - targets.clone();
    error.square().sum_dim(1).mean() * 0.5
}

/// The first `examples` digits, in f64.
pub(crate) fn digits(examples: usize, device: &Device) -> Result<Batch> {
    let data = Digits::load()?.images;
    let (images, labels) = first(&data, examples, (device, DType::F64));
    let count = images.dims()[0];
    let labels: Vec<i64> = labels.into_data().iter().collect();
    let classes = labels
        .iter()
        .flat_map(|label| (0..10).map(move |class| f64::from(u8::from(class == *label))));
    let targets = TensorData::new(classes.collect::<Vec<f64>>(), [count, 10]);
    Ok((
        images.reshape([count, 64]),
        Tensor::from_data(targets, (device, DType::F64)),
    ))
}

/// Trains until [`WINDOW`] steps after λ₁ first exceeded the threshold, at most `most` steps.
fn train(setting: Setting, mut model: Mlp, batch: &Batch, most: usize) -> Result<Outcome> {
    let threshold = setting.threshold()?;
    let mut optimiser = setting.optimiser();
    let risk = Risk::mean(batch.clone(), loss);
    let lanczos = LanczosConfig::new().with_tolerance(1e-3);
    let mut eigenvector: Option<Tensor<1>> = None;
    let mut crossing = None;
    let (mut ratios, mut residual, mut loss_at_crossing) = (Vec::new(), 0.0_f64, 0.0);
    let mut next = 0;
    for step in 0..most {
        if crossing.is_some_and(|crossing| step >= crossing + WINDOW) {
            break;
        }
        if step == next {
            let hessian = Hessian::at(&model, &risk)?;
            let pairs = match &eigenvector {
                None => top_eigenpairs(&hessian, 1, &lanczos)?,
                Some(last) => top_eigenpairs_from(&hessian, 1, from_ref(last), &lanczos)?,
            };
            let ratio = pairs[0].value / threshold;
            if ratio >= 1.0 && crossing.is_none() {
                crossing = Some(step);
                loss_at_crossing = risk.value(&model)?;
            }
            if crossing.is_some() {
                ratios.push(ratio);
                residual = residual.max(pairs[0].residual / pairs[0].value);
            }
            next = step
                + if ratio < 0.9 && crossing.is_none() {
                    FAR
                } else {
                    NEAR
                };
            eigenvector = Some(pairs[0].vector.clone());
        }
        let gradients = GradientsParams::from_grads(loss(&model, batch).backward(), &model);
        model = optimiser.step(setting.learning_rate, model, gradients);
    }
    ensure!(
        ratios.len() == WINDOW / NEAR,
        "{}: the window of {WINDOW} steps from the crossing does not end within {most} steps",
        setting.name()
    );
    Ok(Outcome {
        crossing: crossing.unwrap_or(most),
        ratios,
        loss: risk.value(&model)?,
        loss_at_crossing,
        residual,
    })
}

/// Three learning rates of gradient descent and one of heavy ball that reach the edge slowly, and
/// a larger one that comes fast and overshoots; three seeds. In the small form a small net, one
/// seed and no claim.
pub(crate) fn run(small: bool) -> Result<Table> {
    let settings = [
        Setting::new(0.1, 0.0, true),
        Setting::new(0.09, 0.0, true),
        Setting::new(0.08, 0.0, true),
        Setting::new(0.15, 0.5, true),
        Setting::new(0.16, 0.0, false),
    ];
    let small_settings = [
        Setting::new(0.25, 0.0, false),
        Setting::new(0.2, 0.5, false),
    ];
    let (settings, seeds, examples, most) = if small {
        (&small_settings[..], 1, 200, 1_500)
    } else {
        (&settings[..], 3, usize::MAX, 6_000)
    };
    let widths = if small {
        vec![64, 16, 16, 10]
    } else {
        vec![64, 32, 32, 10]
    };
    let device = Device::flex().autodiff();
    let batch = digits(examples, &device)?;
    let progress = ProgressBar::new(seeds * settings.len() as u64);
    let mut rows = Vec::new();
    for &setting in settings {
        // The seeds at once: each is one thread for most of its time.
        let run = |seed| {
            let model = MlpConfig::new(widths.clone())
                .with_activation(Activation::Tanh)
                .init_seeded(seed, (&device, DType::F64))?;
            let outcome = train(setting, model, &batch, most)?;
            progress.inc(1);
            let mean = mean(&outcome.ratios);
            ensure!(
                !setting.claimed || EDGE.contains(&mean),
                "{}, seed {seed}: the mean ratio {mean} is not at the edge",
                setting.name()
            );
            Ok(outcome)
        };
        let outcomes = thread::scope(|scope| {
            let run = &run;
            let trainings: Vec<_> = (0..seeds)
                .map(|seed| scope.spawn(move || run(seed)))
                .collect();
            let joined = trainings.into_iter().map(|training| {
                training
                    .join()
                    .unwrap_or_else(|_| Err(anyhow!("a training panicked")))
            });
            joined.collect::<Result<Vec<Outcome>>>()
        })?;
        rows.push(row(setting, &outcomes)?);
    }
    progress.finish_and_clear();
    let columns = [
        "training",
        "threshold",
        "step of the first crossing",
        "mean of lambda_1 / threshold",
        "smallest",
        "largest",
        "loss at the crossing",
        "loss 500 steps later",
        "largest relative residual",
    ];
    Ok(Table {
        setting: format!(
            "MLP {} with tanh on {} UCI digits, squared loss, all of them in each step, f64; {seeds} seeds. lambda_1 is measured \
             every {NEAR} steps from the first crossing of the threshold on, for {WINDOW} steps.",
            widths
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("-"),
            batch.0.dims()[0],
        ),
        columns: columns.map(str::to_owned).to_vec(),
        rows,
    })
}

#[allow(clippy::cast_precision_loss, reason = "some hundred values")]
fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[allow(clippy::cast_precision_loss, reason = "some thousand steps")]
fn row(setting: Setting, outcomes: &[Outcome]) -> Result<Row> {
    let figure = |read: &dyn Fn(&Outcome) -> f64| Figure::of(outcomes.iter().map(read).collect());
    let extreme = |pick: fn(f64, f64) -> f64| {
        figure(&move |outcome: &Outcome| {
            outcome
                .ratios
                .iter()
                .copied()
                .reduce(pick)
                .unwrap_or(f64::NAN)
        })
    };
    Ok(Row {
        name: setting.name(),
        figures: vec![
            Figure::of(vec![setting.threshold()?]),
            figure(&|outcome| outcome.crossing as f64),
            figure(&|outcome| mean(&outcome.ratios)),
            extreme(f64::min),
            extreme(f64::max),
            figure(&|outcome| outcome.loss_at_crossing),
            figure(&|outcome| outcome.loss),
            figure(&|outcome| outcome.residual),
        ],
    })
}
