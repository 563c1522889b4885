//! The reach of a slice and the points on it, as flags have them.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::limits;
use crate::report::number::plain_number;

/// The coordinates from the lowest to the highest, in multiples of a direction: `1` is -1 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Reach {
    low: f64,
    high: f64,
}

impl Reach {
    /// Returns the reach from `-extent` to `extent`.
    ///
    /// # Panics
    /// When `extent` is no finite number above 0.
    pub(crate) fn around(extent: f64) -> Self {
        Self::new(-extent, extent).expect("the extent of a slice is a finite number above 0")
    }

    /// Returns the reach, if it is one: finite, and not empty.
    pub(crate) fn new(low: f64, high: f64) -> Option<Self> {
        // A width that overflows has no points between.
        ((high - low).is_finite() && low < high).then_some(Self { low, high })
    }

    /// Returns the reach that has both in it.
    pub(crate) fn join(self, other: Self) -> Self {
        Self {
            low: self.low.min(other.low),
            high: self.high.max(other.high),
        }
    }

    /// Returns the coordinates.
    pub(crate) const fn range(self) -> RangeInclusive<f64> {
        self.low..=self.high
    }
}

const REACH: &str =
    "a number greater than 0, such as 1 for -1 to 1, or LOW:HIGH with LOW below HIGH";

impl FromStr for Reach {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.trim().parse::<f64>().ok();
        let reach = match text.split_once(':') {
            Some((low, high)) => number(low)
                .zip(number(high))
                .and_then(|(low, high)| Self::new(low, high)),
            None => number(text).and_then(|extent| Self::new(-extent, extent)),
        };
        reach.ok_or_else(|| format!("expected {REACH}"))
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", plain_number(self.low), plain_number(self.high))
    }
}

impl Serialize for Reach {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        [self.low, self.high].serialize(serializer)
    }
}

/// The points along both sides of a plane: `31` is 31 by 31, `31x21` has 21 along the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Mesh(pub(crate) [usize; 2]);

impl FromStr for Mesh {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let most = limits::GRID as usize;
        let count = |text: &str| {
            let count = text.trim().parse().ok();
            count.filter(|count| (2..=most).contains(count))
        };
        let sides = match text.split_once(['x', 'X']) {
            Some((a, b)) => count(a).zip(count(b)),
            None => count(text).map(|side| (side, side)),
        };
        let (a, b) = sides.ok_or_else(|| {
            format!("expected N or NxM with whole numbers from 2 to {most}, such as 51 or 51x31")
        })?;
        Ok(Self([a, b]))
    }
}

impl fmt::Display for Mesh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b] = self.0;
        write!(f, "{a}x{b}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reach_is_symmetric_or_has_two_ends_and_is_never_empty() {
        let reach = |text: &str| text.parse::<Reach>().map(Reach::range);
        assert_eq!(reach("1.5"), Ok(-1.5..=1.5));
        assert_eq!(reach("-0.25:1.25"), Ok(-0.25..=1.25));
        for text in [
            "0",
            "-1",
            "1:1",
            "1:-1",
            "nan",
            "inf",
            "0:inf",
            "",
            ":",
            "1:2:3",
            "-1e308:1e308",
        ] {
            assert!(reach(text).is_err(), "{text}");
        }
    }

    #[test]
    fn mesh_has_two_points_along_each_side_at_least() {
        let mesh = |text: &str| text.parse::<Mesh>().map(|mesh| mesh.0);
        assert_eq!(mesh("31"), Ok([31, 31]));
        assert_eq!(mesh("5x7"), Ok([5, 7]));
        for text in ["0", "1", "0x5", "5x", "x", "5x5x5", "2001", "-3", "2.5"] {
            assert!(mesh(text).is_err(), "{text}");
        }
    }
}
