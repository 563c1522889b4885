//! Some of the examples of a batch.

use burn::tensor::kind::Basic;
use burn::tensor::{Bool, Int, Tensor};
use landscape::{Batch, TensorMapper};
use sam::Rows;

/// Returns the batch of the chosen examples. A tensor whose first axis does not count the examples
/// stays as it is.
pub(super) fn rows<B: Batch>(batch: &B, chosen: Rows<'_>) -> B {
    let examples = batch.examples();
    batch.clone().map(&mut Choose { chosen, examples })
}

struct Choose<'a> {
    chosen: Rows<'a>,
    examples: usize,
}

impl Choose<'_> {
    fn of<const D: usize, K: Basic>(&self, tensor: Tensor<D, K>) -> Tensor<D, K> {
        if tensor.dims().first() == Some(&self.examples) {
            self.chosen.of(&tensor)
        } else {
            tensor
        }
    }
}

impl TensorMapper for Choose<'_> {
    fn float<const D: usize>(&mut self, tensor: Tensor<D>) -> Tensor<D> {
        self.of(tensor)
    }

    fn int<const D: usize>(&mut self, tensor: Tensor<D, Int>) -> Tensor<D, Int> {
        self.of(tensor)
    }

    fn bool<const D: usize>(&mut self, tensor: Tensor<D, Bool>) -> Tensor<D, Bool> {
        self.of(tensor)
    }
}
