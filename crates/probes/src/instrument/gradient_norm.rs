//! The gradient: its norm, and its entries by parameter.

use burn::module::Module;
use landscape::{Batch, ParameterSpace, Risk, download, norm};

use crate::budget::MeasuringCost;
use crate::record::Records;
use crate::workload::Work;
use crate::{Error, Moment, Probe, tag};

/// The Euclidean norm of the full gradient as `gradient/norm`; with
/// [`with_histograms`](Self::with_histograms) also the entries of each parameter's gradient.
#[derive(Debug, Clone)]
pub struct GradientNorm<M, B> {
    risk: Risk<M, B>,
    histograms: bool,
}

impl<M: Module, B: Batch> GradientNorm<M, B> {
    /// Measures the gradient of `risk`.
    pub fn of(risk: &Risk<M, B>) -> Self {
        Self {
            risk: risk.clone(),
            histograms: false,
        }
    }

    /// Adds a histogram `gradient/values/{path}` for each parameter, the path with `/` for its
    /// dots.
    #[must_use]
    pub fn with_histograms(self) -> Self {
        Self {
            histograms: true,
            ..self
        }
    }
}

impl<M: Module + 'static, B: Batch + Send + Sync + 'static> Probe<M> for GradientNorm<M, B> {
    fn name(&self) -> String {
        "gradient norm".into()
    }

    fn cost(&self, moment: &Moment<'_, M>) -> Result<Option<MeasuringCost>, Error> {
        let seconds = moment.estimated(&self.risk, Work::gradients(1.0))?;
        Ok(Some(MeasuringCost::fixed(seconds)))
    }

    fn measure(&mut self, moment: &Moment<'_, M>, records: &mut Records) -> Result<(), Error> {
        let (_, gradient) = moment.gradient(&self.risk)?;
        let gradient = download(&gradient);
        records.scalar(tag::GRADIENT_NORM, norm(&gradient));
        if self.histograms {
            for block in ParameterSpace::of(moment.model)?.blocks {
                records.histogram(
                    format!("{}{}", tag::GRADIENT_VALUES, block.path.replace('.', "/")),
                    &gradient[block.range()],
                );
            }
        }
        Ok(())
    }
}
