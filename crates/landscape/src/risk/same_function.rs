//! The check that a model with the tensors of another computes what the other does.

use crate::error::Error;
use crate::vector::Domain;

/// Checks that a model with all tensors of another, whose number is given, has the other's value:
/// a setting that is no tensor, such as an activation, does not move with them. Values that are not
/// finite say nothing.
///
/// # Errors
/// [`Error::OtherFunction`].
pub(crate) fn check_same_function(
    domain: &Domain,
    number: usize,
    expected: f64,
    found: f64,
) -> Result<(), Error> {
    // The same operations on the same numbers, up to the order of sums on some devices.
    let allowed = domain.unit_roundoff().sqrt() * expected.abs();
    if expected.is_finite() && found.is_finite() && (found - expected).abs() > allowed {
        return Err(Error::OtherFunction {
            number,
            expected,
            found,
        });
    }
    Ok(())
}
