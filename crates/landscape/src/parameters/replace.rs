//! From a flat vector back to a module's parameters.

use std::any::Any;
use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::tensor::{FloatDType, Tensor};

use super::ParameterSpace;

/// `module` with theta, `[P]`, in place of its parameters, each with the gradient flag, the
/// checkpointing strategy and the device of the one it replaces.
pub(crate) fn place<M: Module>(space: &ParameterSpace, module: M, theta: &Tensor<1>) -> M {
    module.map(&mut Place {
        space,
        theta,
        placed: HashMap::new(),
    })
}

/// `module` with every float tensor, buffers included, in another float type.
pub(crate) fn cast<M: Module>(module: M, dtype: FloatDType) -> M {
    module.map(&mut Cast {
        dtype,
        placed: HashMap::new(),
    })
}

/// A parameter used in several places must stay one leaf: its gradient is the sum over its uses.
type Placed = HashMap<ParamId, Box<dyn Any>>;

/// The tensor in place of `param`: `new` of the old value, made once for each id.
fn substitute<const D: usize>(
    placed: &mut Placed,
    param: Param<Tensor<D>>,
    new: impl FnOnce(Tensor<D>) -> Tensor<D>,
) -> Param<Tensor<D>> {
    let (id, old, mapper) = param.consume();
    let known = placed
        .get(&id)
        .and_then(|tensor| tensor.downcast_ref::<Tensor<D>>());
    let tensor = match known {
        Some(tensor) => tensor.clone(),
        None => {
            let tensor = like(&old, id, new(old.clone().without_autodiff()));
            placed.insert(id, Box::new(tensor.clone()));
            tensor
        }
    };
    Param::from_mapped_value(id, tensor, mapper)
}

/// `new` with the autodiff state of `old`: Burn's optimisers do the same after an update.
fn like<const D: usize>(old: &Tensor<D>, id: ParamId, new: Tensor<D>) -> Tensor<D> {
    if !old.is_autodiff() {
        return new;
    }
    let mut tensor = Tensor::from_inner(new);
    if let Some(strategy) = old.gradient_checkpointing_strategy() {
        tensor = tensor.with_gradient_checkpointing_strategy(strategy);
    }
    if old.is_require_grad() {
        tensor = tensor.require_grad();
    }
    if old.is_distributed() {
        tensor = tensor.set_distributed(id);
    }
    tensor
}

struct Place<'a> {
    space: &'a ParameterSpace,
    theta: &'a Tensor<1>,
    placed: Placed,
}

impl ModuleMapper for Place<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(block) = self.space.block(param.id) else {
            return param;
        };
        let theta = self.theta;
        substitute(&mut self.placed, param, |old| {
            theta
                .clone()
                .slice_dim(0, block.range())
                .reshape(old.shape())
        })
    }
}

struct Cast {
    dtype: FloatDType,
    placed: Placed,
}

impl ModuleMapper for Cast {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let dtype = self.dtype;
        substitute(&mut self.placed, param, |old| old.cast(dtype))
    }
}
