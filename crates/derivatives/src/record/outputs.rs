//! Telling which of the recorded tensors are what.

use burn::tensor::Tensor;
use burn::tensor::kind::Basic;
use burn_capture::TensorId;

use super::marker::{Marker, recorded};

/// Marks the outputs of a model, and its data, while its loss is captured.
///
/// A closure may mark whether or not it is being captured: a tensor that stands on another device
/// is left alone.
#[derive(Debug, Default)]
pub struct Outputs {
    pub(crate) marked: Option<TensorId>,
    pub(crate) data: Vec<Option<TensorId>>,
}

impl Outputs {
    /// Says that `tensor`, of any shape, is what the loss is a function of.
    pub fn mark<const D: usize>(&mut self, tensor: &Tensor<D>) {
        if let Some(id) = id_of(tensor) {
            self.marked = Some(id);
        }
    }

    /// Says that `tensor`, of floats, integers or booleans, is data, with the first axis counting
    /// the examples: [`CapturedLoss::gradients_over`](crate::CapturedLoss::gradients_over) puts other data in its place.
    ///
    /// Returns the tensor that the loss must go on with, of which no value can be read while it is
    /// recorded; on any other device `tensor` itself.
    #[must_use = "the loss must go on with the tensor that is returned"]
    pub fn data<const D: usize, K: Basic>(&mut self, tensor: Tensor<D, K>) -> Tensor<D, K> {
        let tensor = Marker::Variable.mark(tensor);
        self.data.push(id_of(&tensor));
        tensor
    }
}

/// The id of a tensor on a recording device.
pub(crate) fn id_of<const D: usize, K: Basic>(tensor: &Tensor<D, K>) -> Option<TensorId> {
    recorded(tensor).map(|tensor| tensor.id())
}
