//! The warning before a training diverges, beside trainings at the edge of stability, which it
//! must not take for one.

use anyhow::{Result, ensure};
use burn::optim::momentum::MomentumConfig;
use burn::optim::{GradientsParams, ModuleOptimizer, SgdConfig};
use burn::tensor::{DType, Device};
use landscape::Risk;
use models::{Activation, Mlp, MlpConfig};
use probes::instrument::{MeanLoss, OptimiserSettings, StabilityMonitor};
use probes::sink::Memory;
use probes::{Probes, Schedule, Value, tag};

use crate::edge::{Batch, digits, loss};
use crate::table::{Figure, Row, Table};

/// Steps between two observations. Odd, because the weights oscillate with a period of two steps
/// at the edge.
const EVERY: usize = 5;

/// A training over all of the data in each step.
#[derive(Debug, Clone, Copy)]
struct Setting {
    /// Heavy-ball momentum, 0 for gradient descent.
    momentum: f64,
    learning_rate: f64,
    activation: Activation,
    /// The step from which on the learning rate is multiplied, and by how much.
    raised: Option<(usize, f64)>,
    steps: usize,
}

/// The figures of one training.
struct Outcome {
    /// The step of the first warning.
    warned: Option<u64>,
    /// The first observed step at which the loss is above twice its first value, or twice its
    /// value before the rate was raised, or not finite.
    doubled: Option<u64>,
    /// The step of the first observation with a ratio above 1, and how many there are.
    above: (Option<u64>, usize),
    /// The largest ratio.
    largest: f64,
    first_loss: f64,
    least_loss: f64,
}

impl Setting {
    fn name(self) -> String {
        let optimiser = if self.momentum == 0.0 {
            "gradient descent".to_owned()
        } else {
            format!("heavy ball {}", self.momentum)
        };
        let raised = match self.raised {
            Some((step, factor)) => format!(", times {factor} from step {step}"),
            None => String::new(),
        };
        let activation = match self.activation {
            Activation::Tanh => "tanh",
            _ => "ReLU",
        };
        format!(
            "{activation}, {optimiser}, rate {}{raised}",
            self.learning_rate
        )
    }

    fn optimiser(self) -> Result<(ModuleOptimizer, OptimiserSettings)> {
        let heavy_ball = MomentumConfig::new()
            .with_momentum(self.momentum)
            .with_dampening(0.0);
        let config = SgdConfig::new().with_momentum((self.momentum > 0.0).then_some(heavy_ball));
        Ok((config.init(), OptimiserSettings::try_from(&config)?))
    }

    fn rate(self, step: usize) -> f64 {
        match self.raised {
            Some((from, factor)) if step >= from => factor * self.learning_rate,
            _ => self.learning_rate,
        }
    }
}

/// Trains under the monitor's eyes, until the loss is not finite.
fn train(setting: Setting, mut model: Mlp, batch: &Batch, every: usize) -> Result<Outcome> {
    let (mut optimiser, settings) = setting.optimiser()?;
    let risk = Risk::mean(batch.clone(), loss);
    let memory = Memory::new();
    let due = || Schedule::every(every as u64);
    let mut probes = Probes::unlimited()
        .with(due(), MeanLoss::of(&risk, "loss/train"))
        .with(due(), StabilityMonitor::of(&risk, settings))
        .with_sink(memory.clone())
        .with_handler(|_| ());
    let mut ended = None;
    for step in 0..setting.steps {
        // That of the update to come, so that a rate that is raised is seen before its first step.
        probes.set_learning_rate(setting.rate(step));
        probes.observe_with(step as u64, &model, &optimiser)?;
        let value = loss(&model, batch);
        if !value.clone().into_scalar::<f64>().is_finite() {
            ended = Some(step as u64);
            break;
        }
        let gradients = GradientsParams::from_grads(value.backward(), &model);
        model = optimiser.step(setting.rate(step), model, gradients);
    }
    let _ = probes.finish();
    let losses = memory.scalars("loss/train");
    let ratios = memory.scalars(tag::SHARPNESS_RATIO);
    let records = memory.records();
    let warned = records.iter().find_map(|record| {
        let is_warning = record.tag == tag::STABILITY_WARNING;
        (is_warning && matches!(record.value, Value::Text(_))).then_some(record.step)
    });
    let from = setting.raised.map_or(0, |(step, _)| step as u64);
    let before = losses.iter().rfind(|(step, _)| *step <= from);
    let before = before
        .or(losses.first())
        .map_or(f64::NAN, |(_, loss)| *loss);
    let doubled = losses
        .iter()
        .find(|(step, loss)| *step > from && ((loss + before).is_nan() || *loss > 2.0 * before));
    let above: Vec<u64> = ratios
        .iter()
        .filter(|(_, ratio)| *ratio > 1.0)
        .map(|(step, _)| *step)
        .collect();
    Ok(Outcome {
        warned,
        doubled: doubled.map(|(step, _)| *step).or(ended),
        above: (above.first().copied(), above.len()),
        largest: ratios
            .iter()
            .map(|(_, ratio)| *ratio)
            .fold(f64::NAN, f64::max),
        first_loss: losses.first().map_or(f64::NAN, |(_, loss)| *loss),
        least_loss: losses
            .iter()
            .map(|(_, loss)| *loss)
            .fold(f64::NAN, f64::min),
    })
}

