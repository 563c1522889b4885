//! From a flat vector back to a module's parameters.

use std::any::Any;
use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::tensor::{DType, FloatDType, Tensor, TensorData};

use super::{ParameterSpace, copy};
use crate::error::Error;

/// Returns `model` with theta, `[P]`, in place of its parameters, each with the gradient flag, the
/// checkpointing strategy and the device of the one it replaces.
pub(crate) fn place<M: Module>(space: &ParameterSpace, model: M, theta: &Tensor<1>) -> M {
    place_at(space, &space.index, model, theta)
}

/// Does what [`place`] does, into a model whose parameters belong to the blocks that `index` says.
pub(super) fn place_at<M: Module>(
    space: &ParameterSpace,
    index: &HashMap<ParamId, usize>,
    model: M,
    theta: &Tensor<1>,
) -> M {
    model.map(&mut Place {
        space,
        index,
        theta,
        placed: HashMap::new(),
    })
}

/// Returns `model` with the float tensors of some ids replaced by tensors of the same shapes with
/// these entries.
///
/// Give it a copy: what it puts into running statistics goes to all clones that share them.
pub(crate) fn put<M: Module>(model: M, values: &HashMap<ParamId, Vec<f64>>) -> M {
    model.map(&mut Put {
        values,
        placed: HashMap::new(),
    })
}

/// Returns a copy of `model` with every float tensor, buffers included, in another float type;
/// ids, gradient flags, checkpointing strategies and all else are kept.
///
/// Everything here works in the float type of the model. Where f32 does not resolve a small
/// eigenvalue or a small difference of losses, measure the model in f64: float tensors of the
/// batches follow the model. Integer and boolean tensors stay.
///
/// ```
/// use burn::nn::LinearConfig;
/// use burn::tensor::{DType, Device, FloatDType};
/// use landscape::cast;
///
/// let model = LinearConfig::new(2, 3).init(&Device::flex());
/// let wide = cast(&model, FloatDType::F64)?;
/// assert_eq!(wide.weight.val().dtype(), DType::F64);
/// assert_eq!(wide.weight.id, model.weight.id);
/// # Ok::<(), landscape::Error>(())
/// ```
///
/// # Errors
/// Tensors with one id that are not one parameter; a type that the model's device does not have.
pub fn cast<M: Module>(model: &M, dtype: FloatDType) -> Result<M, Error> {
    derivatives::check_ids(&model.valid().train())?;
    let missing = model
        .devices()
        .into_iter()
        .any(|device| !device.without_autodiff().supports_dtype(dtype));
    if missing {
        return Err(Error::Setting {
            name: "dtype",
            value: format!("{dtype:?}"),
            allowed: "a type that the device of the module has",
        });
    }
    Ok(cast_owned(copy(model), dtype))
}

/// Casts a model that shares nothing with another; see [`cast`].
pub(crate) fn cast_owned<M: Module>(model: M, dtype: FloatDType) -> M {
    model.map(&mut Cast {
        dtype,
        placed: HashMap::new(),
    })
}

/// A parameter used in several places must stay one leaf: its gradient is the sum over its uses.
type Placed = HashMap<ParamId, Box<dyn Any>>;

/// Returns the tensor in place of `param`: `new` of the old value, made once for each id.
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

/// Returns `new` with the autodiff state of `old`: Burn's optimisers do the same after an update.
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
    index: &'a HashMap<ParamId, usize>,
    theta: &'a Tensor<1>,
    placed: Placed,
}

impl ModuleMapper for Place<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(&block) = self.index.get(&param.id) else {
            return param;
        };
        let (theta, block) = (self.theta, &self.space.blocks[block]);
        substitute(&mut self.placed, param, |old| {
            let new = theta
                .clone()
                .slice_dim(0, block.range())
                .reshape(old.shape());
            // A module that is not the space's own may have another type and device.
            let new = new.to_device(&old.device());
            if new.dtype() == old.dtype() {
                new
            } else {
                new.cast(float_type(&old))
            }
        })
    }
}

fn float_type<const D: usize>(tensor: &Tensor<D>) -> FloatDType {
    match tensor.dtype() {
        DType::F64 => FloatDType::F64,
        _ => FloatDType::F32,
    }
}

struct Put<'a> {
    values: &'a HashMap<ParamId, Vec<f64>>,
    placed: Placed,
}

impl ModuleMapper for Put<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(values) = self.values.get(&param.id) else {
            return param;
        };
        substitute(&mut self.placed, param, |old| {
            let data = TensorData::new(values.clone(), old.shape()).convert_dtype(old.dtype());
            Tensor::from_data(data, (&old.device(), old.dtype()))
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
