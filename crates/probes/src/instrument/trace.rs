//! The trace of the Hessian.

use burn::module::Module;
use landscape::operator::Observed;
use landscape::{Batch, Hessian, Risk, TraceConfig, hutchinson_trace};

use crate::Error;
use crate::probe::{Moment, Probe};
use crate::record::Records;

/// Hutchinson's estimate of the Hessian's trace as `curvature/trace`, with its standard error as `curvature/trace_standard_error`.
#[derive(Clone, Debug)]
pub struct HessianTrace<M, B> {
    risk: Risk<M, B>,
    config: TraceConfig,
}

impl<M: Module, B: Batch> HessianTrace<M, B> {
    /// The trace of the Hessian of `risk`.
    pub fn of(risk: &Risk<M, B>) -> Self {
        Self {
            risk: risk.clone(),
            config: TraceConfig::new(),
        }
    }

    /// The seed of the probe vectors.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.config.seed = seed;
        self
    }

    /// All settings of the estimate.
    #[must_use]
    pub fn with_config(self, config: TraceConfig) -> Self {
        Self { config, ..self }
    }
}

impl<M: Module, B: Batch> Probe<M> for HessianTrace<M, B> {
    fn name(&self) -> String {
        "trace of the Hessian".into()
    }

    fn measure(&mut self, moment: &Moment<'_, M>, records: &mut Records) -> Result<(), Error> {
        let hessian = Hessian::at(moment.model, &self.risk)?;
        let watched = Observed::new(&hessian, |_| moment.going_on());
        let trace = hutchinson_trace(&watched, &self.config)?;
        records.scalar("curvature/trace", trace.mean);
        records.scalar("curvature/trace_standard_error", trace.standard_error);
        records.scalar(
            "curvature/trace_unresolved_products",
            hessian.unresolved() as f64,
        );
        Ok(())
    }
}
