//! A value of a plan.

use std::sync::Arc;

use burn_backend::TensorMetadata;
use burn_dispatch::DispatchTensor;
use flex_kernels::Sparse;

use crate::graph::elements;

/// A tensor, or the panels of a matrix, as a step makes them.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Tensor(DispatchTensor),
    /// The panels of a matrix; `None` of one that is multiplied as it is.
    Panels(Option<Arc<Sparse>>),
}

impl Value {
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Tensor(tensor) => elements(&tensor.shape()) * tensor.dtype().size(),
            Self::Panels(panels) => panels.as_ref().map_or(0, |panels| panels.bytes()),
        }
    }

    /// Returns the tensor.
    ///
    /// # Panics
    /// If it is none: plans give panels to products only.
    pub(crate) fn tensor(self) -> DispatchTensor {
        match self {
            Self::Tensor(tensor) => tensor,
            Self::Panels(_) => unreachable!("only products take panels"),
        }
    }
}
