//! The range test at steps of a training.

use burn::module::Module;
use burn::optim::ModuleOptimizer;
use landscape::{Batch, Risk};

use super::config::LearningRateConfig;
use super::result::LearningRateTest;
use super::test::learning_rate_test;
use crate::budget::MeasuringCost;
use crate::record::Records;
use crate::workload::Work;
use crate::{Error, Moment, Probe, tag};

/// The probe that makes a [`learning_rate_test`] at a step: `learning_rate/suggestion`,
/// `learning_rate/tenth_of_divergence`, `learning_rate/largest_stable`,
/// `learning_rate/gradient_descent_limit` and `learning_rate/optimiser_limit` where they are known,
/// the picture `learning_rate/test`, its numbers and a text.
///
/// The test starts from the optimiser that the loop shows, with its momentum, and without one from
/// the one given here.
#[derive(Clone)]
pub struct RangeTest<M, B> {
    risk: Risk<M, B>,
    optimiser: ModuleOptimizer,
    config: LearningRateConfig,
    last: Option<LearningRateTest>,
}

impl<M, B> std::fmt::Debug for RangeTest<M, B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RangeTest")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl<M: Module, B: Batch> RangeTest<M, B> {
    /// Tests the steps of `optimiser` along the gradients of `risk`.
    pub fn of(risk: &Risk<M, B>, optimiser: &ModuleOptimizer) -> Self {
        Self {
            risk: risk.clone(),
            optimiser: optimiser.clone(),
            config: LearningRateConfig::new(),
            last: None,
        }
    }

    /// Sets all settings.
    #[must_use]
    pub fn with_config(self, config: LearningRateConfig) -> Self {
        Self { config, ..self }
    }

    /// Returns the last test.
    #[must_use]
    pub const fn last(&self) -> Option<&LearningRateTest> {
        self.last.as_ref()
    }
}

impl<M: Module + 'static, B: Batch + Send + Sync + 'static> Probe<M> for RangeTest<M, B> {
    fn name(&self) -> String {
        "learning rate test".into()
    }

    #[expect(clippy::cast_precision_loss, reason = "numbers of steps")]
    fn cost(&self, moment: &Moment<'_, M>) -> Result<Option<MeasuringCost>, Error> {
        let steps = (self.config.orders * (self.config.steps + 1)) as f64;
        let batches = match self.risk.batches() {
            landscape::Batches::Held(batches) => batches.len().max(1) as f64,
            // What a batch of a stream is of the whole is not known before it is read.
            landscape::Batches::Streamed(_) => 1.0,
        };
        let mut work = Work::gradients(steps / batches);
        if let Some(lanczos) = &self.config.lanczos {
            work.hessians = 1.0;
            work.products = 0.5 * lanczos.max_steps as f64;
        }
        let seconds = moment.drawing() + moment.estimated_whole(&self.risk, work)?;
        Ok(Some(MeasuringCost::fixed(seconds)))
    }

    fn measure(&mut self, moment: &Moment<'_, M>, records: &mut Records) -> Result<(), Error> {
        let optimiser = moment.optimiser.unwrap_or(&self.optimiser);
        let test = learning_rate_test(moment.model, &self.risk, optimiser, &self.config)?;
        let limits = test.limits.as_ref();
        let rates = [
            (tag::RATE_SUGGESTION, test.suggestion.map(|rate| rate.value)),
            (
                tag::RATE_TENTH,
                test.tenth_of_divergence.map(|rate| rate.value),
            ),
            (
                tag::RATE_LARGEST,
                test.largest_stable.map(|rate| rate.value),
            ),
            (
                tag::RATE_DESCENT_LIMIT,
                limits.and_then(|limits| limits.gradient_descent),
            ),
            (
                tag::RATE_OPTIMISER_LIMIT,
                limits.and_then(|limits| limits.own),
            ),
        ];
        for (tag, rate) in rates {
            if let Some(rate) = rate {
                records.scalar(tag, rate);
            }
        }
        records.text(tag::RATE_TEXT, format!("```text\n{test}\n```"));
        records.data(tag::RATE_DATA, test.data());
        if test.courses[0].start.is_finite() {
            let picture = moment.draw(|| test.picture())?;
            records.picture(tag::RATE_PICTURE, picture);
        }
        self.last = Some(test);
        Ok(())
    }
}
