//! The loss.

use burn::module::Module;
use landscape::{Batch, Risk};

use crate::budget::MeasuringCost;
use crate::record::Records;
use crate::workload::Work;
use crate::{Error, Moment, Probe};

/// The mean loss over a risk's data, under a tag such as `loss/valid`: all of it, whatever the budget. A loss that is NaN or infinite is recorded as it is.
#[derive(Clone, Debug)]
pub struct MeanLoss<M, B> {
    risk: Risk<M, B>,
    tag: String,
}

impl<M: Module, B: Batch> MeanLoss<M, B> {
    /// The loss of `risk`, recorded under `tag`.
    pub fn of(risk: &Risk<M, B>, tag: impl Into<String>) -> Self {
        Self {
            risk: risk.clone(),
            tag: tag.into(),
        }
    }
}

impl<M: Module + 'static, B: Batch + Send + Sync + 'static> Probe<M> for MeanLoss<M, B> {
    fn name(&self) -> String {
        self.tag.clone()
    }

    fn cost(&self, moment: &Moment<'_, M>) -> Result<Option<MeasuringCost>, Error> {
        let seconds = moment.estimated_whole(&self.risk, Work::passes(1.0))?;
        Ok(Some(MeasuringCost::fixed(seconds)))
    }

    fn measure(&mut self, moment: &Moment<'_, M>, records: &mut Records) -> Result<(), Error> {
        records.scalar(&self.tag, self.risk.value(moment.model)?);
        Ok(())
    }
}
