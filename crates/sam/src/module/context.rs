//! The autodiff state of a parameter, which arithmetic on its value loses.

use burn::module::ParamId;
use burn::tensor::kind::Autodiff;
use burn::tensor::{GradientCheckpointingStrategy, Tensor};

/// The autodiff state of a parameter. Burn's optimisers keep the same three things, in a private
/// type of their own.
///
/// Without its checkpointing strategy a parameter panics in the next forward pass, where it meets
/// inputs under another strategy.
#[derive(Clone, Copy)]
pub(crate) struct Context {
    require_grad: bool,
    distributed: bool,
    checkpointing: Option<GradientCheckpointingStrategy>,
}

impl Context {
    /// Reads the state of a tensor.
    pub(crate) fn of<const D: usize>(tensor: &Tensor<D>) -> Self {
        Self {
            require_grad: tensor.is_require_grad(),
            // A tensor without autodiff cannot be asked.
            distributed: tensor.is_autodiff() && tensor.is_distributed(),
            checkpointing: tensor.gradient_checkpointing_strategy(),
        }
    }

    /// Returns `value`, a tensor without autodiff, as a leaf with this state.
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

/// Returns `value`, a tensor without autodiff, under a strategy, or as it is where there was none.
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
