//! From a module's parameters, or their gradients, to one flat vector.

use std::collections::HashMap;

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Gradients, Tensor};

use super::ParameterSpace;
use crate::error::Error;

/// Returns the parameters of `model` as a vector without autodiff; `index` has the block of each.
pub(super) fn parameters<M: Module>(
    space: &ParameterSpace,
    model: &M,
    index: &HashMap<ParamId, usize>,
) -> Tensor<1> {
    let mut collect = Collect::new(space, index, Values);
    model.visit(&mut collect);
    collect.join()
}

/// Returns the gradients of `model`'s parameters as a vector; zero where the loss does not depend
/// on a parameter, `None` where it depends on none.
pub(crate) fn gradient<M: Module>(
    space: &ParameterSpace,
    model: &M,
    gradients: Gradients,
) -> Option<Tensor<1>> {
    any(Collect::new(space, &space.index, gradients), model)
}

/// Returns the same of gradients that an optimiser would take, of any model of the architecture.
///
/// # Errors
/// As [`ParameterSpace::flatten`].
pub(crate) fn gradient_of_params<M: Module>(
    space: &ParameterSpace,
    model: &M,
    gradients: &GradientsParams,
) -> Result<Option<Tensor<1>>, Error> {
    let index = space.locate(model)?;
    Ok(any(Collect::new(space, &index, gradients), model))
}

fn any<M: Module, T: Take>(mut collect: Collect<'_, T>, model: &M) -> Option<Tensor<1>> {
    model.visit(&mut collect);
    let found = collect.parts.iter().any(Option::is_some);
    found.then(|| collect.join())
}

/// The part that is taken of a parameter.
trait Take {
    fn take<const D: usize>(&mut self, param: &Param<Tensor<D>>) -> Option<Tensor<D>>;
}

struct Values;

impl Take for Values {
    fn take<const D: usize>(&mut self, param: &Param<Tensor<D>>) -> Option<Tensor<D>> {
        Some(param.val().without_autodiff())
    }
}

impl Take for Gradients {
    fn take<const D: usize>(&mut self, param: &Param<Tensor<D>>) -> Option<Tensor<D>> {
        param.val().grad_remove(self)
    }
}

impl Take for &GradientsParams {
    fn take<const D: usize>(&mut self, param: &Param<Tensor<D>>) -> Option<Tensor<D>> {
        let gradient = self.get::<D>(param.id)?;
        Some(gradient.without_autodiff())
    }
}

struct Collect<'s, T> {
    space: &'s ParameterSpace,
    index: &'s HashMap<ParamId, usize>,
    take: T,
    parts: Vec<Option<Tensor<1>>>,
}

impl<'s, T: Take> Collect<'s, T> {
    fn new(space: &'s ParameterSpace, index: &'s HashMap<ParamId, usize>, take: T) -> Self {
        Self {
            space,
            index,
            take,
            parts: vec![None; space.blocks.len()],
        }
    }

    fn join(self) -> Tensor<1> {
        let domain = &self.space.domain;
        let parts = self.parts.into_iter().zip(&self.space.blocks);
        let parts = parts.map(|(part, block)| {
            part.unwrap_or_else(|| Tensor::zeros([block.len()], (&domain.device, domain.dtype)))
        });
        Tensor::cat(parts.collect(), 0)
    }
}

impl<T: Take> ModuleVisitor for Collect<'_, T> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(&index) = self.index.get(&param.id) else {
            return;
        };
        if self.parts[index].is_none() {
            let len = self.space.blocks[index].len();
            self.parts[index] = self.take.take(param).map(|part| part.reshape([len]));
        }
    }
}
