//! Running statistics of batch normalisation, in the passes of a step.

use std::collections::{HashMap, VecDeque};

use burn::module::{Flag, Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::{Bool, GradientCheckpointingStrategy, Int, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use super::context::{Context, with_checkpointing};

/// The policy for the running statistics of batch normalisation: which passes of a step move them.
///
/// The running mean and variance are meant for the weights that will be used, and those are `w`,
/// not the peak. Under every policy each pass normalises by the statistics of the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BatchNormStatistics {
    /// The first pass alone.
    ///
    /// The peak gets statistics of its own, as [`Module::valid`] followed by [`Module::train`]
    /// makes them. What these two forget is put back from the model: training flags that differ
    /// from their configuration, and checkpointing strategies. Plain tensors that a module holds
    /// beside its parameters come back with the default checkpointing strategy; where that matters,
    /// take [`BothPasses`](Self::BothPasses).
    FirstPass,
    /// Both passes, as in a loop that runs the model twice.
    BothPasses,
    /// A third forward pass, at the weights after the step, and neither of the two others.
    ///
    /// The statistics then belong to the weights that will be used, for one forward pass more. Only
    /// [`step`](crate::SharpnessAware::step) can do it; elsewhere it is
    /// [`FirstPass`](Self::FirstPass).
    Recomputed,
}

/// Returns the model of the first pass, where it is not the model itself.
pub(crate) fn first_of<M: Module>(model: &M, statistics: BatchNormStatistics) -> Option<M> {
    (statistics == BatchNormStatistics::Recomputed).then(|| with_own_statistics(model))
}

/// Returns the model of the second pass, before its weights move.
pub(crate) fn peak_of<M: Module>(model: &M, statistics: BatchNormStatistics) -> M {
    match statistics {
        BatchNormStatistics::BothPasses => model.clone(),
        _ => with_own_statistics(model),
    }
}

/// Returns the model with running statistics of its own: what happens to them does not reach the
/// model's.
///
/// A clone shares them, because they are behind an `Arc`. A model that has neither buffers nor
/// frozen parameters has no statistics, and a clone is enough.
pub(crate) fn with_own_statistics<M: Module>(model: &M) -> M {
    separated(model).unwrap_or_else(|| model.clone())
}

/// Returns the model with running statistics of its own, or `None` where a clone is enough.
pub(crate) fn separated<M: Module>(model: &M) -> Option<M> {
    let mut buffers = Buffers(false);
    model.visit(&mut buffers);
    if !buffers.0 {
        return None;
    }
    let mut contexts = Contexts::default();
    model.visit(&mut contexts);
    Some(model.valid().train().map(&mut contexts))
}

/// Gives the model the buffers of `before`, through the cells that its clones share.
pub(crate) fn restore_buffers<M: Module>(live: &M, before: &M) {
    let mut buffers = Values::default();
    before.visit(&mut buffers);
    // An update that still waits in a cell would be applied on top of them: `valid` applies it
    // first.
    let _ = live.valid();
    let _ = live.clone().map(&mut buffers);
}

/// One value for each place of an identifier, in the order of visiting: clones of a layer share
/// identifiers, and `valid` gives each of them statistics of its own.
struct ByPlace<T>(HashMap<ParamId, VecDeque<T>>);

impl<T> Default for ByPlace<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T> ByPlace<T> {
    fn add(&mut self, id: ParamId, value: T) {
        self.0.entry(id).or_default().push_back(value);
    }

    fn next(&mut self, id: ParamId) -> Option<T> {
        self.0.get_mut(&id)?.pop_front()
    }
}

/// The values of the float tensors without gradient.
#[derive(Default)]
struct Values(ByPlace<TensorData>);

impl ModuleVisitor for Values {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        // A quantised weight is no statistic.
        if !param.is_require_grad() && param.dtype().is_float() {
            self.0.add(param.id, param.base().to_data());
        }
    }
}

impl ModuleMapper for Values {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if param.is_require_grad() || !param.dtype().is_float() {
            return param;
        }
        let Some(value) = self.0.next(param.id) else {
            return param;
        };
        let (id, old, mapper) = param.consume();
        let context = Context::of(&old);
        let old = old.inner();
        let value = Tensor::from_data(value, (&old.device(), old.dtype()));
        Param::from_mapped_value(id, context.restore(value, id), mapper)
    }
}

/// The answer to whether there is a float tensor without gradient.
struct Buffers(bool);

impl ModuleVisitor for Buffers {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0 |= !param.is_require_grad();
    }
}

/// The context of every tensor and flag of one model, to be given to another.
#[derive(Default)]
struct Contexts {
    floats: ByPlace<Context>,
    checkpointing: ByPlace<Option<GradientCheckpointingStrategy>>,
    flags: ByPlace<bool>,
}

impl ModuleVisitor for Contexts {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        // Burn cannot ask a quantised weight, which is frozen, and `train` leaves it as it was.
        if param.dtype().is_float() {
            self.floats.add(param.id, Context::of(&param.base()));
        }
    }

    fn visit_int<const D: usize>(&mut self, param: &Param<Tensor<D, Int>>) {
        self.checkpointing
            .add(param.id, param.base().gradient_checkpointing_strategy());
    }

    fn visit_bool<const D: usize>(&mut self, param: &Param<Tensor<D, Bool>>) {
        self.checkpointing
            .add(param.id, param.base().gradient_checkpointing_strategy());
    }

    fn visit_flag(&mut self, flag: &Param<Flag>) {
        self.flags.add(flag.id, flag.is_enabled());
    }
}

impl ModuleMapper for Contexts {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if !param.dtype().is_float() {
            return param;
        }
        match self.floats.next(param.id) {
            Some(context) => {
                let (id, value, mapper) = param.consume();
                Param::from_mapped_value(id, context.restore(value.inner(), id), mapper)
            }
            None => param,
        }
    }

    fn map_int<const D: usize>(&mut self, param: Param<Tensor<D, Int>>) -> Param<Tensor<D, Int>> {
        match self.checkpointing.next(param.id) {
            Some(strategy) => param.map(|value| with_checkpointing(value.inner(), strategy)),
            None => param,
        }
    }

    fn map_bool<const D: usize>(
        &mut self,
        param: Param<Tensor<D, Bool>>,
    ) -> Param<Tensor<D, Bool>> {
        match self.checkpointing.next(param.id) {
            Some(strategy) => param.map(|value| with_checkpointing(value.inner(), strategy)),
            None => param,
        }
    }

    fn map_flag(&mut self, flag: Param<Flag>) -> Param<Flag> {
        // `map`, not `with_value`: the configuration that a later `train` restores stays as it is.
        match self.flags.next(flag.id) {
            Some(enabled) => flag.map(|value| value.with(enabled)),
            None => flag,
        }
    }
}
