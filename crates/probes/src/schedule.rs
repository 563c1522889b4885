//! The schedule of a probe: a pure function of the step.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Error;

/// The steps at which a probe measures.
///
/// A step is the number of updates made so far: 0 is the untrained model, `total` the trained one.
/// A schedule depends on the step and, where it says so, on the total number of steps, and on
/// nothing else: neither on the time nor on what other probes did, so that two runs measure at the
/// same places.
///
/// A schedule is written as text in configuration files, and [`Display`](fmt::Display) gives that
/// text back:
///
/// | text | meaning | constructor |
/// |---|---|---|
/// | `every 20` | 0, 20, 40, .. | [`Schedule::every`] |
/// | `at 0, 100, 500` | these steps | [`Schedule::at`] |
/// | `log 8` | 8 steps between 1 and the total, equally spaced in the logarithm | [`Schedule::log_spaced`] |
/// | `start` | step 0 | [`Schedule::at_start`] |
/// | `end` | the total | [`Schedule::at_end`] |
/// | `never` | not at all | [`Schedule::never`] |
///
/// # Examples
/// ```
/// use probes::Schedule;
///
/// let schedule: Schedule = "log 4".parse()?;
/// assert_eq!(schedule, Schedule::log_spaced(4));
/// assert_eq!(schedule.steps(Some(1000))?, [1, 10, 100, 1000]);
/// assert!(Schedule::every(20).due(40, None)?);
/// # Ok::<(), probes::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Schedule(Rule);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Rule {
    Every(u64),
    At(BTreeSet<u64>),
    LogSpaced(u64),
    Start,
    End,
    Never,
}

impl Schedule {
    /// Returns the schedule of step 0 and every multiple of `n`.
    ///
    /// # Panics
    /// When `n` is 0.
    #[must_use]
    pub fn every(n: u64) -> Self {
        assert!(
            n > 0,
            "a schedule cannot measure every {n} steps: give at least 1"
        );
        Self(Rule::Every(n))
    }

    /// Returns the schedule of the given steps, in any order.
    #[must_use]
    pub fn at(steps: impl IntoIterator<Item = u64>) -> Self {
        let steps: BTreeSet<u64> = steps.into_iter().collect();
        if steps.is_empty() {
            return Self::never();
        }
        Self(Rule::At(steps))
    }

    /// Returns the schedule of `n` steps between 1 and the total, equally spaced in the logarithm;
    /// every step when the total is smaller than `n`. Needs the total.
    ///
    /// The i-th of the n steps is the total to the power i / (n - 1), rounded, and moved up where
    /// several would fall on one step.
    ///
    /// # Panics
    /// When `n` is 0.
    #[must_use]
    pub fn log_spaced(n: u64) -> Self {
        assert!(
            n > 0,
            "a schedule cannot have {n} logarithmically spaced steps: give at least 1"
        );
        Self(Rule::LogSpaced(n))
    }

    /// Returns the schedule of step 0, before the first update.
    #[must_use]
    pub fn at_start() -> Self {
        Self(Rule::Start)
    }

    /// Returns the schedule of the total, after the last update. Needs the total.
    #[must_use]
    pub fn at_end() -> Self {
        Self(Rule::End)
    }

    /// Returns the schedule of no step.
    #[must_use]
    pub fn never() -> Self {
        Self(Rule::Never)
    }

    /// Tells whether the total number of steps has to be known.
    #[must_use]
    pub fn needs_total(&self) -> bool {
        matches!(self.0, Rule::LogSpaced(_) | Rule::End)
    }

    /// Tells whether `step` is one of the schedule's steps.
    ///
    /// # Errors
    /// [`Error::TotalStepsMissing`] when the schedule needs `total` and it is `None`.
    pub fn due(&self, step: u64, total: Option<u64>) -> Result<bool, Error> {
        let total_steps = || {
            total.ok_or_else(|| Error::TotalStepsMissing {
                schedule: self.to_string(),
            })
        };
        Ok(match &self.0 {
            Rule::Every(n) => step.is_multiple_of(*n),
            Rule::At(steps) => steps.contains(&step),
            Rule::LogSpaced(n) => log_steps(*n, total_steps()?).binary_search(&step).is_ok(),
            Rule::Start => step == 0,
            Rule::End => step == total_steps()?,
            Rule::Never => false,
        })
    }

    /// Returns all steps up to the total, in order; for an open schedule without a total, the steps
    /// that it names.
    ///
    /// # Errors
    /// [`Error::TotalStepsMissing`] when the schedule needs `total`, or has no end without it, and
    /// it is `None`.
    pub fn steps(&self, total: Option<u64>) -> Result<Vec<u64>, Error> {
        let total_steps = || {
            total.ok_or_else(|| Error::TotalStepsMissing {
                schedule: self.to_string(),
            })
        };
        let within = |steps: &mut dyn Iterator<Item = u64>| {
            steps
                .filter(|step| total.is_none_or(|total| *step <= total))
                .collect()
        };
        Ok(match &self.0 {
            Rule::Every(n) => {
                let total = total_steps()?;
                (0..=total / n).map(|k| k * n).collect()
            }
            Rule::At(steps) => within(&mut steps.iter().copied()),
            Rule::LogSpaced(n) => log_steps(*n, total_steps()?),
            Rule::Start => vec![0],
            Rule::End => vec![total_steps()?],
            Rule::Never => Vec::new(),
        })
    }
}

