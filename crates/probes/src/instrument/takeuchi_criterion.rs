//! Takeuchi's information criterion.

use std::time::Instant;

use burn::module::Module;
use landscape::per_example::statistics_observed;
use landscape::{Batch, GaussNewton, Risk};

use super::example_sample::ExampleCost;
use crate::budget::MeasuringCost;
use crate::record::Records;
use crate::workload::Work;
use crate::{Error, Moment, Probe, tag};

/// Damping of the diagonal, as in Cockpit.
const DAMPING: f64 = 1e-7;

/// Gradients that the diagonal is taken to need before it was timed: two for each of ten outputs.
const DIAGONAL: f64 = 20.0;

/// Takeuchi's information criterion `tr(H⁻¹ C)` in two approximations, with the Gauss-Newton matrix
/// G, whose diagonal is exact, for H: `tr C / tr G` as `curvature/tic_trace` and
/// `Σᵢ Cᵢᵢ / (Gᵢᵢ + 10⁻⁷)` as `curvature/tic_diagonal`.
///
/// Near a minimum, the criterion over the number of training examples estimates how much larger the
/// loss is on unseen data. Far from one it says nothing. G is H in nets of ReLU and max pooling, as
/// far as the diagonal goes, and positive everywhere.
///
/// The risk tells outputs and loss apart ([`Risk::of`]). A measurement takes one to three
/// gradients for each output of an example, and what [`GradientNoise`](super::GradientNoise) takes
/// for C. Under a limited [`Budget`](crate::Budget) it takes as many examples as there is time for.
#[derive(Debug, Clone)]
pub struct TakeuchiCriterion<M, B> {
    risk: Risk<M, B>,
    damping: f64,
    cost: ExampleCost,
}

impl<M: Module, B: Batch> TakeuchiCriterion<M, B> {
    /// Measures the criterion of `risk`.
    pub fn of(risk: &Risk<M, B>) -> Self {
        Self {
            risk: risk.clone(),
            damping: DAMPING,
            cost: ExampleCost {
                beside: DIAGONAL,
                ..ExampleCost::default()
            },
        }
    }

    /// Sets what is added to the diagonal of the curvature, zero or more.
    #[must_use]
    pub fn with_damping(self, damping: f64) -> Self {
        Self { damping, ..self }
    }
}

impl<M: Module + 'static, B: Batch + Send + Sync + 'static> Probe<M> for TakeuchiCriterion<M, B> {
    fn name(&self) -> String {
        "Takeuchi's criterion".into()
    }

    fn cost(&self, moment: &Moment<'_, M>) -> Result<Option<MeasuringCost>, Error> {
        self.cost.of(moment, &self.risk).map(Some)
    }

    #[expect(clippy::cast_precision_loss, reason = "numbers of examples")]
    fn measure(&mut self, moment: &Moment<'_, M>, records: &mut Records) -> Result<(), Error> {
        let risk = self.cost.sample(moment, &self.risk, records)?;
        let found = statistics_observed(moment.model, &risk, |_| moment.going_on())?;
        self.cost.coupled = found.coupled;
        let started = Instant::now();
        let diagonal = GaussNewton::at(moment.model, &risk)?.diagonal()?;
        if moment.seconds.is_some() {
            let part = found.examples as f64 / moment.examples(&self.risk)?.max(1) as f64;
            let gradient = part * moment.estimated(&self.risk, Work::gradients(1.0))?;
            if gradient > 0.0 {
                self.cost.beside = started.elapsed().as_secs_f64() / gradient;
            }
        }
        if let Some(value) = found.tic_trace(diagonal.iter().sum()) {
            records.scalar(tag::TIC_TRACE, value);
        }
        let of_diagonal = found.tic_diagonal(&diagonal, self.damping)?;
        if of_diagonal.left_out < diagonal.len() {
            records.scalar(tag::TIC_DIAGONAL, of_diagonal.value);
        }
        Ok(())
    }
}
