//! The time that probes take of a training under a budget, without one, and beside it in a thread
//! of their own.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use anyhow::{Result, ensure};
use burn::module::{Module, ModuleVisitor, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::pool::{AdaptiveAvgPool2d, AdaptiveAvgPool2dConfig};
use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig};
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Int, Tensor};
use datasets::{ImageDataset, MnistSubset, batch, epoch_order};
use landscape::{Grid, ParameterSpace, Risk};
use probes::instrument::{GradientNorm, HessianDensity, HessianTrace, LossSurface, TopEigenvalues};
use probes::sink::{Memory, TensorBoard};
use probes::{Budget, Message, Probes, Schedule, Summary, tag};

use crate::table::{Row, Table};

type Batch = (Tensor<4>, Tensor<1, Int>);

/// The network of the tutorial of Burn's book: two convolutions, pooling to 8 x 8, dropout, two
/// dense layers; 1.06 million parameters.
#[derive(Module, Debug)]
struct Net {
    conv1: Conv2d,
    conv2: Conv2d,
    pool: AdaptiveAvgPool2d,
    dropout: Dropout,
    linear1: Linear,
    linear2: Linear,
}

impl Net {
    fn init(device: &Device) -> Self {
        Self {
            conv1: Conv2dConfig::new([1, 8], [3, 3]).init(device),
            conv2: Conv2dConfig::new([8, 16], [3, 3]).init(device),
            pool: AdaptiveAvgPool2dConfig::new([8, 8]).init(),
            dropout: DropoutConfig::new(0.5).init(),
            linear1: LinearConfig::new(1024, 1024).init(device),
            linear2: LinearConfig::new(1024, 10).init(device),
        }
    }

    fn loss(&self, (images, labels): &Batch) -> Tensor<1> {
        let x = self.dropout.forward(self.conv1.forward(images.clone()));
        let x = self.dropout.forward(self.conv2.forward(x));
        let x = self.pool.forward(relu(x)).flatten(1, 3);
        let x = self.dropout.forward(self.linear1.forward(x));
        let logits = self.linear2.forward(relu(x));
        let criterion = CrossEntropyLossConfig::new().init(&logits.device());
        criterion.forward(logits, labels.clone())
    }
}

/// A checksum of all weights.
#[derive(Default)]
struct Checksum(u32);

impl ModuleVisitor for Checksum {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        for value in param.val().into_data().iter::<f32>() {
            self.0 = crc32c::crc32c_append(self.0, &value.to_le_bytes());
        }
    }
}

const BATCH: usize = 64;

/// The time and the findings of one training.
struct Outcome {
    weights: u32,
    seconds: f64,
    /// Seconds from the end of the first step to the first message.
    first_message: Option<f64>,
    summary: Summary,
    memory: Memory,
}

/// Trains for so many steps, and observes each with the probes that `with` adds.
fn train(
    data: &ImageDataset,
    steps: u64,
    budget: Budget,
    with: impl FnOnce(Probes<Net>) -> Probes<Net>,
) -> Result<Outcome> {
    let device = Device::flex().autodiff();
    device.seed(42);
    let mut net = Net::init(&device);
    let mut optimiser = AdamConfig::new().init();
    let memory = Memory::new();
    let folder = tempfile::tempdir()?;
    let heard = Arc::new(Mutex::new(None));
    let hears = Arc::clone(&heard);
    let probes = Probes::new()
        .with_budget(budget)
        .with_total_steps(steps)
        .with_handler(move |message: &Message<'_>| {
            let first = hears.lock().expect("no holder panics").is_none();
            if first && !matches!(message, Message::Measuring(_) | Message::Progress { .. }) {
                *hears.lock().expect("no holder panics") = Some(Instant::now());
            }
            if let Message::Plan(text) | Message::Warning { text, .. } = message {
                eprintln!("    {text}");
            }
        })
        .with_sink(memory.clone())
        .with_sink(TensorBoard::create(folder.path())?);
    let mut probes = with(probes);
    let began = Instant::now();
    let mut first_step = None;
    let mut step = 0;
    'training: for epoch in 0.. {
        for indices in epoch_order(42, epoch, data.len()).chunks(BATCH) {
            let batch = batch(data, indices, &device).into_pair();
            let gradients = GradientsParams::from_grads(net.loss(&batch).backward(), &net);
            net = optimiser.step(1e-4, net, gradients);
            step += 1;
            first_step.get_or_insert_with(Instant::now);
            probes.observe(step, &net)?;
            if step == steps {
                break 'training;
            }
        }
    }
    let summary = probes.finish().delivered()?;
    let seconds = began.elapsed().as_secs_f64();
    let mut checksum = Checksum::default();
    net.visit(&mut checksum);
    let first_message = *heard.lock().expect("no holder panics");
    Ok(Outcome {
        weights: checksum.0,
        seconds,
        first_message: first_message
            .zip(first_step)
            .map(|(message, step)| message.saturating_duration_since(step).as_secs_f64()),
        summary,
        memory,
    })
}

