//! The noise of the gradient, and the batch size that it asks for.

use burn::module::Module;
use landscape::per_example::{GradientStatistics, statistics_observed};
use landscape::{Batch, Risk};

use super::example_sample::ExampleCost;
use crate::budget::MeasuringCost;
use crate::record::Records;
use crate::{Error, Moment, Probe, tag};

/// The gradient beside its noise, from the exact gradients of single examples
/// ([`landscape::per_example`]): everything that one pass over them gives.
///
/// | tag | quantity |
/// |---|---|
/// | `gradient/noise_scale` | `tr Σ / ‖g‖²`: the batch size at which noise and gradient are equal |
/// | `gradient/noise_scale_unbiased` | the same from unbiased estimates of both |
/// | `gradient/signal_to_noise` | mean of `gᵢ² / σᵢ²` over the coordinates |
/// | `gradient/norm_test`, `gradient/inner_product_test`, `gradient/orthogonality_test` | error of a batch's gradient, its part along the gradient, and across |
/// | `gradient/cabs_batch_size` | `η tr Σ / L`, where the loop tells the learning rate `η` |
/// | `gradient/early_stopping` | `1 − N/D Σᵢ gᵢ² / σᵢ²`: positive where the gradient is all noise |
/// | `gradient/example_norms` | histogram of the norms `‖gₙ‖` |
///
/// A quantity that is not defined at a step is not recorded there: all ratios where the gradient is
/// zero, the unbiased noise scale where the examples are too few to tell the gradient from its
/// noise, the last but one where the loss is not positive.
///
/// The tests are those of a batch as large as [`with_batch_size`](Self::with_batch_size) says: give
/// the training's. Otherwise they are those of all examples measured.
///
/// The gradients of single examples cost what it takes to write and read N P numbers: 10 gradients
/// of the data for a small convolutional network, 40 to 80 for a small perceptron, whose gradient
/// is hardly more than that. Under a limited [`Budget`](crate::Budget) it takes as many examples as
/// there is time for. The loss must be a sum over examples; where BatchNorm with the statistics of
/// the batch couples them, a measurement costs as many gradients as a batch has examples.
#[derive(Debug, Clone)]
pub struct GradientNoise<M, B> {
    risk: Risk<M, B>,
    batch_size: Option<usize>,
    learning_rate: Option<f64>,
    cost: ExampleCost,
}

impl<M: Module, B: Batch> GradientNoise<M, B> {
    /// Measures the noise of the gradient of `risk`.
    pub fn of(risk: &Risk<M, B>) -> Self {
        Self {
            risk: risk.clone(),
            batch_size: None,
            learning_rate: None,
            cost: ExampleCost::default(),
        }
    }

    /// Sets the batch size of the training, which the tests are about.
    #[must_use]
    pub fn with_batch_size(self, batch_size: usize) -> Self {
        Self {
            batch_size: Some(batch_size),
            ..self
        }
    }

    /// Sets the learning rate where the loop tells none.
    #[must_use]
    pub fn with_learning_rate(self, learning_rate: f64) -> Self {
        Self {
            learning_rate: Some(learning_rate),
            ..self
        }
    }

    fn record(
        &self,
        found: &GradientStatistics,
        learning_rate: Option<f64>,
        records: &mut Records,
    ) -> Result<(), Error> {
        let mut add = |tag: &str, value: Option<f64>| {
            if let Some(value) = value {
                records.scalar(tag, value);
            }
        };
        add(tag::NOISE_SCALE, found.noise_scale());
        add(tag::NOISE_SCALE_UNBIASED, found.noise_scale_unbiased());
        add(tag::SIGNAL_TO_NOISE, found.signal_to_noise().mean);
        add(tag::EARLY_STOPPING, found.early_stopping());
        let tests = found.batch_tests(self.batch_size.unwrap_or(found.examples))?;
        add(tag::NORM_TEST, tests.map(|tests| tests.norm));
        add(
            tag::INNER_PRODUCT_TEST,
            tests.map(|tests| tests.inner_product),
        );
        add(
            tag::ORTHOGONALITY_TEST,
            tests.map(|tests| tests.orthogonality),
        );
        // A learning rate of zero, as at the start of a warm-up, asks for no batch at all.
        if let Some(rate) = learning_rate.filter(|rate| *rate > 0.0) {
            add(tag::CABS_BATCH_SIZE, found.cabs_batch_size(rate)?);
        }
        records.histogram(tag::EXAMPLE_NORMS, &found.norms);
        Ok(())
    }
}

impl<M: Module + 'static, B: Batch + Send + Sync + 'static> Probe<M> for GradientNoise<M, B> {
    fn name(&self) -> String {
        "noise of the gradient".into()
    }

    fn cost(&self, moment: &Moment<'_, M>) -> Result<Option<MeasuringCost>, Error> {
        self.cost.of(moment, &self.risk).map(Some)
    }

    fn measure(&mut self, moment: &Moment<'_, M>, records: &mut Records) -> Result<(), Error> {
        let risk = self.cost.sample(moment, &self.risk, records)?;
        let found = statistics_observed(moment.model, &risk, |_| moment.going_on())?;
        self.cost.coupled = found.coupled;
        let learning_rate = moment.learning_rate.or(self.learning_rate);
        self.record(&found, learning_rate, records)
    }
}
