//! The result of the range test.

use std::fmt;

use super::config::LearningRateConfig;
use super::limits::RateLimits;
use super::smooth::{delay, least, steepest};
use crate::analysis::with_error;

/// A learning rate with the range over the orders of the batches, or where there is one order only
/// over the neighbouring rates of the test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// The rate: the geometric mean over the orders.
    pub value: f64,
    /// The lowest.
    pub lowest: f64,
    /// The highest.
    pub highest: f64,
}

/// The course of a test with one order of the batches.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RateCourse {
    /// The seed of the order; none for the order as given.
    pub seed: Option<u64>,
    /// The loss of the first batch before the first step.
    pub start: f64,
    /// The rates up to the end of the test or to the divergence.
    pub rates: Vec<f64>,
    /// The loss after the step with each rate: that of the next batch.
    pub losses: Vec<f64>,
    /// The same, smoothed, up to the first that is not finite.
    pub smoothed: Vec<f64>,
    /// Whether the loss diverged at the last of them.
    pub diverged: bool,
}

/// The result of [`learning_rate_test`](super::learning_rate_test).
///
/// Its [`Display`](fmt::Display) is a few lines of at most 80 columns.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct LearningRateTest {
    /// The settings.
    pub config: LearningRateConfig,
    /// The course with each order of the batches.
    pub courses: Vec<RateCourse>,
    /// The rate at which the smoothed loss falls fastest over the logarithm of the rate, before
    /// its least value. None where it falls nowhere.
    pub suggestion: Option<Rate>,
    /// A tenth of the rate at which the loss diverges.
    pub tenth_of_divergence: Option<Rate>,
    /// The rate after which the smoothed loss is least: the largest that still lowered it.
    pub largest_stable: Option<Rate>,
    /// The rate at which the loss had diverged. None where it did not in any course.
    pub divergence: Option<Rate>,
    /// What the curvature says of the largest stable rate.
    pub limits: Option<RateLimits>,
}

impl RateCourse {
    /// Returns the rate at a place of the smoothed loss, earlier by the delay of the smoothing.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a place in the course"
    )]
    pub(super) fn rate_at(&self, place: usize, beta: f64) -> f64 {
        let place = (place as f64 - delay(place + 1, beta)).max(0.0);
        let below = place.floor() as usize;
        let above = (below + 1).min(self.rates.len() - 1);
        let (low, high) = (self.rates[below].ln(), self.rates[above].ln());
        if below == above || place.fract() == 0.0 {
            return self.rates[below];
        }
        (low + place.fract() * (high - low)).exp()
    }
}

impl LearningRateTest {
    pub(super) fn of(
        config: LearningRateConfig,
        courses: Vec<RateCourse>,
        limits: Option<RateLimits>,
    ) -> Self {
        let beta = config.smoothing;
        let over = |rate: &dyn Fn(&RateCourse) -> Option<f64>| Rate::over(&courses, &config, rate);
        let at = |course: &RateCourse, place: Option<usize>| {
            place.map(|place| course.rate_at(place, beta))
        };
        let divergence = over(&|course| {
            let last = course.rates.last().copied();
            last.filter(|_| course.diverged)
        });
        Self {
            suggestion: over(&|course| at(course, steepest(&course.smoothed))),
            tenth_of_divergence: divergence.map(|rate| Rate {
                value: 0.1 * rate.value,
                lowest: 0.1 * rate.lowest,
                highest: 0.1 * rate.highest,
            }),
            largest_stable: over(&|course| {
                let place = least(&course.smoothed)?;
                (course.smoothed[place] < course.start).then(|| course.rate_at(place, beta))
            }),
            divergence,
            config,
            courses,
            limits,
        }
    }
}

