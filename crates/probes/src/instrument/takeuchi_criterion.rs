//! Takeuchi's information criterion.

use burn::module::Module;
use landscape::per_example::statistics_observed;
use landscape::{Batch, GaussNewton, Risk};

use crate::record::Records;
use crate::{Error, Moment, Probe, tag};

/// Damping of the diagonal, as in Cockpit.
const DAMPING: f64 = 1e-7;

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
/// for C; the cost is taken from the last one.
#[derive(Debug, Clone)]
pub struct TakeuchiCriterion<M, B> {
    risk: Risk<M, B>,
    damping: f64,
}

impl<M: Module, B: Batch> TakeuchiCriterion<M, B> {
    /// Measures the criterion of `risk`.
    pub fn of(risk: &Risk<M, B>) -> Self {
        Self {
            risk: risk.clone(),
            damping: DAMPING,
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

    fn measure(&mut self, moment: &Moment<'_, M>, records: &mut Records) -> Result<(), Error> {
        let risk = moment.risk(&self.risk);
        let found = statistics_observed(moment.model, &risk, |_| moment.going_on())?;
        let diagonal = GaussNewton::at(moment.model, &risk)?.diagonal()?;
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
