//! Round values on an axis, and their labels.

use super::Axis;
use crate::number::{fixed, power_of_ten, significant};

/// Places on an axis and the labels beside them.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Ticks {
    pub(crate) at: Vec<f64>,
    pub(crate) labels: Vec<String>,
    /// The number that was subtracted from every label, when the values differ only in their late
    /// digits.
    pub(crate) offset: Option<String>,
    /// The power of ten by which every label was divided, when the values are large or small.
    pub(crate) power: Option<i32>,
}

impl Axis {
    /// Returns about `wanted` round values with their labels.
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
        // A few more than wanted are better than the ends, which are not round.
        (wanted..wanted + 4)
            .find_map(|wanted| linear_ticks(self.low, self.high, wanted))
            .unwrap_or_else(|| ends(self.low, self.high))
    }
}

/// Returns the smallest of 1, 2, 5 times a power of ten that is at least `step`, as multiple and
/// exponent.
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

/// Returns 10 to the power `exponent`, correctly rounded by the parser.
fn ten(exponent: i32) -> f64 {
    format!("1e{exponent}")
        .parse()
        .expect("an integer power of ten is a number")
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the exponent of a finite f64 lies between -324 and 308"
)]
/// Returns about `wanted` round values, or `None` where fewer than two lie between the ends.
fn linear_ticks(low: f64, high: f64, wanted: usize) -> Option<Ticks> {
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
        // Dividing by a power of ten is exact where multiplying by its inverse is not: 3 / 10 is
        // 0.3, 3 * 0.1 is not.
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
        return None;
    }
    // Six digits fit beside an axis; values that need more are written as their distance from the
    // first.
    if largest / step > 1e6 {
        let base = at[0];
        let labels = at.iter().map(|v| significant(v - base, 2)).collect();
        return Some(Ticks {
            offset: Some(significant(base, 9)),
            labels,
            at,
            power: None,
        });
    }
    if (1e-3 * 0.999..1e5).contains(&largest) && exponent >= -5 {
        let decimals = usize::try_from((-exponent).max(0)).expect("not negative");
        let labels = at.iter().map(|v| fixed(*v, decimals)).collect();
        return Some(Ticks {
            at,
            labels,
            ..Ticks::default()
        });
    }
    let power = largest.log10().floor().max(-300.0) as i32;
    let decimals = usize::try_from((power - exponent).max(0)).expect("not negative");
    let labels = at.iter().map(|v| fixed(v / ten(power), decimals)).collect();
    Some(Ticks {
        at,
        labels,
        power: Some(power),
        offset: None,
    })
}

/// Returns the ends of the axis, where no two round values lie between them.
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
