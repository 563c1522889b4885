//! The axes of a chart: ranges, ticks and their labels.

/// The ratio of the largest to the smallest value from which on a positive axis is logarithmic.
const LOG_RATIO: f64 = 30.0;

/// An axis from `low` to `high`, onto `0..=1`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Axis {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) log: bool,
}

impl Axis {
    /// Returns the axis of the finite values: logarithmic where it may be and the values are all
    /// positive and span much; with some room at both ends where `padded`.
    pub(super) fn of(values: impl Iterator<Item = f64>, may_log: bool, padded: bool) -> Self {
        let (low, high) = values
            .filter(|value| value.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(value), high.max(value))
            });
        if low > high {
            return Self {
                low: 0.0,
                high: 1.0,
                log: false,
            };
        }
        let log = may_log && low > 0.0 && high / low >= LOG_RATIO;
        let mut axis = Self { low, high, log };
        if low == high {
            let room = if low == 0.0 { 1.0 } else { 0.5 * low.abs() };
            axis.low = low - room;
            axis.high = high + room;
        } else if padded {
            let room = 0.04 * (axis.place(high) - axis.place(low));
            let (bottom, top) = (axis.value(-room), axis.value(1.0 + room));
            // Losses and norms that are never negative keep zero as their floor.
            axis.low = if low >= 0.0 && bottom < 0.0 {
                0.0
            } else {
                bottom
            };
            axis.high = top;
        }
        axis
    }

    /// Returns the place of a value in shares of the axis; outside `0..=1` for one outside.
    pub(super) fn place(self, value: f64) -> f64 {
        if self.log {
            (value.ln() - self.low.ln()) / (self.high.ln() - self.low.ln())
        } else {
            // Halves, because a difference of extremes may overflow.
            (0.5 * value - 0.5 * self.low) / (0.5 * self.high - 0.5 * self.low)
        }
    }

    fn value(self, place: f64) -> f64 {
        if self.log {
            (self.low.ln() + place * (self.high.ln() - self.low.ln())).exp()
        } else {
            self.low + place * (self.high - self.low)
        }
    }

    /// Returns about `count` values to label, within the axis.
    pub(super) fn ticks(self, count: usize) -> Vec<f64> {
        let inside = |value: &f64| (-1e-9..=1.0 + 1e-9).contains(&self.place(*value));
        if !self.log {
            return linear_ticks(self.low, self.high, count)
                .into_iter()
                .filter(inside)
                .collect();
        }
        let decades = (self.low.log10().floor(), self.high.log10().ceil());
        #[expect(
            clippy::cast_possible_truncation,
            reason = "exponents of an f64 are small"
        )]
        let (first, last) = (decades.0 as i32, decades.1 as i32);
        let of = |factors: &[f64], every: i32| -> Vec<f64> {
            (first..=last)
                .filter(|exponent| exponent.rem_euclid(every) == 0)
                .flat_map(|exponent| factors.iter().map(move |f| f * 10_f64.powi(exponent)))
                .filter(inside)
                .collect()
        };
        let fine = of(&[1.0, 2.0, 5.0], 1);
        if fine.len() <= count + 2 {
            return fine;
        }
        let mut every = 1;
        loop {
            let ticks = of(&[1.0], every);
            if ticks.len() <= count + 1 || every > 300 {
                return ticks;
            }
            every += 1;
        }
    }
}

fn linear_ticks(low: f64, high: f64, count: usize) -> Vec<f64> {
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let raw = (high - low) / count.max(1) as f64;
    if !raw.is_finite() || raw <= 0.0 {
        return vec![low, high];
    }
    let power = 10_f64.powf(raw.log10().floor());
    let factor = raw / power;
    let step = power
        * match factor {
            f if f <= 1.0 => 1.0,
            f if f <= 2.0 => 2.0,
            f if f <= 5.0 => 5.0,
            _ => 10.0,
        };
    let first = (low / step).ceil();
    (0..=count + 2)
        .map(|k| {
            #[expect(clippy::cast_precision_loss, reason = "a small number")]
            let value = (first + k as f64) * step;
            // Not the −0 of a product, nor what rounding leaves of zero.
            if value.abs() < 1e-9 * step {
                0.0
            } else {
                value
            }
        })
        .take_while(|value| *value <= high + 1e-9 * step)
        .collect()
}

/// Returns the label of a tick.
pub(super) fn label(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let size = value.abs();
    let text = if (1e-3..1e5).contains(&size) {
        // Eight digits: ticks have few, and the rest is rounding.
        let text = format!("{value:.8}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        let text = format!("{value:.3e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let digits = digits.trim_end_matches('0').trim_end_matches('.');
        format!("{digits}e{exponent}")
    };
    text.replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        let axis = Axis {
            low: -0.13,
            high: 1.02,
            log: false,
        };
        assert_eq!(axis.ticks(5), [0.0, 0.5, 1.0]);
        let axis = Axis {
            low: 3e-4,
            high: 20.0,
            log: true,
        };
        assert_eq!(axis.ticks(5), [1e-3, 1e-2, 0.1, 1.0, 10.0]);
        assert_eq!(label(1e-5), "1e−5");
        assert_eq!(label(-0.5), "−0.5");
        assert_eq!(label(20000.0), "20000");
    }

    #[test]
    fn one_value_and_none_have_an_axis() {
        let one = Axis::of([3.0].into_iter(), true, true);
        assert_eq!((one.low, one.high, one.place(3.0)), (1.5, 4.5, 0.5));
        let none = Axis::of([f64::NAN].into_iter(), true, true);
        assert_eq!((none.low, none.high), (0.0, 1.0));
        let zero = Axis::of([0.0, 0.0].into_iter(), true, true);
        assert_eq!((zero.low, zero.high), (-1.0, 1.0));
        let huge = Axis::of([-f64::MAX, f64::MAX].into_iter(), true, false);
        assert_eq!(huge.place(0.0), 0.5);
    }

    #[test]
    fn positive_values_that_span_much_are_logarithmic() {
        assert!(Axis::of([1e-3, 1.0].into_iter(), true, true).log);
        assert!(!Axis::of([0.0, 1.0].into_iter(), true, true).log);
        assert!(!Axis::of([0.5, 1.0].into_iter(), true, true).log);
    }
}
