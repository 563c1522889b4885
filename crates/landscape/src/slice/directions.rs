//! The directions of a slice, checked.

use burn::module::Module;
use burn::tensor::Tensor;

use crate::error::Error;
use crate::parameters::ParameterSpace;
use crate::vector::{download, norm, normalize, remove_along};

/// Returns directions that span a line or a plane, on the model's device and in its float type.
///
/// # Errors
/// A direction of another length than P, zero or not finite, and a second that is parallel to the
/// first: the plane would be a line, on which every value stands many times.
pub(super) fn spanning<M: Module>(
    model: &M,
    directions: &[&Tensor<1>],
) -> Result<Vec<Tensor<1>>, Error> {
    let domain = ParameterSpace::of(model)?.domain;
    let mut units: Vec<Vec<f64>> = Vec::with_capacity(directions.len());
    let mut adopted = Vec::with_capacity(directions.len());
    for (index, direction) in directions.iter().enumerate() {
        let what = match (directions.len(), index) {
            (1, _) => "direction of a line",
            (_, 0) => "first direction of a plane",
            _ => "second direction of a plane",
        };
        let none = |problem| Error::NoDirection { what, problem };
        let direction = domain.adopt(direction)?;
        let mut unit = download(&direction);
        match normalize(&mut unit) {
            length if !length.is_finite() => return Err(none("is not finite")),
            0.0 => return Err(none("is zero")),
            _ => {}
        }
        let mut apart = unit.clone();
        remove_along(&mut apart, &units);
        if norm(&apart) <= 8.0 * domain.unit_roundoff() {
            return Err(none(
                "is parallel to the first; make it orthogonal, or draw a line",
            ));
        }
        units.push(unit);
        adopted.push(direction);
    }
    Ok(adopted)
}
