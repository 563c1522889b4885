//! The weights of a model as finite numbers on the host.

use burn::module::Module;

use super::ParameterSpace;
use crate::error::Error;
use crate::vector::download;

/// Returns theta of `model`, `[P]`, which is called `who` in an error.
///
/// # Errors
/// [`Error::AnotherModule`] where the trainable parameters of `model` are not those of `space`, or
/// more than those; [`Error::NonFiniteWeights`].
pub(crate) fn weights<M: Module>(
    space: &ParameterSpace,
    model: &M,
    who: impl FnOnce() -> String,
) -> Result<Vec<f64>, Error> {
    let index = space.locate(model)?;
    // A model that was frozen for measuring has no trainable parameter, which is not more.
    let own = ParameterSpace::of(model);
    let blocks = own.iter().flat_map(|own| &own.blocks);
    if let Some(block) = blocks
        .into_iter()
        .find(|block| !index.contains_key(&block.id))
    {
        return Err(Error::AnotherModule {
            path: block.path.clone(),
            shape: block.shape.clone(),
            found: "none in the first model".to_owned(),
        });
    }
    let theta = download(&space.flatten(model)?);
    let finite = |block: &&super::Block| theta[block.range()].iter().all(|x| x.is_finite());
    match space.blocks.iter().find(|block| !finite(block)) {
        None => Ok(theta),
        Some(block) => Err(Error::NonFiniteWeights {
            model: who(),
            path: block.path.clone(),
        }),
    }
}
