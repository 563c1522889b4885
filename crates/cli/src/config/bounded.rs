//! Numbers with a range, read from workspace.toml and from flags by the same rule.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{self, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A range of numbers and its description in messages.
pub(crate) trait Range {
    /// The allowed values, as the end of a sentence: "expected ...".
    const EXPECTED: &'static str;

    /// Returns whether `value` is inside.
    fn allows(value: f64) -> bool;
}

/// A number inside the range `R`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bounded<R>(f64, PhantomData<R>);

impl<R: Range> Bounded<R> {
    /// Returns the number, if it is inside the range.
    pub(crate) fn new(value: f64) -> Option<Self> {
        R::allows(value).then_some(Self(value, PhantomData))
    }

    /// Returns the number.
    pub(crate) const fn get(self) -> f64 {
        self.0
    }
}

impl<R: Range> FromStr for Bounded<R> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let value = text.trim().parse().ok().and_then(Self::new);
        value.ok_or_else(|| format!("expected {}", R::EXPECTED))
    }
}

impl<R> Serialize for Bounded<R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0)
    }
}

impl<'de, R: Range> Deserialize<'de> for Bounded<R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_f64(RangeVisitor(PhantomData))
    }
}

struct RangeVisitor<R>(PhantomData<R>);

impl<R: Range> Visitor<'_> for RangeVisitor<R> {
    type Value = Bounded<R>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(R::EXPECTED)
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Self::Value, E> {
        Bounded::new(value).ok_or_else(|| E::invalid_value(Unexpected::Float(value), &self))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Self::Value, E> {
        // Whole numbers in a configuration are far below 2^53.
        Bounded::new(value as f64).ok_or_else(|| E::invalid_value(Unexpected::Signed(value), &self))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Self::Value, E> {
        Bounded::new(value as f64)
            .ok_or_else(|| E::invalid_value(Unexpected::Unsigned(value), &self))
    }
}

/// x > 0 and finite: learning rates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Positive {}

impl Range for Positive {
    const EXPECTED: &'static str = "a finite number greater than 0";

    fn allows(value: f64) -> bool {
        value > 0.0 && value.is_finite()
    }
}

/// x >= 0 and finite: radii and decays.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum NonNegative {}

impl Range for NonNegative {
    const EXPECTED: &'static str = "a finite number of at least 0";

    fn allows(value: f64) -> bool {
        value >= 0.0 && value.is_finite()
    }
}

/// 0 <= x < 1: momentum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum BelowOne {}

impl Range for BelowOne {
    const EXPECTED: &'static str = "a number of at least 0 and below 1";

    fn allows(value: f64) -> bool {
        (0.0..1.0).contains(&value)
    }
}

/// 0 <= x <= 1: shares that may be nothing or all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Portion {}

impl Range for Portion {
    const EXPECTED: &'static str = "a number from 0 to 1";

    fn allows(value: f64) -> bool {
        (0.0..=1.0).contains(&value)
    }
}

/// x finite: biases.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Finite {}

impl Range for Finite {
    const EXPECTED: &'static str = "a finite number";

    fn allows(value: f64) -> bool {
        value.is_finite()
    }
}

/// 0 < x <= 1: budgets and factors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fraction {}

impl Range for Fraction {
    const EXPECTED: &'static str = "a number greater than 0 and at most 1";

    fn allows(value: f64) -> bool {
        value > 0.0 && value <= 1.0
    }
}

/// 0 < x < 1: the share of examples kept for validation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Share {}

impl Range for Share {
    const EXPECTED: &'static str = "a number greater than 0 and below 1";

    fn allows(value: f64) -> bool {
        value > 0.0 && value < 1.0
    }
}

/// 0 < x <= 100: errors in hundredths.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Percent {}

impl Range for Percent {
    const EXPECTED: &'static str = "a number greater than 0 and at most 100";

    fn allows(value: f64) -> bool {
        value > 0.0 && value <= 100.0
    }
}

/// x >= 1 and finite: factors above a loss.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum AtLeastOne {}

impl Range for AtLeastOne {
    const EXPECTED: &'static str = "a finite number of at least 1";

    fn allows(value: f64) -> bool {
        value >= 1.0 && value.is_finite()
    }
}

/// x > 1 and finite: factors by which a loss rises.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum AboveOne {}

impl Range for AboveOne {
    const EXPECTED: &'static str = "a finite number greater than 1";

    fn allows(value: f64) -> bool {
        value > 1.0 && value.is_finite()
    }
}

/// The largest [`Count`] where no other is named.
const LARGEST: u32 = u32::MAX;

/// A whole number from 1 to `MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Count<const MAX: u32 = LARGEST>(u32);

impl<const MAX: u32> Count<MAX> {
    /// Returns the number; a constant that is out of range is a mistake in this program.
    ///
    /// # Panics
    /// On 0 and above `MAX`.
    pub(crate) const fn constant(value: u32) -> Self {
        assert!(
            value > 0 && value <= MAX,
            "a count is from 1 to its largest"
        );
        Self(value)
    }

    /// Returns the number, if it is inside the range.
    pub(crate) fn new(value: usize) -> Option<Self> {
        Self::checked(i128::try_from(value).ok()?)
    }

    /// Returns the number.
    pub(crate) const fn get(self) -> usize {
        self.0 as usize
    }

    fn checked(value: i128) -> Option<Self> {
        u32::try_from(value)
            .ok()
            .filter(|value| (1..=MAX).contains(value))
            .map(Self)
    }
}

impl<const MAX: u32> FromStr for Count<MAX> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let value = text.trim().parse().ok().and_then(Self::checked);
        value.ok_or_else(|| format!("expected a whole number from 1 to {MAX}"))
    }
}

impl<'de, const MAX: u32> Deserialize<'de> for Count<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_u64(CountVisitor)
    }
}

struct CountVisitor<const MAX: u32>;

impl<const MAX: u32> Visitor<'_> for CountVisitor<MAX> {
    type Value = Count<MAX>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number from 1 to {MAX}")
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Self::Value, E> {
        Count::checked(value.into())
            .ok_or_else(|| E::invalid_value(Unexpected::Signed(value), &self))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Self::Value, E> {
        Count::checked(value.into())
            .ok_or_else(|| E::invalid_value(Unexpected::Unsigned(value), &self))
    }
}