/// Trainings of four epochs under several budgets; ten steps in the small form.
pub(crate) fn run(small: bool) -> Result<Table> {
    let data = MnistSubset::load()?.train;
    let steps = if small {
        10
    } else {
        4 * data.len().div_ceil(BATCH) as u64
    };
    let sample: Vec<usize> = (0..if small { 32 } else { 512 }).collect();
    let device = Device::flex();
    let sample = batch(&data, &sample, &device).into_pair();
    let risk = Risk::mean([sample], Net::loss);
    let side = if small { 3 } else { 11 };
    let all = |probes: Probes<Net>| {
        probes
            .with(Schedule::every(20), GradientNorm::of(&risk))
            .with(
                Schedule::log_spaced(8),
                TopEigenvalues::of(&risk, 1).with_seed(7),
            )
            .with(
                Schedule::log_spaced(3),
                HessianTrace::of(&risk).with_seed(7),
            )
            .with(Schedule::at_end(), HessianDensity::of(&risk).with_seed(7))
            .with(
                Schedule::at_end(),
                LossSurface::of(&risk, Grid::square(-1.0..=1.0, side)),
            )
    };
    let bare = train(&data, steps, Budget::unlimited(), |probes| probes)?;
    let limited =
        [0.01, 0.05, 0.2].map(|share| (format!("{} %", 100.0 * share), Budget::fraction(share)));
    let budgets = limited
        .into_iter()
        .chain([("no limit".to_owned(), Budget::unlimited())]);
    let mut rows = vec![row("no probes".to_owned(), &bare, true)];
    for (name, budget) in budgets {
        let mut records = Vec::new();
        for place in ["in the loop", "beside it"] {
            let name = format!("{name}, {place}");
            eprintln!("{name}");
            let outcome = train(&data, steps, budget, |probes| {
                let probes = all(probes).without_cost_records();
                if place == "beside it" {
                    probes.in_background()
                } else {
                    probes
                }
            })?;
            ensure!(outcome.summary.failed == 0, "a measurement failed");
            eprintln!("{}", outcome.summary);
            tell(&outcome.memory);
            records.push(outcome.memory.records());
            rows.push(row(name, &outcome, outcome.weights == bare.weights));
        }
        if budget.share().is_none() {
            ensure!(
                records[0] == records[1],
                "the records beside the training differ"
            );
        }
    }
    for row in &rows {
        let same = row.figures.last().is_some_and(|figure| figure.mean == 1.0);
        ensure!(
            same,
            "{}: the weights are not those without probes",
            row.name
        );
    }
    let parameters = ParameterSpace::of(&Net::init(&device))?.domain.dim;
    Ok(Table {
        setting: format!(
            "The network of Burn's custom training loop ({parameters} parameters) on {} images of MNIST, {steps} steps of {BATCH} with Adam, \
             observed at each step: gradient norm every 20, lambda_1 at 8 and trace at 3 logarithmic steps, density and a surface of \
             {side} x {side} points at the end, on a sample of 512 images or fewer, as the budget allows. Same bits: 1 where the final weights are those without probes.",
            data.len()
        ),
        columns: [
            "probes",
            "seconds",
            "in probes",
            "share, %",
            "training waited, s",
            "first line after, s",
            "gradient norms",
            "lambda_1",
            "traces",
            "densities",
            "surfaces",
            "shortened",
            "left out",
            "same bits",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows,
    })
}

#[allow(clippy::cast_precision_loss, reason = "small counts")]
fn row(name: String, outcome: &Outcome, same: bool) -> Row {
    let Summary { spent, tallies, .. } = &outcome.summary;
    let measured = |index: usize| tallies.get(index).map_or(0, |tally| tally.measured) as f64;
    let sum = |of: fn(&probes::Tally) -> u64| tallies.iter().map(of).sum::<u64>() as f64;
    let figures = [
        outcome.seconds,
        spent.probes.as_secs_f64(),
        100.0 * spent.probes.as_secs_f64() / outcome.seconds,
        spent.waited.as_secs_f64(),
        outcome.first_message.unwrap_or(0.0),
        measured(0),
        measured(1),
        measured(2),
        measured(3),
        measured(4),
        sum(|tally| tally.shortened),
        sum(|tally| tally.skipped),
        f64::from(u8::from(same)),
    ];
    Row::of(name, figures)
}

/// Prints the curves with their errors.
fn tell(memory: &Memory) {
    for (value, error) in [
        (tag::LAMBDA_1, "curvature_check/lambda_1_residual"),
        (tag::TRACE, tag::TRACE_STANDARD_ERROR),
    ] {
        let points: Vec<String> = memory
            .scalars(value)
            .into_iter()
            .zip(memory.scalars(error))
            .map(|((step, value), (_, error))| format!("{step}: {value:.4} ± {error:.1e}"))
            .collect();
        eprintln!("    {value}  {}", points.join(", "));
    }
    let examples = memory.scalars(tag::EXAMPLES);
    if let Some((_, examples)) = examples.last() {
        eprintln!("    curvature over {examples} examples");
    }
}
