//! The numbers of a report, as tables show them.

use serde::{Deserialize, Serialize};

use super::average::{AverageSharpness, SecondOrder};
use super::curvature::CurvatureSummary;
use super::projected_ascent::ProjectedAscent;
use super::report::{BallSharpness, SharpnessReport};
use super::{Rescaling, Scale};
use crate::spectrum::Estimate;

/// The meaning of the value of a [`Measure`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Certainty {
    /// The quantity up to rounding.
    Exact,
    /// An estimate with a standard error, or an eigenvalue with a residual.
    Estimate,
    /// A lower bound of the quantity.
    LowerBound,
}

/// One number of a report, as tables show it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measure {
    /// Ball or displacement that it belongs to; empty for none.
    pub of: String,
    /// Name of the measure.
    pub name: &'static str,
    /// The number; NaN or infinite where a loss is.
    pub value: f64,
    /// Standard error, residual, or rounding error, as `certainty` says.
    pub error: f64,
    /// Meaning of the number.
    pub certainty: Certainty,
    /// Whether an iteration met its tolerance; true where there is none.
    pub converged: bool,
    /// Whether the number survives the rescaling of ReLU layers.
    pub rescaling: Rescaling,
}

impl SharpnessReport {
    /// Returns all numbers in the order in which tables show them.
    ///
    /// Reports with the same settings have the same measures in the same places.
    #[must_use]
    pub fn measures(&self) -> Vec<Measure> {
        let mut all = Vec::new();
        for ball in &self.balls {
            ball.measures(&mut all);
        }
        for average in &self.averages {
            average.measures(&mut all);
        }
        if let Some(curvature) = &self.curvature {
            curvature.measures(&mut all);
        }
        all
    }
}

impl BallSharpness {
    fn measures(&self, all: &mut Vec<Measure>) {
        let of = self.ball.to_string();
        let mut add = |name, value, error, certainty, converged| {
            all.push(Measure {
                of: of.clone(),
                name,
                value,
                error,
                certainty,
                converged,
                rescaling: self.ball.rescaling(),
            });
        };
        let Self {
            sam,
            random,
            ascent,
            ..
        } = self;
        add(
            "first-order step",
            sam.value,
            sam.rounding,
            Certainty::Exact,
            true,
        );
        let Estimate {
            mean,
            standard_error,
            ..
        } = random.mean;
        add(
            "mean of directions",
            mean,
            standard_error,
            Certainty::Estimate,
            true,
        );
        add(
            "worst of directions",
            random.worst,
            random.rounding,
            Certainty::LowerBound,
            true,
        );
        if let Some(ascent) = ascent {
            let ProjectedAscent {
                value,
                rounding,
                converged,
                ..
            } = ascent;
            add(
                "projected ascent",
                *value,
                *rounding,
                Certainty::LowerBound,
                *converged,
            );
        }
    }
}

impl AverageSharpness {
    fn measures(&self, all: &mut Vec<Measure>) {
        let of = match self.scale {
            Scale::One => format!("sigma {}", self.sigma),
            scale => format!("sigma {}, {scale}", self.sigma),
        };
        let mut add = |name, estimate: Estimate, certainty| {
            all.push(Measure {
                of: of.clone(),
                name,
                value: estimate.mean,
                error: estimate.standard_error,
                certainty,
                converged: true,
                rescaling: self.rescaling,
            });
        };
        add("average rise", self.estimate, Certainty::Estimate);
        if let Some(SecondOrder { estimate, exact }) = self.second_order {
            let certainty = if exact {
                Certainty::Exact
            } else {
                Certainty::Estimate
            };
            add("its second order", estimate, certainty);
        }
    }
}

impl CurvatureSummary {
    fn measures(&self, all: &mut Vec<Measure>) {
        let mut add = |name, value, error, certainty, converged| {
            all.push(Measure {
                of: "Hessian".to_owned(),
                name,
                value,
                error,
                certainty,
                converged,
                rescaling: Rescaling::NotInvariant,
            });
        };
        let known = if self.exact {
            Certainty::Exact
        } else {
            Certainty::Estimate
        };
        let ends = [
            ("lambda_max", self.lambda_max),
            ("lambda_min", self.lambda_min),
        ];
        for (name, end) in ends {
            add(name, end.value, end.residual, known, end.converged);
        }
        for (name, estimate) in [("trace", self.trace), ("Frobenius norm", self.frobenius)] {
            let Estimate {
                mean,
                standard_error,
                ..
            } = estimate;
            add(name, mean, standard_error, known, true);
        }
        let certainty = if self.exact {
            Certainty::Exact
        } else {
            Certainty::LowerBound
        };
        add(
            "negative eigenvalues",
            self.n_negative as f64,
            0.0,
            certainty,
            true,
        );
    }
}
