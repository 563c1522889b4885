//! The result of one comparison.

use std::fmt;

use super::compare::quietly;
use super::truth::Estimate;

/// The result of comparing one quantity.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome {
    Agrees,
    /// The measured side says itself that the number may be wrong.
    InDoubt,
    /// An error, in its own words.
    Refused(String),
    /// The differences themselves do not settle: a kink is close by.
    Unsettled,
    Differs {
        given: f64,
        expected: f64,
        error: f64,
    },
    Panicked(String),
}

/// A quantity and how it came out.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    pub(super) what: &'static str,
    pub(super) outcome: Outcome,
    /// The way by which it was obtained, where there are several.
    pub(super) way: Option<String>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.what, self.outcome)?;
        match &self.way {
            Some(way) => write!(f, " [{way}]"),
            None => Ok(()),
        }
    }
}

pub(super) type Measured<T> = Result<Result<T, String>, String>;

/// Runs `measure` and returns its value, or its error or panic in words.
pub(super) fn measured<T, E: fmt::Display>(measure: impl FnOnce() -> Result<T, E>) -> Measured<T> {
    quietly(|| measure().map_err(|error| error.to_string()))
}

#[derive(Default)]
pub(super) struct Findings {
    pub(super) all: Vec<Finding>,
}

impl Findings {
    pub(super) fn push(&mut self, what: &'static str, outcome: Outcome, way: Option<&str>) {
        let way = way.map(str::to_owned);
        self.all.push(Finding { what, outcome, way });
    }

    /// Returns the measured value, or notes why there is none.
    pub(super) fn usable<T>(&mut self, what: &'static str, measured: Measured<T>) -> Option<T> {
        match measured {
            Ok(Ok(value)) => return Some(value),
            Ok(Err(error)) => self.push(what, Outcome::Refused(error), None),
            Err(panic) => self.push(what, Outcome::Panicked(panic), None),
        }
        None
    }

    /// Judges nothing where the slopes to both sides of the weights differ by `kink`: there is no
    /// derivative.
    pub(super) fn forgive_kinks(&mut self, kink: impl FnOnce() -> f64) {
        let values = ["coordinates", "flat parameters", "value", "line", "plane"];
        let differs = |finding: &&mut Finding| {
            matches!(finding.outcome, Outcome::Differs { .. }) && !values.contains(&finding.what)
        };
        let mut differing: Vec<&mut Finding> = self.all.iter_mut().filter(differs).collect();
        if !differing.is_empty() && kink() > 1e-3 {
            for finding in &mut differing {
                finding.outcome = Outcome::Unsettled;
            }
        }
    }

    /// Compares relative to `scale` or the number itself.
    pub(super) fn compare(
        &mut self,
        what: &'static str,
        given: f64,
        expected: Estimate,
        scale: f64,
        tolerance: f64,
        way: Option<&str>,
    ) -> bool {
        let Estimate { value, error } = expected;
        let scale = scale.max(value.abs());
        let gap = (given - value).abs();
        let agrees =
            gap <= tolerance * scale + 10.0 * error || (!given.is_finite() && !value.is_finite());
        // An error of a hundredth says nothing.
        let outcome = if error > 1e-2 * scale.max(1e-6) {
            Outcome::Unsettled
        } else if agrees {
            Outcome::Agrees
        } else {
            Outcome::Differs {
                given,
                expected: value,
                error,
            }
        };
        let agrees = outcome == Outcome::Agrees;
        self.push(what, outcome, way);
        agrees
    }
}
