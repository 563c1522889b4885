//! What the noise of the gradient says of unseen data: early stopping, and Takeuchi's criterion.

use super::GradientStatistics;
use super::noise::ratio;
use crate::error::Error;

/// Takeuchi's information criterion with a diagonal curvature.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TicDiagonal {
    /// `Σᵢ Cᵢᵢ / (hᵢ + δ)` over the coordinates that are resolved and whose `hᵢ + δ` is positive.
    pub value: f64,
    /// Coordinates left out: not resolved, or with a curvature that is zero or negative.
    pub left_out: usize,
}

impl GradientStatistics {
    /// Returns the evidence-based criterion of early stopping, `1 − N/D Σᵢ gᵢ² / σᵢ²` over the D
    /// coordinates that have a [ratio](Self::signal_to_noise); none where none has.
    ///
    /// Positive: the gradient of these N examples is no larger than it would be by chance if that
    /// of the whole distribution were zero, and going on fits their noise. It is about examples
    /// that are trained on.
    ///
    /// Cockpit adds `10⁻⁵` to the variances, and counts all coordinates.
    ///
    /// # References
    /// Mahsereci, Balles, Lassner, Hennig 2017, "Early Stopping without a Validation Set",
    /// equation 7.
    #[must_use]
    pub fn early_stopping(&self) -> Option<f64> {
        let mean = self.signal_to_noise().mean?;
        Some(1.0 - self.count() * mean)
    }

    /// Returns `tr C / tr H`, Takeuchi's criterion `tr(H⁻¹ C)` with one number for each of both
    /// matrices, from the trace of the curvature; none where that is not positive.
    ///
    /// Near a minimum, `tr(H⁻¹ C) / N` estimates the difference of test and training loss. The
    /// curvature may be the Hessian's or, always with a positive trace, that of Gauss-Newton:
    /// [`exact_trace`](crate::curvature::exact_trace()) has both.
    ///
    /// Cockpit adds `10⁻⁷` to the trace.
    ///
    /// # References
    /// Takeuchi 1976; Thomas, Pedregosa, van Merriënboer, Manzagol, Bengio, Le Roux 2020, "On the
    /// interplay between noise and curvature and its effect on optimization and generalization",
    /// where C is not centred either.
    #[must_use]
    pub fn tic_trace(&self, trace: f64) -> Option<f64> {
        ratio(self.second_moment.iter().sum(), trace)
    }

    /// Returns `Σᵢ Cᵢᵢ / (hᵢ + δ)`, Takeuchi's criterion with the diagonals of both matrices, from
    /// the diagonal h of the curvature, `[P]`, and a damping `δ ≥ 0`.
    ///
    /// Coordinates with `hᵢ + δ ≤ 0` are left out and counted: the criterion has a meaning where
    /// the curvature is positive. So are those that are not resolved (see the [module](super)),
    /// whose ratio would be one of roundings. Cockpit keeps both, with `δ = 10⁻⁷`. Without damping,
    /// coordinates with hardly any curvature make up most of the sum;
    /// [`tic_trace`](Self::tic_trace) has no such trouble.
    ///
    /// # Errors
    /// A length other than P, a damping that is negative or not finite.
    ///
    /// # References
    /// As [`tic_trace`](Self::tic_trace).
    pub fn tic_diagonal(&self, curvature: &[f64], damping: f64) -> Result<TicDiagonal, Error> {
        if curvature.len() != self.second_moment.len() {
            return Err(Error::Length {
                what: "diagonal of the curvature",
                expected: self.second_moment.len(),
                found: curvature.len(),
            });
        }
        if !(damping.is_finite() && damping >= 0.0) {
            return Err(Error::Setting {
                name: "the damping",
                value: damping.to_string(),
                allowed: "a number that is not negative",
            });
        }
        if curvature.iter().any(|entry| !entry.is_finite()) {
            return Err(Error::NonFiniteVector {
                what: "diagonal of the curvature",
            });
        }
        let mut found = TicDiagonal {
            value: 0.0,
            left_out: 0,
        };
        let rounding = self.rounding();
        for (second_moment, curvature) in self.second_moment.iter().zip(curvature) {
            match ratio(*second_moment, curvature + damping) {
                Some(term) if *second_moment > rounding => found.value += term,
                _ => found.left_out += 1,
            }
        }
        Ok(found)
    }
}
