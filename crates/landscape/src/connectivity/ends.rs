//! The models between which a curve goes.

use burn::module::Module;

use crate::batch::Batch;
use crate::error::Error;
use crate::parameters::ParameterSpace;
use crate::risk::Risk;
use crate::vector::download;

/// Returns the parameters of model `number` as f64 on the host.
///
/// # Errors
/// A model that has other parameters than the space, or more; a parameter with a NaN or infinite
/// entry.
pub(super) fn finite<M: Module>(
    space: &ParameterSpace,
    model: &M,
    number: usize,
) -> Result<Vec<f64>, Error> {
    let theta = download(&space.flatten(model)?);
    match theta.iter().position(|entry| !entry.is_finite()) {
        None => Ok(theta),
        Some(place) => {
            let block = space.blocks.iter().find(|b| b.range().contains(&place));
            Err(Error::NonFiniteParameter {
                number,
                path: block.map(|block| block.path.clone()).unwrap_or_default(),
            })
        }
    }
}

/// Checks that two models have the same parameters, neither more than the other, and differ in
/// one.
///
/// # Errors
/// [`Error::AnotherModule`] with the parameter's path; [`Error::Setting`] for equal models.
pub(super) fn comparable<M: Module>(
    space: &ParameterSpace,
    first: (&M, &[f64]),
    second: (&M, &[f64]),
) -> Result<(), Error> {
    let of_second = ParameterSpace::of(second.0)?;
    if of_second.dim() != space.dim() {
        // The second has what the first has, or there had been an error before, and more.
        of_second.flatten(first.0)?;
    }
    if first.1 == second.1 {
        return Err(Error::Setting {
            name: "the second end point",
            value: "equal to the first in all parameters".to_owned(),
            allowed: "another model",
        });
    }
    Ok(())
}

/// Checks that a model with all tensors of another has its loss: a setting that is no tensor, such
/// as an activation, moves on no curve. Cost: two forward passes.
///
/// # Errors
/// [`Error::OtherFunction`].
pub(super) fn same_function<M: Module, B: Batch>(
    moved: &M,
    model: &M,
    number: usize,
    risk: &Risk<M, B>,
    rounding: f64,
) -> Result<(), Error> {
    let expected = risk.value(model)?;
    let found = risk.value(moved)?;
    // The same operations on the same numbers, up to the order of sums on some devices.
    let allowed = rounding.sqrt() * expected.abs();
    if expected.is_finite() && found.is_finite() && (found - expected).abs() > allowed {
        return Err(Error::OtherFunction {
            number,
            expected,
            found,
        });
    }
    Ok(())
}
