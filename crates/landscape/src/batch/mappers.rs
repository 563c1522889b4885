//! The functions that are applied to every tensor of a batch.

use std::ops::Range;

use burn::module::Module;
use burn::tensor::{Bool, Device, FloatDType, Int, Tensor};

use super::TensorMapper;

/// One function for tensors of each kind; the method is generic in the rank, so no closure does.
macro_rules! for_each_kind {
    (|$mapper:ident, $tensor:ident| $body:expr) => {
        fn float<const D: usize>(&mut self, $tensor: Tensor<D>) -> Tensor<D> {
            let $mapper = self;
            $body
        }

        fn int<const D: usize>(&mut self, $tensor: Tensor<D, Int>) -> Tensor<D, Int> {
            let $mapper = self;
            $body
        }

        fn bool<const D: usize>(&mut self, $tensor: Tensor<D, Bool>) -> Tensor<D, Bool> {
            let $mapper = self;
            $body
        }
    };
}
pub(crate) use for_each_kind;

pub(super) struct FirstAxes(pub(super) Vec<usize>);

impl TensorMapper for FirstAxes {
    for_each_kind!(|mapper, tensor| {
        mapper.0.extend(tensor.dims().first());
        tensor
    });
}

/// Without the autodiff state a tensor may have: a checkpointing strategy would go along with it
/// and meet parameters that have another.
pub(super) struct ToDevice<'d>(pub(super) &'d Device);

impl ToDevice<'_> {
    /// Returns the device without autodiff.
    fn plain(&self) -> Device {
        self.0.clone().without_autodiff()
    }
}

impl TensorMapper for ToDevice<'_> {
    // `to_device` leaves a tensor without autodiff on a device with it, where BatchNorm would take
    // its inference path: a batch in training has come from the device as the model has it.
    for_each_kind!(|mapper, tensor| {
        let tensor = tensor.without_autodiff().to_device(&mapper.plain());
        if mapper.0.is_autodiff() {
            Tensor::from_inner(tensor)
        } else {
            tensor
        }
    });

    fn module<M: Module>(&mut self, module: M) -> M {
        module.valid().to_device(&self.plain())
    }
}

pub(super) struct ToType(pub(super) FloatDType);

impl TensorMapper for ToType {
    fn float<const D: usize>(&mut self, tensor: Tensor<D>) -> Tensor<D> {
        tensor.cast(self.0)
    }
}

/// Tensors whose first axis does not count the examples (class weights, say) stay as they are.
pub(super) struct Double {
    pub(super) examples: usize,
    pub(super) count: usize,
}

impl TensorMapper for Double {
    for_each_kind!(|mapper, tensor| {
        if tensor.dims().first() == Some(&mapper.examples) {
            let part = tensor.slice_dim(0, 0..mapper.count);
            Tensor::cat(vec![part.clone(), part], 0)
        } else {
            tensor
        }
    });
}

/// Tensors whose first axis does not count the examples stay as they are.
pub(super) struct Narrow {
    pub(super) examples: usize,
    pub(super) range: Range<usize>,
}

impl TensorMapper for Narrow {
    for_each_kind!(|mapper, tensor| {
        if tensor.dims().first() == Some(&mapper.examples) {
            tensor.slice_dim(0, mapper.range.clone())
        } else {
            tensor
        }
    });
}
