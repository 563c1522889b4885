//! The float tensors of a module, parameters and buffers, by path.

use std::collections::HashMap;

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;

use crate::error::Error;

/// A float tensor of a module.
#[derive(Debug, Clone)]
pub(super) struct FloatTensor {
    pub(super) id: ParamId,
    /// All places at which it stands, the first visited first.
    pub(super) paths: Vec<String>,
    pub(super) shape: Vec<usize>,
    pub(super) values: Vec<f64>,
    pub(super) trainable: bool,
}

/// Returns the float tensors of `model` in visit order, each once; running statistics with all
/// updates.
///
/// # Errors
/// Tensors with one id that are not one parameter.
pub(super) fn float_tensors<M: Module>(model: &M) -> Result<Vec<FloatTensor>, Error> {
    // As configured, wherever the model stands, and with running statistics of its own.
    let active = model.valid().train();
    derivatives::check_ids(&active)?;
    let mut collect = Collect::default();
    active.visit(&mut collect);
    Ok(collect.tensors)
}

/// Returns `others` in the order of `tensors`, which have the same paths and shapes.
///
/// # Errors
/// [`Error::AnotherModule`] with the first tensor that has no counterpart.
pub(super) fn in_order_of(
    tensors: &[FloatTensor],
    others: &[FloatTensor],
) -> Result<Vec<FloatTensor>, Error> {
    let refused = |path: &str, shape: &[usize], found: String| Error::AnotherModule {
        path: path.to_owned(),
        shape: shape.to_vec(),
        found,
    };
    let mut ordered = Vec::with_capacity(tensors.len());
    for tensor in tensors {
        let path = &tensor.paths[0];
        let found = others.iter().find(|other| other.paths.contains(path));
        let Some(other) = found else {
            return Err(refused(path, &tensor.shape, "none".to_owned()));
        };
        if other.shape != tensor.shape {
            let says = format!("`{path}` of shape {:?}", other.shape);
            return Err(refused(path, &tensor.shape, says));
        }
        if other.paths != tensor.paths {
            let says = format!("one that stands at `{}`", other.paths.join("`, `"));
            return Err(refused(path, &tensor.shape, says));
        }
        ordered.push(other.clone());
    }
    let known = |other: &&FloatTensor| !tensors.iter().any(|tensor| tensor.paths == other.paths);
    match others.iter().find(known) {
        Some(more) => Err(refused(&more.paths[0], &more.shape, "none".to_owned())),
        None => Ok(ordered),
    }
}

/// Checks that all entries are finite.
///
/// # Errors
/// [`Error::NonFiniteWeights`] with the first tensor in which one is not.
pub(super) fn check_finite(tensors: &[FloatTensor], model: &'static str) -> Result<(), Error> {
    let is_bad = |tensor: &&FloatTensor| tensor.values.iter().any(|value| !value.is_finite());
    match tensors.iter().find(is_bad) {
        Some(tensor) => Err(Error::NonFiniteWeights {
            model: format!("the {model} model"),
            path: tensor.paths[0].clone(),
        }),
        None => Ok(()),
    }
}

#[derive(Default)]
struct Collect {
    path: Vec<String>,
    known: HashMap<ParamId, usize>,
    tensors: Vec<FloatTensor>,
}

impl ModuleVisitor for Collect {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let path = self.path.join(".");
        if let Some(&known) = self.known.get(&param.id) {
            self.tensors[known].paths.push(path);
            return;
        }
        let tensor = param.val();
        self.known.insert(param.id, self.tensors.len());
        self.tensors.push(FloatTensor {
            id: param.id,
            paths: vec![path],
            shape: tensor.dims().to_vec(),
            values: tensor.to_data().iter::<f64>().collect(),
            trainable: tensor.is_require_grad(),
        });
    }

    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }
}
