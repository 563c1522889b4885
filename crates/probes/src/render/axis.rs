//! A scale with its ticks: from values to `0..=1` and to labels.

use serde::{Deserialize, Serialize};

use super::number::{fixed, power_of_ten, significant};

/// How values are spread over an axis or a colour bar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// Logarithmic when every finite value is positive and the largest is at least a hundred times the smallest, linear otherwise.
    #[default]
    Auto,
    /// Equal differences are equally far apart.
    Linear,
    /// Equal ratios are equally far apart.
    Log,
}

/// From how large a ratio of the extremes `Scale::Auto` is logarithmic: two decades.
const AUTO_LOG_RATIO: f64 = 100.0;

/// The range of an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Axis {
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) log: bool,
}

/// Where the ticks are and what stands beside them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Ticks {
    pub(crate) at: Vec<f64>,
    pub(crate) labels: Vec<String>,
    /// What has been subtracted from every label, when the values differ only in their late digits.
    pub(crate) offset: Option<String>,
    /// The power of ten by which every label has been divided, when the values are large or small.
    pub(crate) power: Option<i32>,
}

impl Axis {
    /// The axis of the finite `values`, or `None` when there are none.
    ///
    /// `Scale::Log` with a value that is not positive gives that value as the error.
    pub(crate) fn of(values: impl Iterator<Item = f64>, scale: Scale) -> Result<Option<Self>, f64> {
        let (low, high) = values
            .filter(|v| v.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
                (low.min(v), high.max(v))
            });
        if low > high {
            return Ok(None);
        }
        let log = match scale {
            Scale::Auto => low > 0.0 && high / low >= AUTO_LOG_RATIO,
            Scale::Linear => false,
            Scale::Log if low > 0.0 => true,
            Scale::Log => return Err(low),
        };
        Ok(Some(Self { low, high, log }))
    }

    /// The same axis with room at both ends: `share` of the range, or something sensible when the range is a point.
    pub(crate) fn padded(self, share: f64) -> Self {
        let limit = |v: f64| v.clamp(-f64::MAX, f64::MAX);
        if self.log {
            let ratio = if self.high > self.low {
                (self.high.ln() - self.low.ln()) * share
            } else {
                1.0
            };
            return Self {
                low: (self.low.ln() - ratio).exp().max(f64::MIN_POSITIVE),
                high: limit((self.high.ln() + ratio).exp()),
                log: true,
            };
        }
        let room = if self.high > self.low {
            self.high * share - self.low * share
        } else if self.low == 0.0 {
            0.5
        } else {
            self.low.abs() * 0.1
        };
        Self {
            low: limit(self.low - room),
            high: limit(self.high + room),
            log: false,
        }
    }

    /// Where `value` lies: 0 at `low`, 1 at `high`; 0.5 when the range is a point; NaN for what is not finite.
    pub(crate) fn unit(&self, value: f64) -> f64 {
        if !value.is_finite() {
            return f64::NAN;
        }
        let (low, high, value) = if self.log {
            if value <= 0.0 {
                return f64::NAN;
            }
            (self.low.ln(), self.high.ln(), value.ln())
        } else {
            // Quarters keep differences of huge values finite.
            (self.low / 4.0, self.high / 4.0, value / 4.0)
        };
        if high > low {
            (value - low) / (high - low)
        } else {
            0.5
        }
    }

    /// About `wanted` round values with their labels.
    pub(crate) fn ticks(&self, wanted: usize) -> Ticks {
        let wanted = wanted.max(2);
        if self.high <= self.low || self.high.is_nan() || self.low.is_nan() {
            return Ticks {
                at: vec![self.low],
                labels: vec![significant(self.low, 4)],
                ..Ticks::default()
            };
        }
        if self.log {
            let ticks = log_ticks(self.low, self.high, wanted);
            if ticks.at.len() >= 2 {
                return ticks;
            } else if self.high / self.low >= 10.0 {
                return ends(self.low, self.high);
            }
        }
        linear_ticks(self.low, self.high, wanted)
    }
}

