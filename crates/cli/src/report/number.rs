//! Numbers in JSON that may not be finite, and numbers in tables.

use std::fmt;

use serde::de::{self, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A number that is written into JSON as a number, or as "NaN", "inf" or "-inf".
#[derive(Debug, Clone, Copy)]
pub(crate) struct Number(pub(crate) f64);

impl PartialEq for Number {
    /// Compares by bits, so that a NaN equals itself and a comparison of summaries is exact.
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_finite() {
            serializer.serialize_f64(self.0)
        } else {
            serializer.collect_str(&self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberVisitor)
    }
}

struct NumberVisitor;

impl Visitor<'_> for NumberVisitor {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, \"NaN\", \"inf\" or \"-inf\"")
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Number, E> {
        Ok(Number(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Number, E> {
        Ok(Number(value as f64))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Number, E> {
        Ok(Number(value as f64))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
        match text {
            "NaN" => Ok(Number(f64::NAN)),
            "inf" => Ok(Number(f64::INFINITY)),
            "-inf" => Ok(Number(f64::NEG_INFINITY)),
            _ => Err(E::invalid_value(Unexpected::Str(text), &self)),
        }
    }
}

/// Returns `value` to `digits` significant digits, without an exponent where it reads well.
pub(crate) fn significant(value: f64, digits: usize) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let magnitude = value.abs();
    if (1e-3..1e6).contains(&magnitude) {
        // The number of digits before the point, at most 6, is exact here.
        let before = (1..7).find(|n| magnitude < 10f64.powi(*n)).unwrap_or(6);
        let zeros = (1..4).filter(|n| magnitude < 10f64.powi(-n)).count();
        let leading = if magnitude < 1.0 { zeros } else { 0 };
        let whole = if magnitude < 1.0 {
            0
        } else {
            usize::try_from(before).unwrap_or(1)
        };
        let decimals = (digits + leading).saturating_sub(whole);
        format!("{value:.decimals$}")
    } else {
        format!("{value:.*e}", digits.saturating_sub(1))
    }
}

/// Returns `value` as short as it reads back, with an exponent where it would be long without: a
/// setting in a sentence.
pub(crate) fn plain_number(value: f64) -> String {
    let magnitude = value.abs();
    if value == 0.0 || (1e-5..1e15).contains(&magnitude) {
        value.to_string()
    } else {
        format!("{value:e}")
    }
}

/// Returns a mean and a standard deviation, both to the second significant digit of the latter.
pub(crate) fn with_spread(mean: f64, deviation: f64) -> String {
    if !reads_well(mean, deviation) {
        return format!("{} ± {}", significant(mean, 4), significant(deviation, 2));
    }
    if mean.abs() < 1e-3 && deviation < 1e-3 {
        // Both with the exponent of the larger one.
        let exponent = exponent(mean.abs().max(deviation));
        let digits = |value: f64| value / 10f64.powi(exponent);
        let decimals = decimals(digits(deviation));
        return format!(
            "({:.decimals$} ± {:.decimals$})e{exponent}",
            digits(mean),
            digits(deviation)
        );
    }
    let decimals = decimals(deviation);
    format!("{mean:.decimals$} ± {deviation:.decimals$}")
}

/// Returns a value and its error: as [`with_spread`], but short where the error is far below the
/// value.
pub(crate) fn with_error(value: f64, error: f64) -> String {
    if error < 1e-3 * value.abs() {
        format!("{} ± {}", significant(value, 4), significant(error, 2))
    } else {
        with_spread(value, error)
    }
}

/// Returns a difference and its interval, all to the second significant digit of half the width.
pub(crate) fn with_interval(difference: f64, half_width: f64) -> String {
    let (low, high) = (difference - half_width, difference + half_width);
    if !reads_well(difference, half_width) {
        let digits = |value| significant(value, 3);
        return format!("{} [{}, {}]", digits(difference), digits(low), digits(high));
    }
    let largest = difference.abs().max(half_width);
    let exponent = if largest < 1e-3 { exponent(largest) } else { 0 };
    let digits = |value: f64| value / 10f64.powi(exponent);
    let decimals = decimals(digits(half_width));
    let text = format!(
        "{:.decimals$} [{:.decimals$}, {:.decimals$}]",
        digits(difference),
        digits(low),
        digits(high)
    );
    match exponent {
        0 => text,
        exponent => format!("({text})e{exponent}"),
    }
}

/// Returns whether a value can be written with as many decimals as its uncertainty has.
fn reads_well(value: f64, uncertainty: f64) -> bool {
    let largest = value.abs().max(uncertainty);
    // Not so of numbers that are not finite.
    uncertainty > 1e-4 * value.abs() && uncertainty >= 1e-9 && largest < 1e6
}

/// Returns the power of ten below a number from 1e-9 to 1.
fn exponent(value: f64) -> i32 {
    (-9..0)
        .rev()
        .find(|n| value >= 10f64.powi(*n))
        .unwrap_or(-9)
}

/// Decimals down to the second significant digit of a number from 1e-9 to 1e6.
fn decimals(value: f64) -> usize {
    // The digit that rounding makes: 0.0996 is shown as 0.10.
    (0..10)
        .find(|n: &i32| value * 10f64.powi(*n) >= 9.95)
        .and_then(|n| usize::try_from(n).ok())
        .unwrap_or(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_are_not_finite_survive_json() {
        for value in [1.5, -3.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let text = serde_json::to_string(&Number(value)).unwrap();
            let back: Number = serde_json::from_str(&text).unwrap();
            assert_eq!(back, Number(value), "{text}");
        }
        assert_eq!(serde_json::to_string(&Number(f64::NAN)).unwrap(), "\"NaN\"");
    }

    #[test]
    fn significant_digits_are_kept_in_every_magnitude() {
        assert_eq!(significant(812.44, 4), "812.4");
        assert_eq!(significant(0.012_345, 3), "0.0123");
        assert_eq!(significant(9.999, 2), "10.0");
        assert_eq!(significant(1.25e-7, 3), "1.25e-7");
        assert_eq!(significant(f64::NAN, 3), "NaN");
    }

    #[test]
    fn spread_and_mean_end_at_the_same_digit() {
        for (mean, deviation, text) in [
            (0.12166, 0.00541, "0.1217 ± 0.0054"),
            (0.9610, 0.0996, "0.96 ± 0.10"),
            (5.6471, 0.283, "5.65 ± 0.28"),
            (812.4, 95.3, "812 ± 95"),
            (4.9e-4, 1.13e-5, "(4.90 ± 0.11)e-4"),
            (2.0e-7, 9.3e-8, "(2.00 ± 0.93)e-7"),
            (1.0, 0.0, "1.000 ± 0"),
            (0.5, 2e-8, "0.5000 ± 2.0e-8"),
            (f64::NAN, 1.0, "NaN ± 1.0"),
        ] {
            assert_eq!(with_spread(mean, deviation), text);
        }
    }

    #[test]
    fn error_far_below_its_value_is_short() {
        for (value, error, text) in [
            (-0.003_394_7, 2.5e-6, "-0.003395 ± 2.5e-6"),
            (0.8849, 2.6e-7, "0.8849 ± 2.6e-7"),
            (5.6471, 0.283, "5.65 ± 0.28"),
            (0.0, 0.0, "0 ± 0"),
            (f64::NAN, f64::NAN, "NaN ± NaN"),
        ] {
            assert_eq!(with_error(value, error), text);
        }
    }

    #[test]
    fn interval_and_difference_end_at_the_same_digit() {
        for (difference, half_width, text) in [
            (-0.523, 0.0751, "-0.523 [-0.598, -0.448]"),
            (0.00613, 0.00619, "0.0061 [-0.0001, 0.0123]"),
            (-1.84e-4, 8.0e-5, "(-1.84 [-2.64, -1.04])e-4"),
            (0.0, 0.0, "0 [0, 0]"),
            (12.0, 30.5, "12 [-18, 42]"),
        ] {
            assert_eq!(with_interval(difference, half_width), text);
        }
    }

    #[test]
    fn settings_are_short_and_read_back_as_they_were() {
        for (value, text) in [
            (0.05, "0.05"),
            (1e308, "1e308"),
            (2.5e-300, "2.5e-300"),
            (0.0, "0"),
            (100_000.0, "100000"),
        ] {
            assert_eq!(plain_number(value), text);
            assert_eq!(text.parse(), Ok(value));
        }
    }
}
