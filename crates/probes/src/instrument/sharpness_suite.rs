//! All measures of sharpness at a step.

use burn::module::Module;
use landscape::sharpness::{
    AscentConfig, AverageConfig, Ball, BallSharpness, Certainty, Measure, RandomBallConfig, Scale,
    SharpnessConfig, SharpnessReport, sharpness,
};
use landscape::{Batch, Risk};

use crate::budget::MeasuringCost;
use crate::record::Records;
use crate::workload::Work;
use crate::{Error, Moment, Probe, tag};

/// The efforts between which a budget chooses, as parts of what was asked for.
const EFFORTS: [f64; 4] = [1.0, 0.5, 0.25, 0.1];

/// The measures of sharpness of [`landscape::sharpness`] at one step.
///
/// | tag | measure | error |
/// |---|---|---|
/// | `sharpness/sam` | rise one step of length 0.05 up the gradient | rounding |
/// | `sharpness/asam` | the same in ASAM's ball of 0.5, scaled by the weights | rounding |
/// | `sharpness/worst_ball` | largest rise that projected ascent finds in the l2 ball of 0.05 | a lower bound |
/// | `sharpness/asam_worst_ball` | the same in ASAM's ball | a lower bound |
/// | `sharpness/random_ball` | largest rise at random points of the l2 sphere of 0.05 | a lower bound |
/// | `sharpness/average` | `E[L(θ + σ z) − L(θ)]` with σ of 0.01 | `curvature_check/sharpness_average_standard_error` |
/// | `sharpness/average_adaptive` | the same with σ of 0.1 times the size of each parameter | `curvature_check/sharpness_average_adaptive_standard_error` |
/// | `sharpness/measures` | text: every number with its error, its kind, and whether rescaling ReLU layers changes it | |
///
/// Only `sharpness/average_adaptive` is invariant to rescaling ReLU layers. None is claimed to
/// predict generalisation.
///
/// It costs some 200 forward passes and 40 gradients over the data; under a limited
/// [`Budget`](crate::Budget) fewer directions, pairs and gradients are taken. The flags of
/// convergence stand in the text. A loss that is NaN or infinite beside the weights makes a mean
/// NaN, as it is in `landscape`.
///
/// [`AscentSharpness`](super::AscentSharpness) records `sharpness/sam` too: beside it,
/// [`without_sam`](Self::without_sam).
#[derive(Debug, Clone)]
pub struct SharpnessSuite<M, B> {
    risk: Risk<M, B>,
    config: SharpnessConfig,
    sam: bool,
}

/// Returns the settings of the table.
fn usual() -> SharpnessConfig {
    let average = AverageConfig::new().with_pairs(20);
    SharpnessConfig::new()
        .with_balls(vec![Ball::l2(0.05), Ball::l2(0.5).with_scale(Scale::ASAM)])
        .with_random(RandomBallConfig::new().with_directions(20))
        .with_ascent(Some(
            AscentConfig::new()
                .with_random_starts(0)
                .with_max_gradients(20),
        ))
        .with_averages(vec![
            average,
            average.with_sigma(0.1).with_scale(Scale::INVARIANT),
        ])
        .with_curvature(None)
}

impl<M: Module, B: Batch> SharpnessSuite<M, B> {
    /// Measures the sharpness of `risk`.
    pub fn of(risk: &Risk<M, B>) -> Self {
        Self {
            risk: risk.clone(),
            config: usual(),
            sam: true,
        }
    }

    /// Sets one seed for all that is random.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self {
            config: self.config.seeded(seed),
            ..self
        }
    }

    /// Leaves `sharpness/sam` to [`AscentSharpness`](super::AscentSharpness).
    #[must_use]
    pub fn without_sam(self) -> Self {
        Self { sam: false, ..self }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a part of a small number"
)]
fn part(count: usize, effort: f64, least: usize) -> usize {
    ((count as f64 * effort) as usize).max(least)
}

/// Returns the settings with a part of the effort.
fn with_effort(config: &SharpnessConfig, effort: f64) -> SharpnessConfig {
    let mut config = config.clone();
    config.random.directions = part(config.random.directions, effort, 2);
    if let Some(ascent) = &mut config.ascent {
        ascent.max_gradients = part(ascent.max_gradients, effort, 2);
    }
    for average in &mut config.averages {
        average.pairs = part(average.pairs, effort, 2);
    }
    config
}

