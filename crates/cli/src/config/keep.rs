//! Which checkpoints of a run are kept: a word or a number in workspace.toml and as a flag.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::bounded::Count;

/// The default number of latest checkpoints that are kept, also beside the best one:
/// if the newest is damaged, the one before serves.
pub(crate) const LATEST: usize = 2;

const EXPECTED: &str = "\"all\", \"best\" (by validation loss, and the latest two) or a whole number from 1 of the latest ones";

/// Which checkpoints are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// Each.
    All,
    /// The checkpoint of the smallest validation loss, and the latest two, from which a run is
    /// resumed.
    Best,
    /// So many of the latest.
    Last(Count),
}

impl Default for Keep {
    fn default() -> Self {
        Self::Last(Count::new(LATEST).expect("two is a count"))
    }
}

impl FromStr for Keep {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "all" => Ok(Self::All),
            "best" => Ok(Self::Best),
            number => number
                .parse()
                .map(Self::Last)
                .map_err(|_| format!("expected {EXPECTED}")),
        }
    }
}

impl fmt::Display for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Best => f.write_str("best"),
            Self::Last(count) => write!(f, "{}", count.get()),
        }
    }
}

impl Serialize for Keep {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Last(count) => count.serialize(serializer),
            word => serializer.collect_str(word),
        }
    }
}

impl<'de> Deserialize<'de> for Keep {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KeepVisitor)
    }
}

struct KeepVisitor;

impl Visitor<'_> for KeepVisitor {
    type Value = Keep;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Keep, E> {
        let word = text.parse().ok();
        // A number in quotes would be written as one without.
        word.filter(|keep| !matches!(keep, Keep::Last(_)))
            .ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Keep, E> {
        let count = usize::try_from(value).ok().and_then(Count::new);
        count
            .map(Keep::Last)
            .ok_or_else(|| E::invalid_value(Unexpected::Signed(value), &self))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Keep, E> {
        let count = usize::try_from(value).ok().and_then(Count::new);
        count
            .map(Keep::Last)
            .ok_or_else(|| E::invalid_value(Unexpected::Unsigned(value), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_reads_back_as_it_is_written() {
        for text in ["all", "best", "1", "12"] {
            let keep: Keep = text.parse().unwrap();
            assert_eq!(keep.to_string(), text);
            let json = serde_json::to_string(&keep).unwrap();
            assert_eq!(serde_json::from_str::<Keep>(&json).unwrap(), keep);
        }
        for text in ["", "0", "-1", "latest", "1.5"] {
            assert!(text.parse::<Keep>().is_err(), "{text}");
        }
    }
}
