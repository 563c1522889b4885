//! The difference that BatchNorm's statistics make to the loss.

use burn::module::Module;
use landscape::{Batch, Risk};

use crate::budget::MeasuringCost;
use crate::record::Records;
use crate::workload::Work;
use crate::{Error, Moment, Probe, tag};

/// The mean loss with the statistics of each batch minus that with the running statistics, as
/// `batch_norm/loss_gap`, and both of them as `batch_norm/batch_loss` and
/// `batch_norm/running_loss`: [`Risk::batch_norm_gap`]. A model without BatchNorm records nothing.
///
/// Make the risk of batches as large as those of the training: the statistics of a batch depend on
/// how many examples it has. The statistics of the model are not moved.
#[derive(Debug, Clone)]
pub struct BatchNormGap<M, B> {
    risk: Risk<M, B>,
}

impl<M: Module, B: Batch> BatchNormGap<M, B> {
    /// Measures the gap on the examples of `risk`.
    pub fn of(risk: &Risk<M, B>) -> Self {
        Self { risk: risk.clone() }
    }
}

impl<M: Module + 'static, B: Batch + Send + Sync + 'static> Probe<M> for BatchNormGap<M, B> {
    fn name(&self) -> String {
        "BatchNorm gap".into()
    }

    fn cost(&self, moment: &Moment<'_, M>) -> Result<Option<MeasuringCost>, Error> {
        let seconds = moment.estimated(&self.risk, Work::passes(2.0))?;
        Ok(Some(MeasuringCost::fixed(seconds)))
    }

    fn measure(&mut self, moment: &Moment<'_, M>, records: &mut Records) -> Result<(), Error> {
        let risk = moment.risk(&self.risk);
        if let Some(found) = risk.batch_norm_gap(moment.model)? {
            records.scalar(tag::BATCH_NORM_GAP, found.gap());
            records.scalar(tag::BATCH_NORM_BATCH_LOSS, found.batch);
            records.scalar(tag::BATCH_NORM_RUNNING_LOSS, found.running);
        }
        Ok(())
    }
}
