//! Vectors of all parameters, `[P]`, and matrices of them, as one tensor for each parameter and
//! back.

use burn::tensor::{DType, Tensor};
use burn_backend::ops::FloatTensorOps;
use burn_dispatch::{Dispatch, DispatchTensor};

use crate::graph::elements;
use crate::primitive::with_leading;
use crate::{CapturedLoss, Error};

impl CapturedLoss {
    /// Returns a tensor on the device and in the float type of the parameters.
    pub(crate) fn adopt<const D: usize>(&self, tensor: &Tensor<D>) -> Tensor<D> {
        let tensor = tensor.clone().without_autodiff().to_device(self.device());
        match self.dtype() {
            DType::F64 => tensor.cast(burn::tensor::FloatDType::F64),
            _ => tensor.cast(burn::tensor::FloatDType::F32),
        }
    }

    /// Returns a flat vector as one tensor for each parameter.
    pub(crate) fn split(&self, vector: &Tensor<1>) -> Result<Vec<DispatchTensor>, Error> {
        let expected = self.dim();
        let found = vector.dims()[0];
        if found != expected {
            return Err(Error::Length { expected, found });
        }
        let vector = self.adopt(vector);
        let mut start = 0;
        Ok(self
            .programs()
            .blocks()
            .iter()
            .map(|shape| {
                let end = start + elements(shape);
                let part = vector.clone().slice_dim(0, start..end).into_dispatch();
                start = end;
                Dispatch::float_reshape(part, shape.clone().into())
            })
            .collect())
    }

    /// Returns the inverse of [`split`](Self::split).
    pub(crate) fn join(&self, blocks: Vec<DispatchTensor>) -> Tensor<1> {
        let flat = blocks
            .into_iter()
            .zip(self.programs().blocks())
            .map(|(block, shape)| Dispatch::float_reshape(block, [elements(shape)].into()))
            .collect();
        Tensor::from_dispatch(Dispatch::float_cat(flat, 0))
    }

    /// Returns vectors as the rows of a matrix.
    pub(crate) fn rows(&self, vectors: &[Tensor<1>]) -> Result<Tensor<2>, Error> {
        let expected = self.dim();
        let rows: Result<Vec<Tensor<2>>, Error> = vectors
            .iter()
            .map(|v| match v.dims()[0] {
                found if found == expected => Ok(self.adopt(v).reshape([1, expected])),
                found => Err(Error::Length { expected, found }),
            })
            .collect();
        Ok(Tensor::cat(rows?, 0))
    }

    /// Returns rows of length P as one tensor `[B, ..]` for each parameter.
    pub(crate) fn split_rows(&self, rows: &Tensor<2>) -> Vec<DispatchTensor> {
        let count = rows.dims()[0];
        let mut start = 0;
        self.programs()
            .blocks()
            .iter()
            .map(|shape| {
                let end = start + elements(shape);
                let part = rows.clone().slice_dim(1, start..end).into_dispatch();
                start = end;
                let shape = with_leading(count, shape);
                Dispatch::float_reshape(part, shape.into())
            })
            .collect()
    }

    /// Returns the inverse of [`split_rows`](Self::split_rows).
    pub(crate) fn join_rows(&self, blocks: Vec<DispatchTensor>, count: usize) -> Tensor<2> {
        let flat = blocks
            .into_iter()
            .zip(self.programs().blocks())
            .map(|(block, shape)| Dispatch::float_reshape(block, [count, elements(shape)].into()))
            .collect();
        Tensor::from_dispatch(Dispatch::float_cat(flat, 1))
    }
}

/// Returns a tensor as a vector.
pub(super) fn flat(tensor: DispatchTensor) -> Tensor<1> {
    let len = burn_backend::TensorMetadata::shape(&tensor).num_elements();
    Tensor::from_dispatch(Dispatch::float_reshape(tensor, [len].into()))
}
