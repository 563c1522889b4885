//! The parameters of a module that are the blocks of a space: by id, or by path and shape.

use std::collections::HashMap;

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;

use super::ParameterSpace;
use crate::error::Error;

/// Returns the block of each parameter of `model` that is a coordinate of `space`.
///
/// # Errors
/// [`Error::AnotherModule`] where a block has no counterpart, and tensors with one id that are not
/// one parameter.
pub(super) fn locate<M: Module>(
    space: &ParameterSpace,
    model: &M,
) -> Result<HashMap<ParamId, usize>, Error> {
    derivatives::check_ids(&model.valid().train())?;
    let mut tensors = Tensors::default();
    model.visit(&mut tensors);
    let found = tensors.found;
    let by_id = |id: ParamId| found.iter().find(|tensor| tensor.id == id);
    if space.blocks.iter().all(|block| by_id(block.id).is_some()) {
        for block in &space.blocks {
            let tensor = by_id(block.id).expect("every id has just been found");
            if tensor.shape != block.shape {
                return Err(other(block, tensor.says()));
            }
        }
        return Ok(space.index.clone());
    }
    by_path(space, &found)
}

fn by_path(space: &ParameterSpace, found: &[Found]) -> Result<HashMap<ParamId, usize>, Error> {
    let mut index = HashMap::new();
    for (number, block) in space.blocks.iter().enumerate() {
        let mut first: Option<&Found> = None;
        for path in &space.places[number] {
            let Some(tensor) = found.iter().find(|tensor| tensor.path == *path) else {
                let says = match found.get(number) {
                    Some(there) => format!("none: the tensor at its position is {}", there.says()),
                    None => "none".to_owned(),
                };
                return Err(other(block, says));
            };
            if tensor.shape != block.shape {
                return Err(other(block, tensor.says()));
            }
            match first {
                // One parameter of the space is two of the module: they have to be equal.
                Some(first) if first.id != tensor.id && first.entries() != tensor.entries() => {
                    let says = format!("two of different values, `{}` and `{path}`", first.path);
                    return Err(other(block, says));
                }
                _ => first = Some(tensor),
            }
            if let Some(taken) = index.insert(tensor.id, number)
                && taken != number
            {
                let says = format!("one together with `{}`", space.blocks[taken].path);
                return Err(other(block, says));
            }
        }
    }
    Ok(index)
}

fn other(block: &super::Block, found: String) -> Error {
    Error::AnotherModule {
        path: block.path.clone(),
        shape: block.shape.clone(),
        found,
    }
}

/// A float tensor of a module.
struct Found {
    path: String,
    id: ParamId,
    shape: Vec<usize>,
    tensor: Tensor<1>,
}

impl Found {
    fn says(&self) -> String {
        format!("`{}` of shape {:?}", self.path, self.shape)
    }

    fn entries(&self) -> Vec<u64> {
        let entries = crate::vector::download(&self.tensor);
        entries.into_iter().map(f64::to_bits).collect()
    }
}

#[derive(Default)]
struct Tensors {
    path: Vec<String>,
    found: Vec<Found>,
}

impl ModuleVisitor for Tensors {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.val().without_autodiff();
        let shape = tensor.dims().to_vec();
        // As in the space, which has no block for a tensor without entries.
        let len: usize = shape.iter().product();
        if len > 0 {
            self.found.push(Found {
                path: self.path.join("."),
                id: param.id,
                shape,
                tensor: tensor.reshape([len]),
            });
        }
    }

    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }
}
