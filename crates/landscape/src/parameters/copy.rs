//! Copies of a module that share no mutable state with it.
//!
//! Burn's `clone` shares BatchNorm's running statistics, and a forward pass of a clone in training
//! mode updates those of the original. Only `valid` and `train` make fresh ones.

use std::collections::HashMap;

use burn::module::{Flag, Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::{GradientCheckpointingStrategy, Tensor};
use derivatives::Statistics;

use super::burn_names::is_batch_norm;

/// Returns the model for measuring: on the autodiff device, every trainable parameter a leaf that
/// requires a gradient, dropout and noise off, BatchNorm as `statistics` says.
pub(crate) fn tracked<M: Module>(model: &M, statistics: Statistics) -> M {
    model.valid().train().map(&mut Quiet {
        statistics,
        layers: Vec::new(),
    })
}

/// Returns a copy with running statistics of its own, otherwise as `model` is: training one does
/// not change the other. Weights are shared until one of both is written to, so it costs no
/// arithmetic.
///
/// Burn's `clone` shares BatchNorm's running statistics with the original.
pub fn snapshot<M: Module>(model: &M) -> M {
    copy(model)
}

/// Returns a copy with running statistics of its own, otherwise as `model` is.
pub(crate) fn copy<M: Module>(model: &M) -> M {
    let mut states = States::default();
    model.visit(&mut states);
    if states.tracked {
        model.valid().train().map(&mut states)
    } else {
        model.valid()
    }
}

/// The mapper that turns off what draws random numbers, and BatchNorm's training path if its
/// running statistics are wanted.
struct Quiet {
    statistics: Statistics,
    layers: Vec<String>,
}

impl ModuleMapper for Quiet {
    fn map_flag(&mut self, flag: Param<Flag>) -> Param<Flag> {
        let is_batch_norm = self.layers.last().is_some_and(|layer| is_batch_norm(layer));
        if is_batch_norm && self.statistics == Statistics::Batch {
            flag
        } else {
            flag.with_value(false)
        }
    }

    fn enter_module(&mut self, _name: &str, container_type: &str) {
        self.layers.push(container_type.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.layers.pop();
    }
}

/// The checkpointing strategy of each tensor, which `valid` then `train` forgets.
#[derive(Default)]
struct States {
    tracked: bool,
    strategies: HashMap<ParamId, GradientCheckpointingStrategy>,
}

impl ModuleVisitor for States {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.val();
        self.tracked |= tensor.is_autodiff();
        if let Some(strategy) = tensor.gradient_checkpointing_strategy() {
            self.strategies.insert(param.id, strategy);
        }
    }
}

impl ModuleMapper for States {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(&strategy) = self.strategies.get(&param.id) else {
            return param;
        };
        param.map(|tensor| {
            let require_grad = tensor.is_require_grad();
            tensor
                .detach()
                .with_gradient_checkpointing_strategy(strategy)
                .set_require_grad(require_grad)
        })
    }
}
