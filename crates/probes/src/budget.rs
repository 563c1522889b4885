//! How much time probes may take, and how much they took.

use std::time::Duration;

/// How much of the training's time probes may take.
///
/// By default a budget only accounts: it reports the share that was spent and warns once when it is exceeded, and what is measured depends on the
/// schedules alone, so that two runs give the same numbers on a fast and on a slow machine. [`Budget::enforcing`] trades that for the time: probes added
/// with [`Probes::with_optional`](crate::Probes::with_optional) are then skipped while the budget is exceeded, and each skip is recorded with its reason.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    /// The time of probes over the time of training without them; infinite for no limit.
    pub fraction: f64,
    /// Whether optional probes are skipped while the budget is exceeded.
    pub enforcing: bool,
    /// The time that probes may take in any case, because at the start of a run every fraction is large.
    pub grace: Duration,
}

impl Budget {
    /// A budget of `fraction` of the training's time, 0.05 for five per cent, with a grace of ten seconds.
    ///
    /// # Panics
    ///
    /// When `fraction` is negative or NaN.
    #[must_use]
    pub fn fraction(fraction: f64) -> Self {
        assert!(
            fraction >= 0.0,
            "a budget of {fraction} of the training's time makes no sense: give a number from 0 up"
        );
        Self {
            fraction,
            enforcing: false,
            grace: Duration::from_secs(10),
        }
    }

    /// No limit; the time is still accounted for.
    #[must_use]
    pub fn unlimited() -> Self {
        Self::fraction(f64::INFINITY)
    }

    /// The same budget, enforced: results then depend on the speed of the machine.
    #[must_use]
    pub fn enforcing(self) -> Self {
        Self {
            enforcing: true,
            ..self
        }
    }

    /// The same budget with another grace.
    #[must_use]
    pub fn with_grace(self, grace: Duration) -> Self {
        Self { grace, ..self }
    }

    /// Whether `spent` exceeds the budget.
    #[must_use]
    pub fn is_exceeded(&self, spent: &Spent) -> bool {
        spent.probes > self.grace && spent.fraction() > self.fraction
    }
}

/// The time that a run has taken so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Inside probes and sinks.
    pub probes: Duration,
    /// Outside them.
    pub training: Duration,
}

impl Spent {
    /// The time of probes over the time of training; 0 when both are zero.
    #[must_use]
    pub fn fraction(&self) -> f64 {
        if self.probes.is_zero() {
            0.0
        } else {
            self.probes.as_secs_f64() / self.training.as_secs_f64()
        }
    }

    /// "12.3 s of probes for 100.0 s of training (12.3 %)".
    pub(crate) fn sentence(&self) -> String {
        let (probes, training) = (self.probes.as_secs_f64(), self.training.as_secs_f64());
        format!(
            "{probes:.1} s of probes for {training:.1} s of training ({:.1} %)",
            100.0 * self.fraction()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budget_is_exceeded_only_beyond_grace_and_fraction() {
        let spent = |probes, training| Spent {
            probes: Duration::from_secs(probes),
            training: Duration::from_secs(training),
        };
        let budget = Budget::fraction(0.1);
        assert!(!budget.is_exceeded(&spent(10, 0)));
        assert!(budget.is_exceeded(&spent(11, 0)));
        assert!(!budget.is_exceeded(&spent(11, 110)));
        assert!(budget.is_exceeded(&spent(12, 110)));
        assert!(!Budget::unlimited().is_exceeded(&spent(100, 0)));
        assert_eq!(Spent::default().fraction(), 0.0);
    }
}
