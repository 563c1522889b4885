//! A batch taken off automatic differentiation, as a recording device wants its tensors.

use burn::tensor::{Bool, Int, Tensor};
use landscape::TensorMapper;

/// Takes every tensor of a batch off automatic differentiation.
#[derive(Debug, Clone, Copy)]
pub struct WithoutAutodiff;

impl TensorMapper for WithoutAutodiff {
    fn float<const D: usize>(&mut self, tensor: Tensor<D>) -> Tensor<D> {
        tensor.without_autodiff()
    }

    fn int<const D: usize>(&mut self, tensor: Tensor<D, Int>) -> Tensor<D, Int> {
        tensor.without_autodiff()
    }

    fn bool<const D: usize>(&mut self, tensor: Tensor<D, Bool>) -> Tensor<D, Bool> {
        tensor.without_autodiff()
    }
}
