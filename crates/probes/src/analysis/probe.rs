//! An analysis at steps of a training.

use std::ops::ControlFlow;

use burn::module::Module;
use landscape::{Batch, Risk};

use super::measure::analyze_moment;
use super::{Analysis, AnalyzeConfig, Why};
use crate::budget::MeasuringCost;
use crate::record::Records;
use crate::{Error, Moment, Probe};

/// The probe that records what [`analyze`](super::analyze) finds at a step, under the tags of the
/// instruments and as the summary `analysis/summary`.
///
/// It takes as long as its depth says. Under a limited [`Budget`](crate::Budget) it takes what
/// there is, but not less than a tenth of it: schedule it at the end, or let it be required.
///
/// The sample is chosen at the first measurement and stays the same for the whole run.
#[derive(Debug, Clone)]
pub struct Analyze<M, B> {
    risk: Risk<M, B>,
    config: AnalyzeConfig,
    last: Option<Analysis>,
}

impl<M: Module, B: Batch> Analyze<M, B> {
    /// Analyses the model with `risk`; `config` is a [`Depth`](super::Depth) or an
    /// [`AnalyzeConfig`].
    pub fn of(risk: &Risk<M, B>, config: impl Into<AnalyzeConfig>) -> Self {
        Self {
            risk: risk.clone(),
            config: config.into(),
            last: None,
        }
    }

    /// Returns the last analysis.
    #[must_use]
    pub const fn last(&self) -> Option<&Analysis> {
        self.last.as_ref()
    }
}

impl<M: Module + 'static, B: Batch + Send + Sync + 'static> Probe<M> for Analyze<M, B> {
    fn name(&self) -> String {
        format!("{} analysis", self.config.depth)
    }

    fn cost(&self, _: &Moment<'_, M>) -> Result<Option<MeasuringCost>, Error> {
        Ok(self.config.seconds.map(|seconds| MeasuringCost {
            least: 0.1 * seconds,
            full: seconds,
        }))
    }

    fn measure(&mut self, moment: &Moment<'_, M>, records: &mut Records) -> Result<(), Error> {
        let mut config = self.config.clone();
        if let Some(given) = moment.seconds {
            config.seconds = Some(config.seconds.map_or(given, |seconds| seconds.min(given)));
        }
        if let (Some((_, rate)), Some(told)) = (&mut config.optimiser, moment.learning_rate) {
            *rate = told;
        }
        let analysis = analyze_moment(moment, &self.risk, config, |_| ControlFlow::Continue(()))?;
        self.config.examples = Some(analysis.examples);
        let for_time = |why: &Why| matches!(why, Why::NoTime | Why::Smaller);
        let parts = analysis.omitted.iter();
        let parts: Vec<&str> = parts
            .filter(|omission| for_time(&omission.why))
            .map(|omission| omission.part.name())
            .collect();
        if !parts.is_empty() {
            records.shortened(format!("less or nothing of {}", parts.join(", ")));
        }
        analysis.record(records)?;
        self.last = Some(analysis);
        Ok(())
    }
}
