//! Making a second direction orthogonal to a first.

use burn::tensor::Tensor;

use crate::error::Error;
use crate::vector::{Domain, download, norm, normalize, remove_along};

/// Returns `direction` without its component along `against`: `d − (⟨d, a⟩ / ⟨a, a⟩) a`.
///
/// # Errors
/// Lengths that differ from the domain's, an `against` that is zero or not finite, or a
/// `direction` that is parallel to it.
pub fn orthogonalize(
    domain: &Domain,
    direction: &Tensor<1>,
    against: &Tensor<1>,
) -> Result<Tensor<1>, Error> {
    domain.check_length("direction", direction.dims()[0])?;
    domain.check_length("direction to be orthogonal to", against.dims()[0])?;
    let (mut d, mut unit) = (download(direction), download(against));
    let problem = match normalize(&mut unit) {
        x if !x.is_finite() => Some("is not finite"),
        0.0 => Some("is zero"),
        _ => None,
    };
    if let Some(problem) = problem {
        return Err(Error::NoDirection {
            what: "direction to be orthogonal to",
            problem,
        });
    }
    let before = norm(&d);
    remove_along(&mut d, &[unit]);
    // What is left of a parallel direction is rounding and points anywhere.
    if norm(&d) <= 8.0 * domain.unit_roundoff() * before {
        return Err(Error::NoDirection {
            what: "direction to be made orthogonal",
            problem: "is parallel to the other",
        });
    }
    domain.upload(&d)
}
