//! The entries of the gradients of single examples beside the weights that they belong to.

use burn::module::Module;
use landscape::per_example::gradients_and_weights_observed;
use landscape::{Batch, Risk};

use super::example_sample::ExampleCost;
use crate::budget::MeasuringCost;
use crate::record::Records;
use crate::{Error, Moment, Probe, show, tag};

/// How the entries of the gradients of single examples go with the weights, as the picture
/// `gradient/values_and_weights` and the numbers `gradient/values_and_weights_data`: a count of all
/// of them by the value of the weight and by the size of the entry.
///
/// Under a limited [`Budget`](crate::Budget) it takes as many examples as there is time for. As to
/// examples that touch each other, see [`GradientNoise`](super::GradientNoise).
#[derive(Debug, Clone)]
pub struct GradientsAndWeights<M, B> {
    risk: Risk<M, B>,
    cost: ExampleCost,
}

impl<M: Module, B: Batch> GradientsAndWeights<M, B> {
    /// Counts the entries of the example gradients of `risk`.
    pub fn of(risk: &Risk<M, B>) -> Self {
        Self {
            risk: risk.clone(),
            cost: ExampleCost::default(),
        }
    }
}

impl<M: Module + 'static, B: Batch + Send + Sync + 'static> Probe<M> for GradientsAndWeights<M, B> {
    fn name(&self) -> String {
        "example gradients and weights".into()
    }

    fn cost(&self, moment: &Moment<'_, M>) -> Result<Option<MeasuringCost>, Error> {
        let MeasuringCost { least, full } = self.cost.of(moment, &self.risk)?;
        let drawing = moment.drawing();
        Ok(Some(MeasuringCost {
            least: drawing + least,
            full: drawing + full,
        }))
    }

    fn measure(&mut self, moment: &Moment<'_, M>, records: &mut Records) -> Result<(), Error> {
        let before = moment.after_drawing();
        let risk = self.cost.sample(&before, &self.risk, records)?;
        let found = gradients_and_weights_observed(moment.model, &risk, |_| moment.going_on())?;
        self.cost.coupled = found.coupled;
        records.data(
            tag::VALUES_AND_WEIGHTS_DATA,
            show::gradients_and_weights_data(&found),
        );
        let picture = moment.draw(|| {
            let title = format!("Gradients of examples by weight, step {}", moment.step);
            show::gradients_and_weights(&found, title)
        })?;
        records.picture(tag::VALUES_AND_WEIGHTS, picture);
        Ok(())
    }
}