/// Returns the steps of [`Schedule::log_spaced`], increasing.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a power of the total with an exponent of at most one is at most the total"
)]
fn log_steps(n: u64, total: u64) -> Vec<u64> {
    let n = n.min(total);
    let mut steps: Vec<u64> = Vec::new();
    for i in 0..n {
        let share = if n == 1 {
            1.0
        } else {
            i as f64 / (n - 1) as f64
        };
        let wanted = (total as f64).powf(share).round() as u64;
        let after = steps.last().map_or(1, |last| last + 1);
        // The later steps need room too.
        steps.push(wanted.max(after).min(total - (n - 1 - i)));
    }
    steps
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Rule::Every(n) => write!(f, "every {n}"),
            Rule::At(steps) => {
                let steps: Vec<String> = steps.iter().map(u64::to_string).collect();
                write!(f, "at {}", steps.join(", "))
            }
            Rule::LogSpaced(n) => write!(f, "log {n}"),
            Rule::Start => f.write_str("start"),
            Rule::End => f.write_str("end"),
            Rule::Never => f.write_str("never"),
        }
    }
}

impl FromStr for Schedule {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let error = || Error::ScheduleText {
            text: text.to_owned(),
        };
        let trimmed = text.trim();
        let (word, rest) = trimmed
            .split_once(char::is_whitespace)
            .unwrap_or((trimmed, ""));
        let count = || {
            rest.trim()
                .parse::<u64>()
                .ok()
                .filter(|n| *n > 0)
                .ok_or_else(error)
        };
        let rule = match (word, rest.trim().is_empty()) {
            ("every", false) => Rule::Every(count()?),
            ("log", false) => Rule::LogSpaced(count()?),
            ("at", false) => Rule::At(
                rest.split(',')
                    .map(|step| step.trim().parse().map_err(|_| error()))
                    .collect::<Result<_, _>>()?,
            ),
            ("start", true) => Rule::Start,
            ("end", true) => Rule::End,
            ("never", true) => Rule::Never,
            _ => return Err(error()),
        };
        Ok(Self(rule))
    }
}

impl TryFrom<String> for Schedule {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<Schedule> for String {
    fn from(schedule: Schedule) -> Self {
        schedule.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn steps_are_those_of_the_definition() {
        let steps = |text: &str, total| {
            text.parse::<Schedule>()
                .unwrap()
                .steps(Some(total))
                .unwrap()
        };
        assert_eq!(steps("every 20", 50), [0, 20, 40]);
        assert_eq!(steps("at 500, 0,100", 200), [0, 100]);
        assert_eq!(steps("log 3", 100), [1, 10, 100]);
        assert_eq!(steps("log 1", 100), [100]);
        assert_eq!(steps("log 8", 5), [1, 2, 3, 4, 5]);
        assert_eq!(steps("start", 100), [0]);
        assert_eq!(steps("end", 100), [100]);
        assert!(steps("never", 100).is_empty());
        assert!(steps("log 3", 0).is_empty());
    }

    #[test]
    fn text_that_is_no_schedule_is_an_error_that_names_the_forms() {
        for text in [
            "", "every", "every 0", "every -1", "log 0", "at", "at 1,x", "ends", "end 3", "20",
        ] {
            let error = text.parse::<Schedule>().unwrap_err().to_string();
            assert!(
                error.contains("`every 20`")
                    && error.contains("`log 8`")
                    && error.contains("`end`"),
                "{error}"
            );
        }
        assert!(serde_json::from_str::<Schedule>("\"every 0\"").is_err());
        assert_eq!(
            serde_json::from_str::<Schedule>("\"every 5\"").unwrap(),
            Schedule::every(5)
        );
    }

    #[test]
    fn a_missing_total_is_an_error_only_where_it_is_needed() {
        assert!(matches!(
            Schedule::at_end().due(0, None),
            Err(Error::TotalStepsMissing { .. })
        ));
        assert!(matches!(
            Schedule::log_spaced(3).due(0, None),
            Err(Error::TotalStepsMissing { .. })
        ));
        assert!(
            Schedule::every(3).due(9, None).unwrap() && Schedule::at_start().due(0, None).unwrap()
        );
    }

    proptest! {
        #[test]
        fn log_spaced_gives_as_many_increasing_steps_as_asked_and_ends_at_the_total(n in 1_u64..40, total in 1_u64..100_000) {
            let steps = Schedule::log_spaced(n).steps(Some(total)).unwrap();
            prop_assert_eq!(steps.len() as u64, n.min(total));
            prop_assert!(steps.windows(2).all(|w| w[0] < w[1]));
            prop_assert_eq!(steps.last().copied(), Some(total));
            prop_assert!(steps[0] >= 1);
        }

        #[test]
        fn due_agrees_with_the_list_and_the_text_reads_back(kind in 0..6, n in 1_u64..50, total in 0_u64..300) {
            let schedule = match kind {
                0 => Schedule::every(n),
                1 => Schedule::at([n, 3, 2 * n]),
                2 => Schedule::log_spaced(n),
                3 => Schedule::at_start(),
                4 => Schedule::at_end(),
                _ => Schedule::never(),
            };
            let due: Vec<u64> = (0..=total).filter(|step| schedule.due(*step, Some(total)).unwrap()).collect();
            prop_assert_eq!(due, schedule.steps(Some(total)).unwrap());
            prop_assert_eq!(schedule.to_string().parse::<Schedule>().unwrap(), schedule);
        }
    }
}
