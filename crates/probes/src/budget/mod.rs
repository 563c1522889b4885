//! The share of a run's time that measuring may take, and the share it took.

mod measuring_cost;
mod pace;
mod plan;

use std::fmt;
use std::time::Duration;

pub use measuring_cost::MeasuringCost;
pub(crate) use pace::Pace;
pub(crate) use plan::{Part, Plan, affords_trial, allot, at_end, divided, fair};

use crate::Error;

/// The share of a run's time that probes may take: a limit.
///
/// A share s allows s / (1 − s) seconds of probes for each second of training, which are saved up
/// from step to step. A measurement that does not fit into what was saved is made with fewer
/// products or points, over a smaller fixed sample of the data, or later: see
/// [`Probes`](crate::Probes). The results then depend on the speed of the machine. Without a limit
/// they do not.
///
/// # Examples
/// ```
/// use probes::Budget;
///
/// assert_eq!(Budget::fraction(0.05).share(), Some(0.05));
/// assert_eq!(Budget::unlimited().share(), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Budget {
    share: Option<f64>,
}

impl Default for Budget {
    /// Returns 5 %.
    fn default() -> Self {
        Self { share: Some(0.05) }
    }
}

impl Budget {
    /// Returns a limit of at most `share` of the time of the whole run, 0.05 for five per cent. One
    /// and more is no limit.
    ///
    /// # Panics
    /// When `share` is negative or NaN. [`try_fraction`](Self::try_fraction) gives an error.
    #[must_use]
    pub fn fraction(share: f64) -> Self {
        Self::try_fraction(share).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Returns what [`fraction`](Self::fraction) does, for a share that comes from a user.
    ///
    /// # Errors
    /// [`Error::Setting`] when `share` is negative or NaN.
    pub fn try_fraction(share: f64) -> Result<Self, Error> {
        if share.is_nan() || share < 0.0 {
            return Err(Error::Setting {
                name: "the probes' share of the time",
                value: share,
                allowed: "give a number from 0 up, such as 0.05",
            });
        }
        Ok(Self {
            share: (share < 1.0).then_some(share),
        })
    }

    /// Returns no limit; the time is still accounted for.
    #[must_use]
    pub const fn unlimited() -> Self {
        Self { share: None }
    }

    /// Returns the share of the whole time, if there is a limit.
    #[must_use]
    pub const fn share(&self) -> Option<f64> {
        self.share
    }

    /// Seconds of probes that so many seconds of training allow, if there is a limit.
    pub(crate) fn allowed(&self, training: f64) -> Option<f64> {
        self.share.map(|share| share / (1.0 - share) * training)
    }
}

/// The time that a run has taken so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    /// Inside probes, and inside sinks for what these found.
    pub probes: Duration,
    /// Outside them: the time in which the training went on.
    pub training: Duration,
    /// The time for which the training stood still for them. In its own thread that is all of
    /// [`probes`](Self::probes). In the background
    /// ([`Probes::in_background`](crate::Probes::in_background)) it is what snapshots took and how
    /// long the training waited for the thread; that probes took a core from it is part of
    /// [`training`](Self::training), because a clock cannot tell them apart.
    pub waited: Duration,
}

impl Spent {
    /// Returns the share of probes in the time of the run, `probes / (training + waited)`; 0 when
    /// all are zero. Measuring in the background counts in full, as if it had taken its core from
    /// the training: that is the most that it can have cost.
    #[must_use]
    pub fn share(&self) -> f64 {
        let probes = self.probes.as_secs_f64();
        if probes == 0.0 {
            0.0
        } else {
            probes / (self.training + self.waited).as_secs_f64()
        }
    }

    /// Tells for how long the training waited, where that is not all the time of the probes.
    pub(crate) fn beside(&self) -> Option<String> {
        let waited = self.waited.as_secs_f64();
        (self.waited != self.probes)
            .then(|| format!(", in the background; the training waited {waited:.2} s for them"))
    }
}

impl fmt::Display for Spent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "probes took {:.2} s, training {:.2} s: {:.1} % of the time{}",
            self.probes.as_secs_f64(),
            self.training.as_secs_f64(),
            100.0 * self.share(),
            self.beside().unwrap_or_default()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_one_of_the_whole_time() {
        let spent = Spent {
            probes: Duration::from_secs(5),
            training: Duration::from_secs(95),
            waited: Duration::from_secs(5),
        };
        assert_eq!(spent.share(), 0.05);
        assert_eq!(
            spent.to_string(),
            "probes took 5.00 s, training 95.00 s: 5.0 % of the time"
        );
        // Beside the training, which waited for 1 of the 5 seconds.
        let beside = Spent {
            training: Duration::from_secs(99),
            waited: Duration::from_secs(1),
            ..spent
        };
        assert_eq!(
            beside.to_string(),
            "probes took 5.00 s, training 99.00 s: 5.0 % of the time, in the background; the training waited 1.00 s for them"
        );
        assert!((Budget::fraction(0.05).allowed(95.0).unwrap() - 5.0).abs() < 1e-12);
        assert_eq!(Spent::default().share(), 0.0);
        assert_eq!(Budget::fraction(1.0), Budget::unlimited());
        assert!(Budget::try_fraction(f64::NAN).is_err() && Budget::try_fraction(-0.1).is_err());
    }
}
