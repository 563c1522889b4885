//! The models between which a curve goes.

use burn::module::Module;

use crate::error::Error;
use crate::parameters::ParameterSpace;
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
    no_more(space, first.0, second.0)?;
    if first.1 == second.1 {
        return Err(Error::Setting {
            name: "the second end point",
            value: "equal to the first in all parameters".to_owned(),
            allowed: "another model",
        });
    }
    Ok(())
}

/// Checks that `model`, which has all parameters of the space of `first`, has no more.
///
/// # Errors
/// [`Error::AnotherModule`] with the path of one that `first` has not.
pub(super) fn no_more<M: Module>(
    space: &ParameterSpace,
    first: &M,
    model: &M,
) -> Result<(), Error> {
    let of_model = ParameterSpace::of(model)?;
    if of_model.dim() != space.dim() {
        of_model.flatten(first)?;
    }
    Ok(())
}
