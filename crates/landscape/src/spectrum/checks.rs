//! Checks that an operator is what the algorithms take it for: fixed, and symmetric.
//!
//! Products say nothing of where they come from. A loss over data that are drawn anew each time, or
//! one with a stopped gradient, has products all the same, and a recurrence on them converges to
//! something.

use super::product::product;
use crate::error::Error;
use crate::operator::LinearOperator;
use crate::vector::relative_change;

/// Up to which approximate products are believed: a difference of gradients across a kink is off by
/// more than its error says.
const OF_APPROXIMATE: f64 = 0.05;

/// Checks that a second product with `v` is `image` again. Costs this product.
///
/// Sums on several cores may come in another order each time, and lose digits where they cancel;
/// half the digits of the products are left to that. Products that are bad for another reason
/// repeat all the same: more than a twentieth is never left.
///
/// # Errors
/// [`Error::ChangingProducts`], and those of the product.
pub(super) fn repeats<A: LinearOperator + ?Sized>(
    op: &A,
    v: &[f64],
    image: &[f64],
) -> Result<(), Error> {
    let change = relative_change(image, &product(op, v)?);
    if change > op.relative_error().sqrt().min(OF_APPROXIMATE) {
        return Err(Error::ChangingProducts { change });
    }
    Ok(())
}

/// Checks that the relative asymmetry found of an operator is explained by the rounding of its
/// products.
///
/// A third of the digits must be there: where large terms cancel in f32, products that are exact up
/// to rounding may lose more than half.
///
/// # Errors
/// [`Error::NotSymmetric`].
pub(crate) fn is_symmetric<A: LinearOperator + ?Sized>(
    op: &A,
    asymmetry: f64,
) -> Result<(), Error> {
    let error = op.relative_error();
    let allowed = if error > op.domain().unit_roundoff() {
        error.cbrt().max(OF_APPROXIMATE)
    } else {
        error.cbrt()
    };
    if asymmetry > allowed {
        return Err(Error::NotSymmetric {
            what: "operator",
            asymmetry,
            allowed,
        });
    }
    Ok(())
}

/// Returns `|a − b| / scale`; zero if all are.
pub(super) fn relative_difference(a: f64, b: f64, scale: f64) -> f64 {
    if scale > 0.0 {
        (a - b).abs() / scale
    } else {
        0.0
    }
}
