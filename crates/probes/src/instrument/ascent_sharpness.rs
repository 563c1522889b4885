//! The rise of the loss one step up the gradient.

use burn::module::Module;
use landscape::sharpness::sam_sharpness;
use landscape::{Batch, Risk};

use crate::budget::MeasuringCost;
use crate::record::{Finding, Records};
use crate::workload::Work;
use crate::{Error, Moment, Probe, tag};

/// SAM's sharpness `L(w + ρ g/‖g‖) − L(w)` over all data as `sharpness/sam`. Not invariant to
/// rescaling ReLU layers, and not claimed to predict generalisation.
#[derive(Debug, Clone)]
pub struct AscentSharpness<M, B> {
    risk: Risk<M, B>,
    rho: f64,
}

impl<M: Module, B: Batch> AscentSharpness<M, B> {
    /// Measures the sharpness of `risk` with the radius `rho`; 0.05 is usual.
    pub fn of(risk: &Risk<M, B>, rho: f64) -> Self {
        Self {
            risk: risk.clone(),
            rho,
        }
    }
}

impl<M: Module + 'static, B: Batch + Send + Sync + 'static> Probe<M> for AscentSharpness<M, B> {
    fn name(&self) -> String {
        format!("SAM sharpness, rho {}", self.rho)
    }

    fn cost(&self, moment: &Moment<'_, M>) -> Result<Option<MeasuringCost>, Error> {
        // Both are made in f64, which takes twice as long as the f32 that most models have.
        let work = Work {
            passes: 2.0,
            ..Work::gradients(2.0)
        };
        Ok(Some(MeasuringCost::fixed(
            moment.estimated(&self.risk, work)?,
        )))
    }

    fn measure(&mut self, moment: &Moment<'_, M>, records: &mut Records) -> Result<(), Error> {
        let value = sam_sharpness(moment.model, &moment.risk(&self.risk), self.rho)?.value;
        records.scalar(tag::SAM_SHARPNESS, value);
        records.found(Finding::SamSharpness {
            value,
            rho: self.rho,
        });
        Ok(())
    }
}
