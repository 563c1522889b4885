//! Linear maps along single axes: average pooling and interpolation.
//!
//! They are separable, so each axis is a product with a small matrix. The matrix is what Burn's own
//! operation makes of the unit vectors, so every option means what it means in Burn.

use burn::tensor::{DType, Tensor, TensorData};
use burn_backend::ops::{FloatTensorOps, InterpolateOptions, ModuleOps};
use burn_dispatch::{Dispatch, DispatchTensor};
use burn_ir::{AvgPool1dOpIr, AvgPool2dOpIr};

use super::Lowering;
use crate::graph::{NodeId, elements};

/// Average pooling along one axis.
pub(super) struct Average {
    pub(super) kernel: usize,
    pub(super) stride: usize,
    pub(super) padding: usize,
    pub(super) count_padding: bool,
    pub(super) ceil_mode: bool,
}

impl Average {
    pub(super) const fn line(op: &AvgPool1dOpIr) -> Self {
        Self {
            kernel: op.kernel_size,
            stride: op.stride,
            padding: op.padding,
            count_padding: op.count_include_pad,
            ceil_mode: op.ceil_mode,
        }
    }

    pub(super) fn plane(op: &AvgPool2dOpIr) -> [Self; 2] {
        [0, 1].map(|axis| Self {
            kernel: op.kernel_size[axis],
            stride: op.stride[axis],
            padding: op.padding[axis],
            count_padding: op.count_include_pad,
            ceil_mode: op.ceil_mode,
        })
    }
}

impl Lowering {
    /// Returns the average pooling of `[N, C, ..]` along the axes after the second.
    pub(super) fn average_pool(&mut self, x: NodeId, axes: &[Average]) -> NodeId {
        axes.iter().enumerate().fold(x, |x, (position, pool)| {
            let axis = position + 2;
            let len = self.graph.shape(x)[axis];
            if pool.padding == 0 && pool.kernel == pool.stride && len.is_multiple_of(pool.kernel) {
                return self.block_mean(x, axis, pool.kernel);
            }
            let matrix = self.matrix(len, self.graph.dtype(x), |unit| {
                Dispatch::avg_pool1d(
                    unit,
                    pool.kernel,
                    pool.stride,
                    pool.padding,
                    pool.count_padding,
                    pool.ceil_mode,
                )
            });
            self.resample(x, axis, matrix)
        })
    }

    /// Returns the adaptive average pooling of `[N, C, ..]` to `sizes`.
    pub(super) fn adaptive_pool(&mut self, x: NodeId, sizes: &[usize]) -> NodeId {
        sizes.iter().enumerate().fold(x, |x, (position, &size)| {
            let axis = position + 2;
            let len = self.graph.shape(x)[axis];
            if len.is_multiple_of(size) {
                return self.block_mean(x, axis, len / size);
            }
            let matrix = self.matrix(len, self.graph.dtype(x), |unit| {
                Dispatch::adaptive_avg_pool1d(unit, size)
            });
            self.resample(x, axis, matrix)
        })
    }

    /// Returns the interpolation of `[N, C, H, W]`.
    pub(super) fn interpolate(
        &mut self,
        x: NodeId,
        sizes: [usize; 2],
        options: &InterpolateOptions,
    ) -> NodeId {
        sizes.iter().enumerate().fold(x, |x, (position, &size)| {
            let axis = position + 2;
            let len = self.graph.shape(x)[axis];
            let matrix = self.matrix(len, self.graph.dtype(x), |unit| {
                let image = Dispatch::float_reshape(unit, [len, 1, len, 1].into());
                Dispatch::interpolate(image, [size, 1], options.clone())
            });
            self.resample(x, axis, matrix)
        })
    }

    /// Returns the mean of every `size` entries along an axis.
    fn block_mean(&mut self, x: NodeId, axis: usize, size: usize) -> NodeId {
        if size == 1 {
            return x;
        }
        let mut split = self.graph.shape(x).to_vec();
        split[axis] /= size;
        let joined = split.clone();
        split.insert(axis + 1, size);
        let blocks = self.graph.reshape(x, split);
        let means = self.graph.mean_over(blocks, &[axis + 1]);
        self.graph.reshape(means, joined)
    }

    /// Returns the matrix `[len, out]` of a linear map that takes `[len, 1, len]` rows.
    fn matrix(
        &mut self,
        len: usize,
        dtype: DType,
        map: impl Fn(DispatchTensor) -> DispatchTensor,
    ) -> NodeId {
        let mut unit = vec![0.0_f64; len * len];
        for position in 0..len {
            unit[position * len + position] = 1.0;
        }
        let unit = TensorData::new(unit, [len, 1, len]).convert_dtype(dtype);
        let image = map(Dispatch::float_from_data(unit, &self.device));
        let size = burn_backend::TensorMetadata::shape(&image).num_elements() / len;
        let image = Dispatch::float_reshape(image, [len, size].into());
        let data = Tensor::<2>::from_dispatch(image).into_data();
        self.graph.constant(data)
    }

    /// Returns x with `matrix`, `[len, out]`, applied along an axis.
    fn resample(&mut self, x: NodeId, axis: usize, matrix: NodeId) -> NodeId {
        let last = self.graph.rank(x) - 1;
        let x = self.graph.swap(x, axis, last);
        let mut shape = self.graph.shape(x).to_vec();
        let len = shape[last];
        let rows = elements(&shape) / len;
        let flat = self.graph.reshape(x, vec![rows, len]);
        let product = self.graph.matmul(flat, false, matrix, false);
        shape[last] = self.graph.shape(matrix)[1];
        let product = self.graph.reshape(product, shape);
        self.graph.swap(product, axis, last)
    }
}
