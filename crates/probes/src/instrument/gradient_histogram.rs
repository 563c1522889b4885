//! All entries of the gradients of single examples.

use burn::module::Module;
use landscape::per_example::gradient_histogram_observed;
use landscape::{Batch, Risk};
use tensorboard::{Bin, Histogram};

use super::example_sample::ExampleCost;
use crate::budget::MeasuringCost;
use crate::record::Records;
use crate::{Error, Moment, Probe, tag};

/// The histogram of all entries of the gradients of single examples, as `gradient/example_values`.
///
/// Its bins are the same at every step, four to a factor of two on either side of zero. A few
/// examples with entries far out are what clipping is for; a gradient that is nothing but zeros and
/// a few large entries is that of a net with dead units.
///
/// Under a limited [`Budget`](crate::Budget) it takes as many examples as there is time for. As to
/// examples that touch each other, see [`GradientNoise`](super::GradientNoise).
#[derive(Debug, Clone)]
pub struct GradientHistogram<M, B> {
    risk: Risk<M, B>,
    cost: ExampleCost,
}

impl<M: Module, B: Batch> GradientHistogram<M, B> {
    /// Counts the entries of the example gradients of `risk`.
    pub fn of(risk: &Risk<M, B>) -> Self {
        Self {
            risk: risk.clone(),
            cost: ExampleCost::default(),
        }
    }
}

impl<M: Module + 'static, B: Batch + Send + Sync + 'static> Probe<M> for GradientHistogram<M, B> {
    fn name(&self) -> String {
        "histogram of example gradients".into()
    }

    fn cost(&self, moment: &Moment<'_, M>) -> Result<Option<MeasuringCost>, Error> {
        self.cost.of(moment, &self.risk).map(Some)
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "counts of entries are far below 2^53"
    )]
    fn measure(&mut self, moment: &Moment<'_, M>, records: &mut Records) -> Result<(), Error> {
        let risk = self.cost.sample(moment, &self.risk, records)?;
        let found = gradient_histogram_observed(moment.model, &risk, |_| moment.going_on())?;
        self.cost.coupled = found.coupled;
        let bins = found.bins.iter().map(|bin| Bin {
            left: bin.left,
            right: bin.right,
            weight: bin.count as f64,
        });
        let bins: Vec<Bin> = bins.collect();
        let histogram = Histogram::from_weighted_bins(&bins)
            .expect("bins ascend, and their edges and counts are finite");
        records.bins(tag::EXAMPLE_VALUES, histogram);
        Ok(())
    }
}