/// The smallest of 1, 2, 5 times a power of ten that is at least `step`, as multiple and exponent.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the exponent of a finite f64 lies between -324 and 308"
)]
fn round_step(step: f64) -> (f64, i32) {
    let mut exponent = step.log10().floor() as i32;
    loop {
        for multiple in [1.0, 2.0, 5.0] {
            // The margin keeps a step such as 0.2 from becoming 0.5 by rounding.
            if multiple * ten(exponent) >= step * (1.0 - 1e-9) {
                return (multiple, exponent);
            }
        }
        if exponent >= 308 {
            return (1.0, 308);
        }
        exponent += 1;
    }
}

/// 10 to the power `exponent`, correctly rounded by the parser.
fn ten(exponent: i32) -> f64 {
    format!("1e{exponent}").parse().unwrap_or(f64::MAX)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the exponent of a finite f64 lies between -324 and 308"
)]
fn linear_ticks(low: f64, high: f64, wanted: usize) -> Ticks {
    let parts = wanted as f64;
    // Steps below the spacing of doubles would not move from one tick to the next.
    let spacing = low.abs().max(high.abs()) * f64::EPSILON;
    let rough = (high / parts - low / parts)
        .max(spacing)
        .max(f64::MIN_POSITIVE);
    let (multiple, exponent) = round_step(rough);
    let step = multiple * ten(exponent);
    // A little slack keeps the ends of a range such as -1..1 although 0.1 has no exact double.
    let slack = 1e-9;
    let (first, last) = ((low / step - slack).ceil(), (high / step + slack).floor());
    let mut at: Vec<f64> = Vec::new();
    for offset in 0..=4 * wanted {
        let i = first + offset as f64;
        if i > last {
            break;
        }
        // Dividing by a power of ten is exact where multiplying by its inverse is not: 3 / 10 is 0.3, 3 * 0.1 is not.
        let value = if exponent < 0 && exponent > -300 {
            i * multiple / ten(-exponent)
        } else {
            i * step
        };
        if value.is_finite() && at.last().is_none_or(|v| *v < value) {
            at.push(value);
        }
    }
    let largest = at.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    if at.len() < 2 || largest == 0.0 {
        return ends(low, high);
    }
    // Six digits fit beside an axis; values that need more are written as their distance from the first.
    if largest / step > 1e6 {
        let base = at[0];
        let labels = at.iter().map(|v| significant(v - base, 2)).collect();
        return Ticks {
            offset: Some(significant(base, 9)),
            labels,
            at,
            power: None,
        };
    }
    if (1e-3 * 0.999..1e5).contains(&largest) && exponent >= -5 {
        let decimals = usize::try_from(-exponent).unwrap_or(0);
        let labels = at.iter().map(|v| fixed(*v, decimals)).collect();
        return Ticks {
            at,
            labels,
            ..Ticks::default()
        };
    }
    let power = largest.log10().floor().max(-300.0) as i32;
    let decimals = usize::try_from(power - exponent).unwrap_or(0);
    let labels = at.iter().map(|v| fixed(v / ten(power), decimals)).collect();
    Ticks {
        at,
        labels,
        power: Some(power),
        offset: None,
    }
}

