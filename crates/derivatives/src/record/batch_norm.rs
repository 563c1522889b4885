//! Which BatchNorm layers normalise with the statistics of the batch.

use std::collections::HashSet;

use burn::module::{Flag, Module, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;

/// The running means of the BatchNorm layers whose training flag is on.
pub(crate) fn normalising_by_batch<M: Module>(active: &M) -> HashSet<ParamId> {
    #[derive(Default)]
    struct Layers {
        /// Names of the fields on the way, and the type that has each.
        path: Vec<String>,
        containers: Vec<String>,
        /// Paths of the layers whose flag is on.
        training: HashSet<Vec<String>>,
        found: HashSet<ParamId>,
    }
    impl Layers {
        fn batch_norm(&self) -> Option<&[String]> {
            let container = self.containers.last()?;
            (container == "Struct:BatchNorm").then(|| &self.path[..self.path.len() - 1])
        }
    }
    impl ModuleVisitor for Layers {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if self.path.last().is_some_and(|name| name == "running_mean")
                && self
                    .batch_norm()
                    .is_some_and(|layer| self.training.contains(layer))
            {
                self.found.insert(param.id);
            }
        }

        fn visit_flag(&mut self, flag: &Param<Flag>) {
            if let Some(layer) = self.batch_norm()
                && flag.val().is_enabled()
            {
                let layer = layer.to_vec();
                self.training.insert(layer);
            }
        }

        fn enter_module(&mut self, name: &str, container: &str) {
            self.path.push(name.to_owned());
            self.containers.push(container.to_owned());
        }

        fn exit_module(&mut self, _name: &str, _container: &str) {
            self.path.pop();
            self.containers.pop();
        }
    }
    let mut layers = Layers::default();
    active.visit(&mut layers);
    layers.found
}
