//! An axis: from values to `0..=1` and to ticks with labels.

mod ticks;

pub(crate) use ticks::Ticks;

/// The scale of an axis or of a colour bar.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AxisScale {
    /// Logarithmic when every finite value is positive and the largest is at least a hundred times
    /// the smallest, linear otherwise.
    #[default]
    Auto,
    /// Equal differences are equally far apart.
    Linear,
    /// Equal ratios are equally far apart.
    Log,
}

/// The ratio of the extremes from which on `AxisScale::Auto` is logarithmic: two decades.
const AUTO_LOG_RATIO: f64 = 100.0;

/// The range of an axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Axis {
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) log: bool,
}

impl Axis {
    /// The axis of what has no finite value.
    pub(crate) const UNIT: Self = Self {
        low: 0.0,
        high: 1.0,
        log: false,
    };

    /// Returns the name of an axis, which says so where the scale is logarithmic.
    pub(crate) fn named(self, name: &str) -> String {
        if self.log {
            format!("{name} (log scale)")
        } else {
            name.to_owned()
        }
    }

    /// Returns the linear axis of the finite `values`, or [`UNIT`](Self::UNIT) when there are none.
    pub(crate) fn linear(values: impl Iterator<Item = f64>) -> Self {
        Self::of(values, AxisScale::Linear)
            .expect("a linear axis takes any value")
            .unwrap_or(Self::UNIT)
    }

    /// Returns the axis of the finite `values`, or `None` when there are none.
    ///
    /// `AxisScale::Log` with a value that is not positive gives that value as the error.
    pub(crate) fn of(
        values: impl Iterator<Item = f64>,
        scale: AxisScale,
    ) -> Result<Option<Self>, f64> {
        let (low, high) = values
            .filter(|v| v.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
                (low.min(v), high.max(v))
            });
        if low > high {
            return Ok(None);
        }
        let log = match scale {
            AxisScale::Auto => low > 0.0 && high / low >= AUTO_LOG_RATIO,
            AxisScale::Linear => false,
            AxisScale::Log if low > 0.0 => true,
            AxisScale::Log => return Err(low),
        };
        Ok(Some(Self { low, high, log }))
    }

    /// Returns the same axis with room at both ends: `share` of the range, or
    /// something sensible when the range is a point.
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

    /// Returns the place of `value`: 0 at `low`, 1 at `high`; 0.5 when the range is a point; NaN
    /// for what is not finite.
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
            Axis::of(values.iter().copied(), AxisScale::Auto)
                .unwrap()
                .unwrap()
                .log
        };
        assert!(log(&[0.01, 1.0, f64::NAN]));
        assert!(!log(&[0.02, 1.0]));
        assert!(!log(&[-0.01, 1.0]));
        assert_eq!(Axis::of([0.0, 1.0].into_iter(), AxisScale::Log), Err(0.0));
        assert_eq!(Axis::of([f64::NAN].into_iter(), AxisScale::Log), Ok(None));
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
