//! Means, standard deviations, and 95 % intervals of differences between two samples.
//!
//! The intervals are Student's: for the mean difference of pairs with n − 1 degrees of freedom, for
//! two samples without pairs with those of Welch and Satterthwaite.
//!
//! B. L. Welch, "The generalization of 'Student's' problem when several different population
//! variances are involved", Biometrika 34 (1947), pages 28 to 35.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// The share of such intervals that hold the true difference.
const CONFIDENCE: f64 = 0.95;

/// An interval around a difference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Interval {
    /// The difference of the means.
    pub(crate) difference: f64,
    /// Half the width of the interval.
    pub(crate) half_width: f64,
}

impl Interval {
    /// Returns the lower end.
    pub(crate) fn low(self) -> f64 {
        self.difference - self.half_width
    }

    /// Returns the upper end.
    pub(crate) fn high(self) -> f64 {
        self.difference + self.half_width
    }

    /// Returns whether 0 lies outside.
    pub(crate) fn excludes_zero(self) -> bool {
        self.difference.abs() > self.half_width
    }
}

/// Returns the mean, Σᵢ xᵢ / n; NaN of nothing.
pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Returns the standard deviation √(Σᵢ (xᵢ − x̄)² / (n − 1)); NaN below two values.
pub(crate) fn standard_deviation(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return f64::NAN;
    }
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / (values.len() - 1) as f64).sqrt()
}

/// Returns the mean of bᵢ − aᵢ with its 95 % interval; none below two pairs.
pub(crate) fn paired(a: &[f64], b: &[f64]) -> Option<Interval> {
    if a.len() != b.len() || a.len() < 2 {
        return None;
    }
    let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| b - a).collect();
    let n = differences.len() as f64;
    let error = standard_deviation(&differences) / n.sqrt();
    Some(Interval {
        difference: mean(&differences),
        half_width: quantile(n - 1.0) * error,
    })
}

/// Returns the difference b̄ − ā of two samples without pairs, with Welch's 95 % interval; none
/// below two values in each.
pub(crate) fn welch(a: &[f64], b: &[f64]) -> Option<Interval> {
    if a.len() < 2 || b.len() < 2 {
        return None;
    }
    let square = |values: &[f64]| standard_deviation(values).powi(2) / values.len() as f64;
    let (of_a, of_b) = (square(a), square(b));
    let difference = mean(b) - mean(a);
    if of_a + of_b == 0.0 {
        return Some(Interval {
            difference,
            half_width: 0.0,
        });
    }
    let share = |part: f64, n: usize| (part / (of_a + of_b)).powi(2) / (n - 1) as f64;
    let freedom = 1.0 / (share(of_a, a.len()) + share(of_b, b.len()));
    Some(Interval {
        difference,
        half_width: quantile(freedom) * (of_a + of_b).sqrt(),
    })
}

/// Returns the quantile of Student's distribution beyond which half of what the interval leaves out
/// lies.
fn quantile(freedom: f64) -> f64 {
    if !freedom.is_finite() {
        return f64::NAN;
    }
    StudentsT::new(0.0, 1.0, freedom)
        .expect("degrees of freedom are positive")
        .inverse_cdf(0.5 + CONFIDENCE / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares with what scipy 1.x gives, which is correct to more digits than these.
    #[track_caller]
    fn near(found: f64, expected: f64) {
        let error = (found - expected).abs();
        assert!(error <= 1e-9 * expected.abs(), "{found} and {expected}");
    }

    const SGD: [f64; 5] = [0.1291, 0.1172, 0.1407, 0.1330, 0.1215];
    const SAM: [f64; 5] = [0.0993, 0.1101, 0.1256, 0.1099, 0.1130];

    #[test]
    fn quantiles_are_those_of_scipy_also_between_whole_degrees_of_freedom() {
        // scipy.stats.t.ppf(0.975, v)
        for (freedom, expected) in [
            (1.0, 12.706204736174694),
            (2.0, 4.302652729749462),
            (4.0, 2.7764451051977934),
            (9.0, 2.262157162798205),
            (29.0, 2.045229642132703),
            (3.7, 2.8675207071911895),
            (1.3, 7.500529325562029),
            (57.25, 2.002275964601987),
        ] {
            near(quantile(freedom), expected);
        }
    }

    #[test]
    fn paired_interval_is_that_of_scipy() {
        // scipy.stats.ttest_rel(SAM, SGD).confidence_interval(0.95)
        let interval = paired(&SGD, &SAM).unwrap();
        near(interval.difference, -0.01672);
        near(interval.low(), -0.028734791512408833);
        near(interval.high(), -0.0047052084875911625);
        assert!(interval.excludes_zero());
    }

    #[test]
    fn interval_of_welch_is_that_of_scipy() {
        // scipy.stats.ttest_ind(b, a, equal_var=False).confidence_interval(0.95)
        let interval = welch(&SGD, &SAM).unwrap();
        near(interval.low(), -0.0303660459487244);
        near(interval.high(), -0.0030739540512756246);
        let (a, b) = (
            [5.6, 7.1, 4.2, 9.9],
            [1.25, 1.5, 1.31, 1.44, 1.27, 1.61, 1.12],
        );
        let interval = welch(&a, &b).unwrap();
        near(interval.low(), -9.218799805351091);
        near(interval.high(), -1.4669144803631915);
    }

    #[test]
    fn standard_deviation_divides_by_one_less_than_there_are() {
        // numpy.std(.., ddof=1)
        near(standard_deviation(&SGD), 0.009299731178910496);
        near(standard_deviation(&[1.0, 3.0]), 2f64.sqrt());
        assert!(standard_deviation(&[1.0]).is_nan());
    }

    #[test]
    fn interval_scales_with_the_numbers() {
        for of in [paired, welch] {
            let scaled = |values: [f64; 5]| values.map(|value| value * 1e-6);
            let (one, other) = (
                of(&SGD, &SAM).unwrap(),
                of(&scaled(SGD), &scaled(SAM)).unwrap(),
            );
            near(other.difference, 1e-6 * one.difference);
            near(other.half_width, 1e-6 * one.half_width);
        }
    }

    #[test]
    fn samples_without_spread_have_an_interval_of_no_width() {
        for of in [paired, welch] {
            let same = of(&[0.5, 0.5], &[0.5, 0.5]).unwrap();
            assert_eq!((same.difference, same.half_width), (0.0, 0.0));
            assert!(!same.excludes_zero());
            assert!(of(&[0.5, 0.5], &[0.75, 0.75]).unwrap().excludes_zero());
            assert_eq!(of(&[0.5], &[0.75]), None);
        }
    }

    #[test]
    fn nothing_is_told_apart_by_numbers_that_are_not_finite() {
        for of in [paired, welch] {
            let interval = of(&[0.5, f64::NAN], &[1.5, 1.6]).unwrap();
            assert!(!interval.excludes_zero());
        }
    }
}
