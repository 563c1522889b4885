//! When a probe observes: schedules as text, joined by `+`.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use probes::Schedule;
use serde::de::{self, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const EXPECTED: &str = "\"every N\" (steps), \"log N\" (so many, evenly spaced in the logarithm of the step), \"at N, N, ..\", \"start\", \"end\", \
                        \"never\", or several joined by +, such as \"every 50 + end\"";

/// All moments at which a probe observes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Moments(Vec<Schedule>);

impl Moments {
    /// Returns the moments of a probe that never observes.
    pub(crate) fn never() -> Self {
        Self(vec![Schedule::never()])
    }

    /// Returns the moment after the last step.
    pub(crate) fn at_end() -> Self {
        Self(vec![Schedule::at_end()])
    }

    /// Returns the steps of a run of `total` steps.
    ///
    /// # Errors
    /// None that a total leaves open.
    pub(crate) fn steps(&self, total: u64) -> Result<BTreeSet<u64>, probes::Error> {
        let steps: Result<Vec<Vec<u64>>, _> = self.0.iter().map(|s| s.steps(Some(total))).collect();
        Ok(steps?.into_iter().flatten().collect())
    }
}

impl Moments {
    /// Returns how many steps [`steps`](Self::steps) would give at most, without making them.
    pub(crate) fn count(&self, total: u64) -> u64 {
        let number = |text: &str| -> u64 {
            text.parse()
                .expect("a schedule writes its number in digits")
        };
        let of = |schedule: &Schedule| {
            let text = schedule.to_string();
            match text.split_once(' ') {
                Some(("every", n)) => total / number(n) + 1,
                Some(("log", n)) => number(n).min(total),
                Some((_, list)) => list.split(',').count() as u64,
                None => 1,
            }
        };
        self.0.iter().map(of).sum()
    }
}

impl FromStr for Moments {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let schedules: Result<Vec<_>, _> = text.split('+').map(str::parse).collect();
        schedules
            .map(Self)
            .map_err(|_| format!("expected {EXPECTED}"))
    }
}

impl fmt::Display for Moments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&parts.join(" + "))
    }
}

impl Serialize for Moments {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moments {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(MomentsVisitor)
    }
}

struct MomentsVisitor;

impl Visitor<'_> for MomentsVisitor {
    type Value = Moments;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Moments, E> {
        text.parse()
            .map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_reads_back_as_it_is_written() {
        for text in [
            "never",
            "every 20",
            "log 8 + end",
            "start + at 1, 2, 3 + end",
        ] {
            assert_eq!(text.parse::<Moments>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn joined_schedules_give_each_step_once() {
        let moments: Moments = "every 20 + at 10, 40 + end".parse().unwrap();
        let steps: Vec<_> = moments.steps(50).unwrap().into_iter().collect();
        assert_eq!(steps, [0, 10, 20, 40, 50]);
    }

    #[test]
    fn count_is_known_without_the_steps() {
        for text in [
            "every 7",
            "log 8",
            "start + at 1, 2, 30 + end",
            "never",
            "every 50",
        ] {
            let moments: Moments = text.parse().unwrap();
            assert!(
                moments.count(50) >= moments.steps(50).unwrap().len() as u64,
                "{text}"
            );
        }
        let moments: Moments = "every 1".parse().unwrap();
        assert_eq!(moments.count(u64::from(u32::MAX)), 1 << 32);
        let moments: Moments = "log 4294967295".parse().unwrap();
        assert_eq!(moments.count(1000), 1000);
    }

    #[test]
    fn what_is_not_a_schedule_is_refused() {
        for text in ["", "every", "every 0", "end +", "soon"] {
            assert!(text.parse::<Moments>().is_err(), "{text}");
        }
    }
}
