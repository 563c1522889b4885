//! The trace of the Hessian.

use burn::module::Module;
use landscape::{Batch, Risk, TraceConfig, hutchinson_trace};

use crate::budget::MeasuringCost;
use crate::record::{Finding, Records};
use crate::workload::Work;
use crate::{Error, Moment, Probe, tag};

/// Probe vectors unless something else is asked for.
const VECTORS: usize = 16;

/// Fewest: one says nothing of its error.
const LEAST: usize = 2;

/// Hutchinson's estimate of the Hessian's trace as `curvature/trace`, with its standard error as
/// `curvature_check/trace_standard_error`.
///
/// It takes 16 probe vectors, each one product, unless [`with_config`](Self::with_config) asks for
/// more or for an error. Under a limited [`Budget`](crate::Budget) it takes as many as there is
/// time for; the standard error tells the rest.
#[derive(Debug, Clone)]
pub struct HessianTrace<M, B> {
    risk: Risk<M, B>,
    config: TraceConfig,
    /// Probe vectors of the last measurement.
    usual: Option<usize>,
}

impl<M: Module, B: Batch> HessianTrace<M, B> {
    /// Measures the trace of the Hessian of `risk`.
    pub fn of(risk: &Risk<M, B>) -> Self {
        Self {
            risk: risk.clone(),
            config: TraceConfig::new()
                .with_relative_error(0.0)
                .with_max_probes(VECTORS),
            usual: None,
        }
    }

    /// Sets the seed of the probe vectors.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.config.seed = seed;
        self
    }

    /// Sets all settings of the estimate.
    #[must_use]
    pub fn with_config(self, config: TraceConfig) -> Self {
        Self { config, ..self }
    }
}

/// Returns what so many probe vectors take: one product more is made to see that products do not
/// change, and the diagonal is summed up on the way.
fn work(vectors: usize) -> Work {
    Work::curvature(vectors + 1, 20 * (vectors + 1))
}

impl<M: Module + 'static, B: Batch + Send + Sync + 'static> Probe<M> for HessianTrace<M, B> {
    fn name(&self) -> String {
        "trace of the Hessian".into()
    }

    fn cost(&self, moment: &Moment<'_, M>) -> Result<Option<MeasuringCost>, Error> {
        let asked = self.config.max_probes.min(10 * VECTORS);
        let seconds = |vectors| moment.estimated(&self.risk, work(vectors));
        Ok(Some(MeasuringCost {
            least: seconds(LEAST)?,
            full: seconds(self.usual.unwrap_or(asked))?,
        }))
    }

    fn measure(&mut self, moment: &Moment<'_, M>, records: &mut Records) -> Result<(), Error> {
        let hessian = moment.hessian(&self.risk)?;
        let mut config = self.config.clone();
        config.max_probes = moment.most(&self.risk, (LEAST, config.max_probes), work)?;
        config.min_probes = config.min_probes.min(config.max_probes);
        let trace = hutchinson_trace(&hessian, &config)?;
        records.scalar(tag::TRACE, trace.estimate.mean);
        records.scalar(tag::TRACE_STANDARD_ERROR, trace.estimate.standard_error);
        let margin = 2.0 * trace.estimate.standard_error;
        records.scalar(tag::TRACE_BAND[0], trace.estimate.mean - margin);
        records.scalar(tag::TRACE_BAND[1], trace.estimate.mean + margin);
        records.found(Finding::Trace(trace.estimate));
        if config.max_probes < self.config.max_probes && trace.estimate.count == config.max_probes {
            records.shortened(format!(
                "{} probe vectors, standard error {:.1e} of {:.4}",
                trace.estimate.count, trace.estimate.standard_error, trace.estimate.mean
            ));
        } else {
            self.usual = Some(trace.products);
        }
        Ok(())
    }
}
