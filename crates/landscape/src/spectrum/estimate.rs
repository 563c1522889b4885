//! A mean of independent values with its standard error.

use super::student::student_quantile;
use crate::error::Error;

/// The mean of independent values with its standard error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// Arithmetic mean; NaN without a value.
    pub mean: f64,
    /// Standard error of the mean: the sample standard deviation (divisor `n − 1`) over `√n`;
    /// infinite below two values, which say nothing of their spread.
    pub standard_error: f64,
    /// Number of values n.
    pub count: usize,
}

impl Estimate {
    /// Returns the estimate from independent values.
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut running = Running::default();
        for value in values {
            running.add(value);
        }
        running.estimate()
    }

    /// Returns Student's interval for the expectation with `count - 1` degrees of freedom,
    /// `mean ± t · standard_error`. Exact for normal values, approximate otherwise.
    ///
    /// # Errors
    /// [`Error::Setting`] for a confidence that is not between 0 and 1.
    pub fn interval(&self, confidence: f64) -> Result<[f64; 2], Error> {
        if !(confidence > 0.0 && confidence < 1.0) {
            return Err(Error::Setting {
                name: "confidence",
                value: confidence.to_string(),
                allowed: "between 0 and 1",
            });
        }
        if self.count < 2 {
            return Ok([f64::NEG_INFINITY, f64::INFINITY]);
        }
        let half = student_quantile(0.5 + confidence / 2.0, self.count - 1) * self.standard_error;
        Ok([self.mean - half, self.mean + half])
    }
}

/// Mean and spread of values as they come (Welford 1962): no cancellation between large squares.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Running {
    count: usize,
    mean: f64,
    squares: f64,
}

impl Running {
    pub(crate) fn add(&mut self, value: f64) {
        self.count += 1;
        let before = value - self.mean;
        self.mean += before / self.count as f64;
        self.squares += before * (value - self.mean);
    }

    pub(crate) fn estimate(&self) -> Estimate {
        let n = self.count as f64;
        Estimate {
            mean: if self.count == 0 { f64::NAN } else { self.mean },
            standard_error: if self.count < 2 {
                f64::INFINITY
            } else {
                (self.squares / (n - 1.0) / n).sqrt()
            },
            count: self.count,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_standard_error_follow_their_definitions() {
        // Deviations -2, -1, 0, 1, 2: variance 10 / 4, standard error √(2.5 / 5).
        let estimate = Estimate::of([1e8 + 1.0, 1e8 + 2.0, 1e8 + 3.0, 1e8 + 4.0, 1e8 + 5.0]);
        assert_eq!(estimate.mean, 1e8 + 3.0);
        assert!((estimate.standard_error - 0.5_f64.sqrt()).abs() < 1e-12);
        assert_eq!(estimate.count, 5);
        // t(0.975, 4) = 2.776 from the table.
        let [low, high] = estimate.interval(0.95).unwrap();
        assert!(((high - low) / 2.0 - 2.776_445 * 0.5_f64.sqrt()).abs() < 1e-6);
    }

    #[test]
    fn one_value_has_no_standard_error() {
        assert_eq!(Estimate::of([3.0]).standard_error, f64::INFINITY);
        assert_eq!(
            Estimate::of([3.0]).interval(0.9),
            Ok([f64::NEG_INFINITY, f64::INFINITY])
        );
    }

    #[test]
    fn a_confidence_that_is_none_is_an_error() {
        for confidence in [0.0, 1.0, -0.5, 95.0, f64::NAN] {
            let found = Estimate::of([1.0, 2.0]).interval(confidence);
            assert!(matches!(found, Err(Error::Setting { .. })), "{confidence}");
        }
    }
}
