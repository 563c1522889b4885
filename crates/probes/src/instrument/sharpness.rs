//! The rise of the loss one step up the gradient.

use burn::module::Module;
use landscape::sharpness::sam_sharpness;
use landscape::{Batch, Risk};

use crate::Error;
use crate::probe::{Moment, Probe};
use crate::record::Records;

/// SAM's sharpness $L(\theta + \rho\, g / \lVert g \rVert) - L(\theta)$ over all data as `sharpness/sam`. Not invariant to rescaling ReLU layers, and not claimed to predict generalisation.
#[derive(Clone, Debug)]
pub struct SamSharpness<M, B> {
    risk: Risk<M, B>,
    rho: f64,
}

impl<M: Module, B: Batch> SamSharpness<M, B> {
    /// The sharpness of `risk` with the radius `rho`; 0.05 is usual.
    pub fn of(risk: &Risk<M, B>, rho: f64) -> Self {
        Self {
            risk: risk.clone(),
            rho,
        }
    }
}

impl<M: Module, B: Batch> Probe<M> for SamSharpness<M, B> {
    fn name(&self) -> String {
        format!("SAM sharpness, rho {}", self.rho)
    }

    fn measure(&mut self, moment: &Moment<'_, M>, records: &mut Records) -> Result<(), Error> {
        records.scalar(
            "sharpness/sam",
            sam_sharpness(moment.model, &self.risk, self.rho)?.value,
        );
        Ok(())
    }
}
