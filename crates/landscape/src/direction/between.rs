//! The direction from one model to another.

use burn::module::Module;
use burn::tensor::Tensor;

use crate::error::Error;
use crate::parameters::{ParameterSpace, Rest, weights};

/// Returns `to - from`, `[P]`: a line along it passes `from` at 0 and `to` at 1.
///
/// The models have the space's architecture: a clone that was trained further is matched by its
/// ids, a model made or loaded separately by paths and shapes.
///
/// A direction moves parameters only. Models that differ in anything else, in the running
/// statistics of BatchNorm or in a frozen parameter, are refused, because the line would not end at
/// `to`: [`line_between`](crate::slice::line_between) moves these too.
///
/// ```
/// use burn::nn::LinearConfig;
/// use burn::tensor::Device;
/// use landscape::{ParameterSpace, direction::between};
///
/// let config = LinearConfig::new(2, 3);
/// let (a, b) = (config.init(&Device::flex()), config.init(&Device::flex()));
/// let space = ParameterSpace::of(&a)?;
/// let direction = between(&space, &a, &b)?;
/// assert_eq!(direction.dims(), [9]);
/// # Ok::<(), landscape::Error>(())
/// ```
///
/// # Errors
/// [`Error::AnotherModule`] for a model that has not the space's parameters,
/// [`Error::RestDiffers`] for models that differ in other tensors too, [`Error::NonFiniteWeights`].
pub fn between<M: Module>(space: &ParameterSpace, from: &M, to: &M) -> Result<Tensor<1>, Error> {
    if let Some(path) = Rest::of(space, from)?.differs(&Rest::of(space, to)?) {
        return Err(Error::RestDiffers {
            path: path.to_owned(),
            help: "a direction moves parameters only: use `slice::line_between` or `slice::plane_between`, which say what becomes of the others",
        });
    }
    weights(space, from, || "the first model".to_owned())?;
    weights(space, to, || "the second model".to_owned())?;
    Ok(space.flatten(to)? - space.flatten(from)?)
}