/// Trainings that come to the edge and stay there, and two below it.
fn silent(small: bool) -> Vec<Setting> {
    let setting = |momentum, learning_rate, activation| Setting {
        momentum,
        learning_rate,
        activation,
        raised: None,
        steps: if small { 800 } else { 2_500 },
    };
    vec![
        setting(0.0, 0.25, Activation::Tanh),
        setting(0.0, 0.2, Activation::Tanh),
        setting(0.5, 0.2, Activation::Tanh),
        setting(0.0, 0.16, Activation::Relu),
        setting(0.9, 0.05, Activation::Relu),
    ]
}

/// Trainings that diverge: from the start, or when their rate is raised.
fn diverging() -> Vec<Setting> {
    let setting = |momentum, learning_rate, activation, raised| Setting {
        momentum,
        learning_rate,
        activation,
        raised,
        steps: 170,
    };
    vec![
        setting(0.0, 0.05, Activation::Relu, Some((150, 40.0))),
        setting(0.0, 0.1, Activation::Tanh, Some((150, 40.0))),
        // From the start on, and one that throws itself to a flatter place.
        setting(0.0, 3.0, Activation::Relu, None),
        setting(0.0, 0.05, Activation::Relu, Some((150, 10.0))),
    ]
}

/// The warning on trainings at the edge, which must stay silent, and on trainings that diverge, of
/// which those whose rate is raised to five times the threshold and more must be warned of before
/// their loss has doubled.
pub(crate) fn run(small: bool) -> Result<Table> {
    let examples = if small { 200 } else { 500 };
    let seeds = if small { 1 } else { 3 };
    let device = Device::flex().autodiff();
    let batch = digits(examples, &device)?;
    let mut rows = Vec::new();
    let edge = silent(small)
        .into_iter()
        .map(|setting| (setting, EVERY, true));
    let others = diverging().into_iter().map(|setting| (setting, 1, false));
    for (setting, every, is_edge) in edge.chain(others) {
        let mut outcomes = Vec::new();
        for seed in 0..seeds {
            let model = MlpConfig::new(vec![64, 16, 16, 10])
                .with_activation(setting.activation)
                .init_seeded(seed, (&device, DType::F64))?;
            let outcome = train(setting, model, &batch, every)?;
            let name = setting.name();
            if is_edge {
                ensure!(outcome.warned.is_none(), "{name}, seed {seed}: warned");
            } else if setting.raised.is_some_and(|(_, factor)| factor >= 40.0) {
                let (warned, doubled) = (outcome.warned, outcome.doubled);
                ensure!(
                    warned
                        .zip(doubled)
                        .is_some_and(|(warned, doubled)| warned < doubled),
                    "{name}, seed {seed}: warned at {warned:?}, doubled at {doubled:?}"
                );
            }
            outcomes.push(outcome);
        }
        rows.push(row(setting, &outcomes));
    }
    let columns = [
        "training",
        "warnings",
        "first warning at step",
        "loss doubled at step",
        "observations above 1",
        "largest ratio",
        "loss at the start",
        "smallest loss",
    ];
    Ok(Table {
        setting: format!(
            "MLP 64-16-16-10 on {examples} UCI digits, squared loss, all of them in each step, f64; {seeds} seeds. Trainings at the edge \
             are observed every {EVERY} steps, the others at each; a step of -1 is none."
        ),
        columns: columns.map(str::to_owned).to_vec(),
        rows,
    })
}

#[allow(clippy::cast_precision_loss, reason = "some thousand steps")]
fn row(setting: Setting, outcomes: &[Outcome]) -> Row {
    let figure = |read: &dyn Fn(&Outcome) -> f64| Figure::of(outcomes.iter().map(read).collect());
    let step = |step: Option<u64>| step.map_or(-1.0, |step| step as f64);
    Row {
        name: setting.name(),
        figures: vec![
            figure(&|outcome| f64::from(u8::from(outcome.warned.is_some()))),
            figure(&|outcome| step(outcome.warned)),
            figure(&|outcome| step(outcome.doubled)),
            figure(&|outcome| outcome.above.1 as f64),
            figure(&|outcome| outcome.largest),
            figure(&|outcome| outcome.first_loss),
            figure(&|outcome| outcome.least_loss),
        ],
    }
}
