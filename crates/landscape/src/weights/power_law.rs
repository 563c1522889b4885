//! A power law fitted to the upper tail of some positive numbers.

use crate::error::Error;

/// Fewer numbers in a tail give an exponent that is off by more than its standard error says
/// (Clauset, Shalizi, Newman 2009, section 3.1: n ≳ 50).
const ENOUGH: usize = 50;

/// A power law `p(x) = (α − 1)/x_min · (x/x_min)^−α` of the numbers from `x_min` on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PowerLaw {
    /// The exponent α of the density, above 1.
    pub alpha: f64,
    /// Its standard error, `(α − 1)/√n`, for a known `x_min`.
    pub standard_error: f64,
    /// The smallest number of the tail.
    pub x_min: f64,
    /// The number n of numbers in the tail.
    pub tail: usize,
    /// The Kolmogorov-Smirnov distance of the tail from the law.
    pub distance: f64,
}

impl PowerLaw {
    /// Returns whether the tail has fewer than 50 numbers: the exponent is then off by more than
    /// its standard error says.
    #[must_use]
    pub const fn is_small(&self) -> bool {
        self.tail < ENOUGH
    }
}

/// Returns the power law of the upper tail of `values`, of which those that are not positive count
/// for nothing; none where fewer than three differ.
///
/// ```text
/// α = 1 + n / Σ ln(x/x_min)      D = max |S(x) − P(x)|      P(x) = 1 − (x/x_min)^(1 − α)
/// ```
///
/// with the sum and the maximum over the n numbers of the tail, and the share S(x) of the tail that
/// lies below x. Each number but the largest is tried as `x_min`, and the one with the smallest D
/// is taken; of equal ones the smallest. This is what the programs `plfit` and `powerlaw` compute
/// for continuous data. Cost: n² for n numbers.
///
/// Whether the numbers follow a power law at all is not decided by this.
///
/// # Errors
/// [`Error::NonFiniteVector`] for a number that is NaN or infinite.
///
/// # Examples
/// ```
/// use landscape::weights::power_law;
///
/// // Quantiles of the law with x_min = 1 and α = 3.
/// let values: Vec<f64> = (0..200)
///     .map(|i| (1.0 - f64::from(i) / 200.0).powf(-0.5))
///     .collect();
/// let law = power_law(&values)?.expect("more than two numbers");
/// assert!((law.alpha - 3.0).abs() < law.standard_error);
/// # Ok::<(), landscape::Error>(())
/// ```
///
/// # References
/// Clauset, Shalizi, Newman 2009, "Power-Law Distributions in Empirical Data", equations 3.1, 3.2
/// and 3.9.
pub fn power_law(values: &[f64]) -> Result<Option<PowerLaw>, Error> {
    if values.iter().any(|value| !value.is_finite()) {
        return Err(Error::NonFiniteVector {
            what: "set of numbers",
        });
    }
    let mut sorted: Vec<f64> = values.iter().copied().filter(|x| *x > 0.0).collect();
    sorted.sort_by(f64::total_cmp);
    let logarithms: Vec<f64> = sorted.iter().map(|x| x.ln()).collect();
    let is_first = |&start: &usize| start == 0 || sorted[start - 1] < sorted[start];
    let mut starts: Vec<usize> = (0..sorted.len()).filter(is_first).collect();
    starts.pop();
    if starts.len() < 2 {
        return Ok(None);
    }
    let laws = starts
        .iter()
        .map(|&start| law(&sorted[start..], &logarithms[start..]));
    Ok(laws.reduce(|best, next| {
        if next.distance < best.distance {
            next
        } else {
            best
        }
    }))
}

/// Returns the law of a tail that has two different numbers at least.
#[expect(
    clippy::cast_precision_loss,
    reason = "there are far fewer than 2^53 numbers"
)]
fn law(tail: &[f64], logarithms: &[f64]) -> PowerLaw {
    let (n, least) = (tail.len() as f64, logarithms[0]);
    let sum: f64 = logarithms.iter().map(|logarithm| logarithm - least).sum();
    let exponent = n / sum;
    let mut distance = 0.0_f64;
    let mut below = 0;
    for (index, x) in tail.iter().enumerate() {
        if index > 0 && tail[index - 1] < *x {
            below = index;
        }
        let expected = -(-exponent * (logarithms[index] - least)).exp_m1();
        distance = distance.max((below as f64 / n - expected).abs());
    }
    PowerLaw {
        alpha: 1.0 + exponent,
        standard_error: exponent / n.sqrt(),
        x_min: tail[0],
        tail: tail.len(),
        distance,
    }
}
