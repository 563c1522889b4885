//! When a probe observes, as text: `every:20`, `log:8`, `at:10,50`, `start`, `end`, `never`, joined by `+`.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const EXPECTED: &str =
    "`every:N`, `log:N`, `at:N,N,..`, `start`, `end` or `never`, joined by `+`, e.g. \"log:8+end\"";

/// One part of a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Every so many steps.
    Every(usize),
    /// So many moments, spaced evenly in the logarithm of the step.
    LogSpaced(usize),
    /// At the steps given.
    At(Vec<usize>),
    /// Before the first step.
    Start,
    /// After the last step.
    End,
}

/// All moments at which a probe observes; none at all is `never`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Moments(pub(crate) Vec<Moment>);

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected {EXPECTED}");
        let whole = |digits: &str| digits.trim().parse::<usize>().map_err(|_| wrong());
        let positive = |digits: &str| match whole(digits)? {
            0 => Err(wrong()),
            n => Ok(n),
        };
        match text.trim().split_once(':') {
            Some(("every", n)) => positive(n).map(Self::Every),
            Some(("log", n)) => positive(n).map(Self::LogSpaced),
            Some(("at", steps)) => {
                let steps: Result<Vec<_>, _> = steps.split(',').map(whole).collect();
                steps.map(Self::At)
            }
            None if text.trim() == "start" => Ok(Self::Start),
            None if text.trim() == "end" => Ok(Self::End),
            _ => Err(wrong()),
        }
    }
}

impl FromStr for Moments {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim() == "never" {
            return Ok(Self::default());
        }
        let moments: Result<Vec<_>, _> = text.split('+').map(str::parse).collect();
        moments.map(Self)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every(n) => write!(f, "every:{n}"),
            Self::LogSpaced(n) => write!(f, "log:{n}"),
            Self::At(steps) => {
                let steps: Vec<_> = steps.iter().map(ToString::to_string).collect();
                write!(f, "at:{}", steps.join(","))
            }
            Self::Start => f.write_str("start"),
            Self::End => f.write_str("end"),
        }
    }
}

impl fmt::Display for Moments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("never");
        }
        let parts: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&parts.join("+"))
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
        for text in ["never", "every:20", "log:8+end", "start+at:1,2,3+end"] {
            assert_eq!(text.parse::<Moments>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_not_a_schedule_is_refused() {
        for text in ["", "every", "every:0", "every:-3", "log:x", "at:", "soon"] {
            assert!(text.parse::<Moments>().is_err(), "{text}");
        }
    }
}
