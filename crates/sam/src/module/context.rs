//! The autodiff state of a parameter, which arithmetic on its value loses.

use burn::module::ParamId;
use burn::tensor::kind::Autodiff;
use burn::tensor::{GradientCheckpointingStrategy, Tensor};

/// What a parameter carries beside its value: Burn's optimisers keep the same three things, in a
/// type of their own that is private.
///
/// A forgotten checkpointing strategy panics in the next forward pass, where the parameter meets
/// its inputs under two strategies.
#[derive(Clone, Copy)]
pub(crate) struct Context {
    pub(crate) require_grad: bool,
    distributed: bool,
    checkpointing: Option<GradientCheckpointingStrategy>,
}

impl Context {
    pub(crate) fn of<const D: usize>(tensor: &Tensor<D>) -> Self {
        Self {
            require_grad: tensor.is_require_grad(),
            // A tensor without autodiff cannot be asked.
            distributed: tensor.is_autodiff() && tensor.is_distributed(),
            checkpointing: tensor.gradient_checkpointing_strategy(),
        }
    }

    /// `value`, a tensor without autodiff, as a leaf in this context.
    pub(crate) fn restore<const D: usize>(self, value: Tensor<D>, id: ParamId) -> Tensor<D> {
        let mut leaf = with_checkpointing(value, self.checkpointing);
        if self.require_grad {
            leaf = leaf.require_grad();
        }
        if self.distributed {
            leaf = leaf.set_distributed(id);
        }
        leaf
    }
}

/// `value`, a tensor without autodiff, under a strategy, or as it is where there was none.
pub(crate) fn with_checkpointing<const D: usize, K: Autodiff>(
    value: Tensor<D, K>,
    strategy: Option<GradientCheckpointingStrategy>,
) -> Tensor<D, K> {
    match strategy {
        Some(strategy) => value
            .autodiff()
            .with_gradient_checkpointing_strategy(strategy),
        None => value,
    }
}
