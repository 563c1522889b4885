//! A Euclidean norm over all parameters together.

/// A Euclidean norm as `largest · ratio`, which neither overflows nor underflows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Norm {
    /// The largest absolute value of all entries.
    pub(crate) largest: f64,
    /// The norm divided by `largest`: 1 up to the square root of the number of entries, or 0.
    pub(crate) ratio: f64,
}

impl Norm {
    /// Returns the norm as one number.
    pub(crate) fn value(self) -> f64 {
        self.largest * self.ratio
    }

    /// Makes a norm of a sum of squares that is neither zero nor out of range.
    pub(crate) fn of_squares(sum: f64) -> Self {
        Self {
            largest: 1.0,
            ratio: sum.sqrt(),
        }
    }

    /// Returns whether it comes from a plain sum of squares.
    #[expect(clippy::float_cmp, reason = "exactly one, as `of_squares` sets it")]
    pub(crate) fn is_plain(self) -> bool {
        self.largest == 1.0
    }

    pub(crate) fn is_zero(self) -> bool {
        self.largest == 0.0
    }

    pub(crate) fn is_finite(self) -> bool {
        self.largest.is_finite() && self.ratio.is_finite()
    }

    /// Makes a norm of the largest entry of each tensor and its sum of squares in units of that.
    pub(crate) fn combine(parts: &[(f64, f64)]) -> Self {
        // `f64::max` would pass over a NaN.
        let largest = parts.iter().fold(0.0, |largest: f64, &(part, _)| {
            if part.is_nan() || part > largest {
                part
            } else {
                largest
            }
        });
        if largest == 0.0 {
            return Self {
                largest,
                ratio: 0.0,
            };
        }
        let sum: f64 = parts
            .iter()
            .map(|(part, sum)| (part / largest).powi(2) * sum)
            .sum();
        Self {
            largest,
            ratio: sum.sqrt(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn norm_combines_parts_of_very_different_size() {
        // 3e-200 and 4e-200 beside 0: the squares underflow even in float64.
        let norm = Norm::combine(&[(3e-200, 1.0), (4e-200, 1.0), (0.0, 0.0)]);
        assert!((norm.value() / 5e-200 - 1.0).abs() < 1e-15);
    }

    #[test]
    fn norm_of_a_nan_is_not_finite_and_of_nothing_is_zero() {
        assert!(!Norm::combine(&[(f64::NAN, f64::NAN), (1.0, 1.0)]).is_finite());
        assert!(!Norm::combine(&[(1.0, 1.0), (f64::INFINITY, f64::NAN)]).is_finite());
        assert!(Norm::combine(&[]).is_zero());
    }
}
