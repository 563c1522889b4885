//! The place in a module where something was recorded: the parameters that feed it have paths.

use std::collections::HashMap;

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;
use burn_ir::{OperationIr, TensorId};

/// The path of each float parameter of a module, such as `block1.conv.weight`.
#[derive(Debug, Default)]
pub(crate) struct Paths {
    path: Vec<String>,
    known: HashMap<ParamId, String>,
}

impl Paths {
    pub(crate) fn of<M: Module>(model: &M) -> Self {
        let mut paths = Self::default();
        model.visit(&mut paths);
        paths
    }

    /// Returns the path of a parameter; its id if the module has no such parameter.
    pub(crate) fn parameter(&self, id: ParamId) -> String {
        self.known
            .get(&id)
            .cloned()
            .unwrap_or_else(|| id.to_string())
    }

    /// Returns the module whose parameters feed the last of `operations`, directly or through the
    /// fewest operations recorded since; `None` where no parameter does.
    pub(crate) fn nearest(
        &self,
        operations: &[OperationIr],
        tensors: &HashMap<ParamId, Vec<TensorId>>,
    ) -> Option<String> {
        let parameters: HashMap<TensorId, ParamId> = tensors
            .iter()
            .flat_map(|(&id, copies)| copies.iter().map(move |&copy| (copy, id)))
            .collect();
        // For each tensor, the last use of a parameter on its way.
        let mut near: HashMap<TensorId, (usize, ParamId)> = HashMap::new();
        let mut last = None;
        for (time, operation) in operations.iter().enumerate() {
            last = operation
                .inputs()
                .filter_map(|input| match parameters.get(&input.id) {
                    Some(&parameter) => Some((time, parameter)),
                    None => near.get(&input.id).copied(),
                })
                .max_by_key(|&(time, _)| time);
            if let Some(found) = last {
                near.extend(operation.outputs().map(|output| (output.id, found)));
            }
        }
        let (_, parameter) = last?;
        self.module(parameter)
    }

    /// Returns the module that a parameter stands for, which is the one that holds it.
    pub(crate) fn module(&self, parameter: ParamId) -> Option<String> {
        let path = self.known.get(&parameter)?;
        let module = path
            .rsplit_once('.')
            .map_or(path.as_str(), |(module, _)| module);
        Some(module.to_owned())
    }
}

impl ModuleVisitor for Paths {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let path = self.path.join(".");
        self.known.entry(param.id).or_insert(path);
    }

    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }
}