/// Returns what the measures take at most.
#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn work(config: &SharpnessConfig) -> Work {
    let balls = config.balls.len() as f64;
    let ascent = config.ascent.as_ref().map_or(0.0, |ascent| {
        (ascent.max_gradients * (1 + ascent.random_starts)) as f64
    });
    let pairs: usize = config.averages.iter().map(|average| average.pairs).sum();
    Work {
        passes: 12.0 + balls * (1.0 + config.random.directions as f64) + 2.0 * pairs as f64,
        ..Work::gradients(1.0 + balls * ascent)
    }
}

/// Returns the measures as a markdown table.
fn table(measures: &[Measure]) -> String {
    let mut text = "| where | measure | value | error | what it is | invariant to rescaling |\n|---|---|---|---|---|---|".to_owned();
    for measure in measures {
        let kind = match (measure.certainty, measure.converged) {
            (Certainty::Exact, _) => "exact up to rounding",
            (Certainty::Estimate, _) => "estimate, standard error",
            (Certainty::LowerBound, true) => "lower bound",
            (Certainty::LowerBound, false) => "lower bound, not converged",
        };
        text += &format!(
            "\n| {} | {} | {:.5} | {:.1e} | {kind} | {} |",
            measure.of, measure.name, measure.value, measure.error, measure.rescaling
        );
    }
    text
}

impl<M, B> SharpnessSuite<M, B> {
    fn record(&self, report: &SharpnessReport, records: &mut Records) {
        let ball = |ball: &BallSharpness, sam: Option<&str>, worst: &str, records: &mut Records| {
            if let Some(sam) = sam {
                records.scalar(sam, ball.sam.value);
            }
            if let Some(ascent) = &ball.ascent {
                records.scalar(worst, ascent.value);
            }
        };
        if let [plain, adaptive] = &report.balls[..] {
            let sam = self.sam.then_some(tag::SAM_SHARPNESS);
            ball(plain, sam, tag::WORST_BALL_SHARPNESS, records);
            records.scalar(tag::RANDOM_BALL_SHARPNESS, plain.random.worst);
            let worst = tag::ASAM_WORST_BALL_SHARPNESS;
            ball(adaptive, Some(tag::ASAM_SHARPNESS), worst, records);
        }
        let averages = [
            (tag::AVERAGE_SHARPNESS, "sharpness_average"),
            (
                tag::ADAPTIVE_AVERAGE_SHARPNESS,
                "sharpness_average_adaptive",
            ),
        ];
        for (average, (tag, name)) in report.averages.iter().zip(averages) {
            records.scalar(tag, average.estimate.mean);
            records.scalar(
                format!("{}{name}_standard_error", tag::CHECK),
                average.estimate.standard_error,
            );
        }
        records.text(tag::SHARPNESS_TABLE, table(&report.measures()));
    }
}

impl<M: Module + 'static, B: Batch + Send + Sync + 'static> Probe<M> for SharpnessSuite<M, B> {
    fn name(&self) -> String {
        "sharpness suite".into()
    }

    fn cost(&self, moment: &Moment<'_, M>) -> Result<Option<MeasuringCost>, Error> {
        let seconds = |effort| {
            let config = with_effort(&self.config, effort);
            moment.estimated(&self.risk, work(&config))
        };
        Ok(Some(MeasuringCost {
            least: seconds(EFFORTS[EFFORTS.len() - 1])?,
            full: seconds(1.0)?,
        }))
    }

    fn measure(&mut self, moment: &Moment<'_, M>, records: &mut Records) -> Result<(), Error> {
        let mut config = self.config.clone();
        if let Some(given) = moment.seconds {
            for effort in EFFORTS {
                config = with_effort(&self.config, effort);
                if moment.estimated(&self.risk, work(&config))? <= given {
                    break;
                }
            }
        }
        if config != self.config {
            records.shortened(format!(
                "{} directions in place of {}, and ascents and averages likewise",
                config.random.directions, self.config.random.directions
            ));
        }
        if moment.going_on().is_break() {
            return Err(landscape::Error::Cancelled { done: 0 }.into());
        }
        let report = sharpness(moment.model, &moment.risk(&self.risk), &config)?;
        self.record(&report, records);
        Ok(())
    }
}