impl Rate {
    /// Returns the mean and the range over the courses that have the rate.
    #[expect(clippy::cast_precision_loss, reason = "a number of courses")]
    fn over(
        courses: &[RateCourse],
        config: &LearningRateConfig,
        rate: &dyn Fn(&RateCourse) -> Option<f64>,
    ) -> Option<Self> {
        let rates: Vec<f64> = courses.iter().filter_map(rate).collect();
        if rates.is_empty() {
            return None;
        }
        let factor = match config.rates()[..] {
            [first, second, ..] if rates.len() == 1 => second / first,
            _ => 1.0,
        };
        let logarithms = rates.iter().map(|rate| rate.ln());
        Some(Self {
            value: match rates[..] {
                [rate] => rate,
                _ => (logarithms.sum::<f64>() / rates.len() as f64).exp(),
            },
            lowest: rates.iter().copied().fold(f64::INFINITY, f64::min) / factor,
            highest: rates.iter().copied().fold(0.0, f64::max) * factor,
        })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [value, lowest, highest] = [self.value, self.lowest, self.highest].map(two_digits);
        write!(f, "{value} ({lowest} to {highest})")
    }
}

/// Returns a rate with two digits: more would not be believed.
pub(crate) fn two_digits(rate: f64) -> String {
    if (1e-3..1e3).contains(&rate) {
        let text = format!("{rate:.1e}");
        text.parse::<f64>()
            .map_or(text, |rounded| rounded.to_string())
    } else {
        format!("{rate:.1e}")
    }
}

impl fmt::Display for LearningRateTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (config, courses) = (&self.config, &self.courses);
        writeln!(
            f,
            "Learning rate test: {} steps from {} to {}, {} order(s) of the batches",
            config.steps,
            two_digits(config.lowest),
            two_digits(config.highest),
            courses.len()
        )?;
        if !courses[0].start.is_finite() {
            return write!(
                f,
                "The loss is {} before the first step: there is nothing to test.",
                courses[0].start
            );
        }
        let mut line = |name: &str, rate: Option<Rate>, what: &str, none: &str| match rate {
            Some(rate) => writeln!(f, "{name:21} {rate}{what}"),
            None => writeln!(f, "{name:21} {none}"),
        };
        line(
            "Suggestion",
            self.suggestion,
            ", where the loss falls fastest",
            "none: the loss falls at no rate",
        )?;
        line(
            "Tenth of divergence",
            self.tenth_of_divergence,
            "",
            "none: the loss did not diverge",
        )?;
        line(
            "Largest stable",
            self.largest_stable,
            ", after it the loss rises",
            "none: no step lowered the loss",
        )?;
        match &self.limits {
            Some(limits) => write!(f, "{}", self.compared(limits)),
            None => write!(f, "{:21} not measured", "lambda_1"),
        }
    }
}

impl LearningRateTest {
    /// Returns what the curvature says, beside what the test says.
    fn compared(&self, limits: &RateLimits) -> String {
        let lambda = with_error(limits.lambda_1.value, limits.lambda_1.residual);
        let Some(gradient_descent) = limits.gradient_descent else {
            return format!("{:21} {lambda}: it limits no rate", "lambda_1");
        };
        let mut text = format!(
            "{:21} {lambda}: gradient descent is stable below {}",
            "lambda_1",
            two_digits(gradient_descent)
        );
        let limit = match (limits.own, limits.optimiser) {
            (Some(own), _) => {
                text += &format!("\n{:21} stable below {}", "This optimiser", two_digits(own));
                own
            }
            (None, Some(optimiser)) if optimiser.is_preconditioned() => {
                text += &format!(
                    "\n{:21} has a limit of its own, which needs its second moments",
                    "This optimiser"
                );
                return text;
            }
            (None, _) => gradient_descent,
        };
        if let Some(stable) = self.largest_stable {
            let ratio = stable.value / limit;
            let verdict = if stable.lowest <= limit && limit <= stable.highest {
                "agrees with the test".to_owned()
            } else {
                format!(
                    "at the start; the test went to {} times that",
                    two_digits(ratio)
                )
            };
            text += &format!("\n{:21} {verdict}", "");
        }
        text
    }
}
