//! Probes of an operator: how many at once, and when there are enough.

use super::estimate::Estimate;
use super::product::on_host;
use crate::error::Error;
use crate::operator::LinearOperator;
use crate::vector::checked;

/// Probes whose products are asked for at once, at most.
const TOGETHER: usize = 16;

/// Numbers of such probes, at most. Of a small operator the start of a product costs more than its
/// arithmetic, and 16 together take 0.4 to 0.9 of the time; with 17 thousand coordinates they take
/// as long or longer, since the vectors no longer stay in a core's cache.
const NUMBERS: usize = 1 << 15;

/// Returns how many vectors of an operator's dimension to take at once.
pub(super) fn room(dim: usize) -> usize {
    (NUMBERS / dim.max(1)).clamp(1, TOGETHER)
}

/// Returns the products of an operator with host vectors, on the host, made together.
///
/// # Errors
/// [`Error::Length`], [`Error::NonFiniteVector`], and the operator's own.
pub(super) fn products<A: LinearOperator + ?Sized>(
    op: &A,
    vectors: &[Vec<f64>],
) -> Result<Vec<Vec<f64>>, Error> {
    let uploaded = vectors.iter().map(|v| op.domain().upload(v));
    let uploaded = uploaded.collect::<Result<Vec<_>, _>>()?;
    let images = going_on(|| op.apply_many(&uploaded))?;
    images.iter().map(|image| on_host(op, image)).collect()
}

/// Returns the quadratic forms of host vectors, made together.
///
/// # Errors
/// [`Error::NonFiniteVector`], and the operator's own.
pub(super) fn forms<A: LinearOperator + ?Sized>(
    op: &A,
    vectors: &[Vec<f64>],
) -> Result<Vec<f64>, Error> {
    let uploaded = vectors.iter().map(|v| op.domain().upload(v));
    let uploaded = uploaded.collect::<Result<Vec<_>, _>>()?;
    let forms = going_on(|| op.quadratic_forms(&uploaded))?;
    checked(forms, "operator's quadratic form")
}

/// Asks again for products of which a device of several has failed, until none is left: the
/// probes stay the same, and the others make all of the products.
fn going_on<T>(ask: impl Fn() -> Result<T, Error>) -> Result<T, Error> {
    loop {
        match ask() {
            Err(Error::DeviceFailed { left: 1.., .. }) => {}
            answer => return answer,
        }
    }
}

/// When a mean over probes is good enough.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stopping {
    /// Largest standard error, as a part of |mean|.
    pub(super) relative_error: f64,
    /// Fewest probes.
    pub(super) min_probes: usize,
    /// Most probes.
    pub(super) max_probes: usize,
}

impl Stopping {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`Error::Setting`].
    pub(super) fn check(self) -> Result<(), Error> {
        check_relative_error(self.relative_error)?;
        at_least("min_probes", self.min_probes, 2, "at least 2")?;
        let fewest = self.min_probes;
        at_least("max_probes", self.max_probes, fewest, "at least min_probes")
    }

    /// Returns whether the standard error is small enough.
    pub(super) fn is_met(self, estimate: &Estimate) -> bool {
        estimate.count >= self.min_probes
            && estimate.standard_error <= self.relative_error * estimate.mean.abs()
    }

    /// Returns how many probes to take next, at once. The result does not depend on it.
    ///
    /// The standard error shrinks with the root of the number of probes, so that the number needed
    /// can be foreseen; of those that are missing half are taken, since it may turn out to be less.
    pub(super) fn next(self, estimate: &Estimate, dim: usize) -> usize {
        let Estimate {
            mean,
            standard_error,
            count,
        } = *estimate;
        let missing = if count < self.min_probes {
            self.min_probes - count
        } else {
            let wanted = self.relative_error * mean.abs();
            let needed = count as f64 * (standard_error / wanted).powi(2);
            let half = (0.5 * (needed - count as f64)).min(TOGETHER as f64);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "between 1 and `TOGETHER`"
            )]
            let half = half.max(1.0) as usize;
            half
        };
        missing.min(room(dim)).min(self.max_probes - count)
    }
}

/// Checks the settings of an estimator that counts products: the error wanted, and the fewest
/// products, `least` or more, with the most.
///
/// # Errors
/// [`Error::Setting`].
pub(super) fn check_budget(
    relative_error: f64,
    [fewest, most]: [usize; 2],
    (least, allowed): (usize, &'static str),
) -> Result<(), Error> {
    check_relative_error(relative_error)?;
    at_least("min_products", fewest, least, allowed)?;
    at_least("max_products", most, fewest, "at least min_products")
}

/// # Errors
/// [`Error::Setting`] for one that is negative or NaN.
fn check_relative_error(relative_error: f64) -> Result<(), Error> {
    if relative_error >= 0.0 {
        return Ok(());
    }
    Err(Error::Setting {
        name: "relative_error",
        value: relative_error.to_string(),
        allowed: "zero or more",
    })
}

/// # Errors
/// [`Error::Setting`] for a `value` below `least`.
fn at_least(
    name: &'static str,
    value: usize,
    least: usize,
    allowed: &'static str,
) -> Result<(), Error> {
    if value >= least {
        return Ok(());
    }
    Err(Error::Setting {
        name,
        value: value.to_string(),
        allowed,
    })
}
