//! The positions of the maxima of a max pooling. Taking them is a `Gather`, which has the
//! derivative.
//!
//! The indices count along the flattened spatial axes of the input, as Burn's do; they are
//! piecewise constant. At a tie the first position wins, as in Burn's kernel.

use burn_backend::ops::{IntTensorOps, ModuleOps};
use burn_dispatch::{Dispatch, DispatchTensor};

use super::{Layout, Primitive, Rules, Site, Stack, Window, inputs};
use crate::graph::{Graph, NodeId};

/// Positions of the maxima of windows over one or two axes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct MaxPool {
    pub(crate) window: Window,
    pub(crate) ceil_mode: bool,
}

impl Graph {
    /// Returns positions `[N, C, out..]` of the maxima of `x`, `[N, C, in..]`.
    pub(crate) fn max_positions(&mut self, x: NodeId, pool: MaxPool, shape: Vec<usize>) -> NodeId {
        self.insert(pool, vec![x], shape, burn::tensor::DType::I64)
    }

    /// Returns the max pooling of `x`, `[N, C, in..]`, to `shape`, `[N, C, out..]`.
    pub(crate) fn max_pool(&mut self, x: NodeId, pool: MaxPool, shape: Vec<usize>) -> NodeId {
        // Images and channels are alike here: what was swapped may stay so.
        if let Primitive::Layout(Layout::Permute(axes)) = self.primitive(x)
            && axes[..2] == [1, 0]
            && axes[2..].iter().copied().eq(2..axes.len())
        {
            let inner = self.input(x, 0);
            let mut swapped = shape;
            swapped.swap(0, 1);
            let pooled = self.max_pool(inner, pool, swapped);
            return self.swap(pooled, 0, 1);
        }
        let positions = self.max_positions(x, pool, shape.clone());
        let (n, c) = (shape[0], shape[1]);
        let inputs: usize = self.shape(x)[2..].iter().product();
        let outputs: usize = shape[2..].iter().product();
        let flat = self.reshape(x, vec![n, c, inputs]);
        let positions = self.reshape(positions, vec![n, c, outputs]);
        let maxima = self.gather(flat, 2, positions);
        self.reshape(maxima, shape)
    }
}

impl Rules for MaxPool {
    fn evaluate(&self, tensors: Vec<DispatchTensor>, at: &Site<'_>) -> DispatchTensor {
        let [x] = inputs(tensors);
        let shape = burn_backend::TensorMetadata::shape(&x).to_vec();
        let own = self
            .window
            .planar(&shape[2..], &at.shape[2..])
            .and_then(|windows| flex_kernels::max_positions(&x, &windows, at.shape));
        if let Some(positions) = own {
            return positions;
        }
        let pair = |values: &[usize]| [values[0], values[1]];
        let window = &self.window;
        // Kernels of GPUs write their own integer type, whatever they are asked for.
        let index = at.int_dtype();
        let positions = if window.kernel.len() == 1 {
            Dispatch::max_pool1d_with_indices(
                x,
                window.kernel[0],
                window.stride[0],
                window.padding[0],
                window.dilation[0],
                self.ceil_mode,
                index,
            )
            .indices
        } else {
            Dispatch::max_pool2d_with_indices(
                x,
                pair(&window.kernel),
                pair(&window.stride),
                pair(&window.padding),
                pair(&window.dilation),
                self.ceil_mode,
                index,
            )
            .indices
        };
        Dispatch::int_cast(positions, at.dtype.into())
    }

    fn jvp(
        &self,
        _graph: &mut Graph,
        _inputs: &[NodeId],
        _out: NodeId,
        _tangents: &[Option<NodeId>],
    ) -> Option<NodeId> {
        None
    }

    /// Takes `[B, N, C, in..]` as B N images.
    fn batch(&self, graph: &mut Graph, stack: &Stack<'_>) -> NodeId {
        let fold = |shape: &[usize]| {
            let mut folded = shape[1..].to_vec();
            folded[0] *= shape[0];
            folded
        };
        let shape = stack.shape(graph);
        let images = fold(graph.shape(stack.inputs[0]));
        let images = graph.reshape(stack.inputs[0], images);
        let positions = graph.max_positions(images, self.clone(), fold(&shape));
        graph.reshape(positions, shape)
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{DType, Device, Tensor, TensorData};

    use super::*;
    use flex_kernels::Windows;

    #[test]
    fn positions_of_the_kernel_are_those_of_burn() {
        let device = Device::flex();
        // Many ties, and something that is no number in places.
        let values: Vec<f32> = (0..2 * 3 * 7 * 9)
            .map(|i| {
                if i % 41 == 7 {
                    f32::NAN
                } else {
                    (i * i % 5) as f32
                }
            })
            .collect();
        let data = TensorData::new(values, [2, 3, 7, 9]);
        let x = crate::primitive::upload(data, device.as_dispatch());
        for (kernel, stride, padding, dilation) in [
            ([2, 2], [2, 2], [0, 0], [1, 1]),
            ([3, 2], [1, 3], [0, 0], [1, 1]),
            ([2, 3], [2, 1], [0, 0], [2, 2]),
            ([3, 3], [2, 2], [1, 1], [1, 1]),
        ] {
            let input = [7, 9];
            let count = |axis: usize| {
                let reach: usize = dilation[axis] * (kernel[axis] - 1) + 1;
                (input[axis] + 2 * padding[axis] - reach) / stride[axis] + 1
            };
            let output = [count(0), count(1)];
            let windows = Windows {
                input,
                output,
                kernel,
                stride,
                padding,
                dilation,
            };
            let shape = [2, 3, output[0], output[1]];
            let own = flex_kernels::max_positions(&x, &windows, &shape).expect("a kernel");
            let burns = Dispatch::max_pool2d_with_indices(
                x.clone(),
                kernel,
                stride,
                padding,
                dilation,
                false,
                DType::I64.into(),
            );
            let positions =
                |tensor| Tensor::<4, burn::tensor::Int>::from_dispatch(tensor).into_data();
            assert_eq!(positions(own), positions(burns.indices), "{windows:?}");
        }
    }
}
