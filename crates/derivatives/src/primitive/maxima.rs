//! The values of a max pooling, without a tensor of their positions.
//!
//! A max pooling is a `Gather` at the positions of the maxima, which is what its derivatives are made of.
//! A program that is only evaluated takes the values at once.

use burn_backend::ops::FloatTensorOps;
use burn_backend::{DType, TensorMetadata};
use burn_dispatch::{Dispatch, DispatchTensor};

use super::{Index, Layout, MaxPool, Primitive, Rules, Site, Stack, inputs};
use crate::graph::{Graph, NodeId};

/// Maxima of windows over one or two axes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Maxima(pub(crate) MaxPool);

impl Graph {
    /// If `id` gathers the maxima of windows of a tensor: that tensor, and the primitive that does both,
    /// whose result has the shape that comes with it and the entries of `id`.
    pub(crate) fn as_maxima(&self, id: NodeId) -> Option<(NodeId, Maxima, Vec<usize>)> {
        let Primitive::Index(Index::Gather(_)) = self.primitive(id) else {
            return None;
        };
        let unshaped = |x: NodeId| match self.primitive(x) {
            Primitive::Layout(Layout::Reshape) => self.input(x, 0),
            _ => x,
        };
        let positions = unshaped(self.input(id, 1));
        let Primitive::MaxPool(pool) = self.primitive(positions) else {
            return None;
        };
        let x = self.input(positions, 0);
        // Entries picked from the tensor that was looked at, and not from another one.
        let same = unshaped(self.input(id, 0)) == unshaped(x);
        let shape = self.shape(positions).to_vec();
        same.then(|| (x, Maxima(pool.clone()), shape))
    }
}

impl Rules for Maxima {
    fn evaluate(&self, tensors: Vec<DispatchTensor>, at: &Site<'_>) -> DispatchTensor {
        let [x] = inputs(tensors);
        let shape = x.shape().to_vec();
        self.0
            .window
            .planar(&shape[2..], &at.shape[2..])
            .and_then(|windows| flex_kernels::maxima(&x, &windows, at.shape))
            .unwrap_or_else(|| self.generic(x, at))
    }

    fn jvp(
        &self,
        _graph: &mut Graph,
        _inputs: &[NodeId],
        _out: NodeId,
        _tangents: &[Option<NodeId>],
    ) -> Option<NodeId> {
        unreachable!("a program that is only evaluated is not differentiated")
    }

    fn batch(&self, _graph: &mut Graph, _stack: &Stack<'_>) -> NodeId {
        unreachable!("a program that is only evaluated is not batched")
    }
}

impl Maxima {
    /// By positions.
    fn generic(&self, x: DispatchTensor, at: &Site<'_>) -> DispatchTensor {
        let site = Site {
            dtype: DType::I64,
            ..*at
        };
        let positions = self.0.evaluate(vec![x.clone()], &site);
        let [n, c] = [at.shape[0], at.shape[1]];
        let flat = |shape: &[usize]| vec![n, c, shape[2..].iter().product()];
        let from = flat(&x.shape().to_vec());
        let x = Dispatch::float_reshape(x, from.into());
        let positions = {
            use burn_backend::ops::IntTensorOps;
            Dispatch::int_reshape(positions, flat(at.shape).into())
        };
        let maxima = Dispatch::float_gather(2, x, positions);
        Dispatch::float_reshape(maxima, at.shape.to_vec().into())
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Tensor, TensorData};

    use super::super::{Window, upload};
    use super::*;

    fn entries(tensor: DispatchTensor) -> Vec<u64> {
        let data = Tensor::<4>::from_dispatch(tensor).into_data();
        data.iter::<f64>().map(f64::to_bits).collect()
    }

    #[test]
    fn kernel_and_generic_path_are_equal_bit_for_bit() {
        let device = Device::flex();
        let mut values: Vec<f64> = (0..336).map(|i| f64::from(i * i % 61) - 70.0).collect();
        (values[40], values[200]) = (f64::NAN, f64::INFINITY);
        for (input, kernel, stride, padding, dilation) in [
            ([6, 8], [2, 2], [2, 2], [0, 0], [1, 1]),
            ([7, 8], [2, 2], [2, 2], [0, 0], [1, 1]),
            ([7, 8], [3, 2], [2, 3], [1, 1], [2, 1]),
            ([7, 8], [3, 3], [1, 2], [1, 1], [1, 2]),
        ] {
            let shape = [2, 3, input[0], input[1]];
            let values = values[..shape.iter().product()].to_vec();
            let output: [usize; 2] = [0, 1].map(|axis: usize| {
                let reach = dilation[axis] * (kernel[axis] - 1) + 1;
                (input[axis] + 2 * padding[axis] - reach) / stride[axis] + 1
            });
            let maxima = Maxima(MaxPool {
                window: Window {
                    kernel: kernel.to_vec(),
                    stride: stride.to_vec(),
                    padding: padding.to_vec(),
                    dilation: dilation.to_vec(),
                },
                ceil_mode: false,
            });
            for dtype in [DType::F32, DType::F64] {
                let data = TensorData::new(values.clone(), shape).convert_dtype(dtype);
                let x = upload(data, device.as_dispatch());
                let site = Site {
                    shape: &[2, 3, output[0], output[1]],
                    dtype,
                    device: device.as_dispatch(),
                };
                let windows = maxima.0.window.planar(&input, &output).expect("two axes");
                let own = flex_kernels::maxima(&x, &windows, site.shape).expect("a kernel");
                assert_eq!(entries(own), entries(maxima.generic(x, &site)));
            }
        }
    }
}