/// The ends of the axis, where no two round values lie between them.
fn ends(low: f64, high: f64) -> Ticks {
    let ends = [low, high];
    Ticks {
        at: ends.to_vec(),
        labels: ends.map(|v| significant(v, 4)).to_vec(),
        ..Ticks::default()
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "exponents of finite doubles are small integers"
)]
fn log_ticks(low: f64, high: f64, wanted: usize) -> Ticks {
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let decades = high.log10() - low.log10();
    let stride = (decades / wanted as f64).ceil().max(1.0) as i32;
    let (from, to) = (low * (1.0 - 1e-9), high * (1.0 + 1e-9));
    let with = |multiples: &'static [u32]| -> Vec<(u32, i32)> {
        (first..=last)
            .filter(|k| k.rem_euclid(stride) == 0)
            .flat_map(|k| multiples.iter().map(move |m| (*m, k)))
            .filter(|(m, k)| (from..=to).contains(&(f64::from(*m) * ten(*k))))
            .collect()
    };
    // The densest that is not more than wanted.
    let denser = [with(&[1, 2, 5]), with(&[1, 3])];
    let fitting = denser
        .into_iter()
        .find(|ticks| stride == 1 && ticks.len() <= wanted);
    let chosen = fitting.unwrap_or_else(|| with(&[1]));
    let at: Vec<f64> = chosen
        .iter()
        .map(|(m, k)| f64::from(*m) * ten(*k))
        .collect();
    let decimal = at.iter().all(|v| (1e-3 * 0.999..2e4).contains(v));
    let labels = chosen
        .iter()
        .zip(&at)
        .map(|((m, k), v)| {
            if decimal {
                significant(*v, 1)
            } else {
                power_of_ten(*m, *k)
            }
        })
        .collect();
    Ticks {
        at,
        labels,
        ..Ticks::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(low: f64, high: f64, log: bool) -> Axis {
        Axis { low, high, log }
    }

    #[test]
    fn linear_ticks_are_round_and_reach_the_ends() {
        assert_eq!(
            axis(-1.0, 1.0, false).ticks(5).labels,
            ["−1.0", "−0.5", "0.0", "0.5", "1.0"]
        );
        assert_eq!(axis(0.0, 0.3, false).ticks(3).at, [0.0, 0.1, 0.2, 0.3]);
        let small = axis(0.0, 2e-5, false).ticks(4);
        assert_eq!(
            (small.labels, small.power),
            (
                ["0.0", "0.5", "1.0", "1.5", "2.0"]
                    .map(String::from)
                    .to_vec(),
                Some(-5)
            )
        );
    }

    #[test]
    fn log_ticks_are_powers_of_ten_over_many_decades_and_denser_over_few() {
        assert_eq!(
            axis(2e-3, 4.0, true).ticks(8).labels,
            ["0.003", "0.01", "0.03", "0.1", "0.3", "1", "3"]
        );
        assert_eq!(
            axis(1e-6, 1e2, true)
                .ticks(10)
                .labels
                .first()
                .map(String::as_str),
            Some("10⁻⁶")
        );
        assert_eq!(
            axis(0.1, 10.0, true).ticks(8).labels,
            ["0.1", "0.2", "0.5", "1", "2", "5", "10"]
        );
    }

    #[test]
    fn close_values_are_written_as_an_offset() {
        let ticks = axis(0.423_147_18, 0.423_147_20, false).ticks(4);
        assert!(ticks.offset.is_some_and(|o| o.starts_with("0.42314718")));
        assert_eq!(ticks.labels[1], "5×10⁻⁹");
    }

    #[test]
    fn scale_is_logarithmic_by_itself_only_for_positive_values_over_two_decades() {
        let log = |values: &[f64]| {
            Axis::of(values.iter().copied(), Scale::Auto)
                .unwrap()
                .unwrap()
                .log
        };
        assert!(log(&[0.01, 1.0, f64::NAN]));
        assert!(!log(&[0.02, 1.0]));
        assert!(!log(&[-0.01, 1.0]));
        assert_eq!(Axis::of([0.0, 1.0].into_iter(), Scale::Log), Err(0.0));
        assert_eq!(Axis::of([f64::NAN].into_iter(), Scale::Log), Ok(None));
    }

    #[test]
    fn unit_is_finite_for_huge_ranges() {
        let huge = axis(-f64::MAX, f64::MAX, false);
        assert_eq!(
            (huge.unit(-f64::MAX), huge.unit(0.0), huge.unit(f64::MAX)),
            (0.0, 0.5, 1.0)
        );
        assert_eq!(axis(1.0, 1.0, false).unit(1.0), 0.5);
        assert!(axis(1.0, 2.0, false).unit(f64::INFINITY).is_nan());
    }

    proptest::proptest! {
        #[test]
        fn ticks_lie_on_the_axis_and_increase(low in proptest::num::f64::NORMAL, width in 0.0..1e300_f64, log: bool, wanted in 0_usize..20) {
            let low = if log { low.abs() } else { low };
            let axis = axis(low, (low + width).clamp(-f64::MAX, f64::MAX), log);
            let ticks = axis.ticks(wanted);
            proptest::prop_assert!(!ticks.at.is_empty() && ticks.at.len() == ticks.labels.len() && ticks.at.len() <= 100);
            proptest::prop_assert!(ticks.at.windows(2).all(|w| w[0] < w[1]), "{:?}", ticks);
            proptest::prop_assert!(ticks.at.iter().all(|v| (-1e-6..=1.0 + 1e-6).contains(&axis.unit(*v))), "{:?} {:?}", axis, ticks);
        }
    }
}
