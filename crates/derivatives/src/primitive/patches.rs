//! The windows of a convolution laid out as a matrix, and their transpose.
//!
//! `Patches` maps `[C, N, in..]` to `[C K, N out]`: row (c, k) holds, for every image and window,
//! the entry k of the window in channel c, zero where the window hangs over the edge. A convolution
//! is then one matrix product, $Y = W P$ with $W$ `[O, C K]`, and so is each of its derivatives,
//! on the same patches. The transpose, `Unpatches`, adds each entry back where it came from. Both
//! are linear.

use burn::tensor::DType;
use burn_backend::ops::FloatTensorOps;
use burn_dispatch::{Dispatch, DispatchTensor};
use flex_kernels::Windows;

use super::{Range, Rules, Site, Stack, inputs};
use crate::graph::{Graph, NodeId, elements};

/// Windows over the axes after the second.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Window {
    pub(crate) kernel: Vec<usize>,
    pub(crate) stride: Vec<usize>,
    /// At both ends of each axis.
    pub(crate) padding: Vec<usize>,
    pub(crate) dilation: Vec<usize>,
}

/// Windows as a matrix, or back.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Patches {
    Extract {
        window: Window,
        /// Windows along each axis.
        output: Vec<usize>,
    },
    Add {
        window: Window,
        output: Vec<usize>,
    },
}

impl Graph {
    /// `[C, N, in..]` to `[C K, N out]`.
    pub(crate) fn patches(&mut self, x: NodeId, window: &Window, output: &[usize]) -> NodeId {
        let shape = self.shape(x);
        let rows = shape[0] * elements(&window.kernel);
        let shape = vec![rows, shape[1] * elements(output)];
        let dtype = self.dtype(x);
        let patches = Patches::Extract {
            window: window.clone(),
            output: output.to_vec(),
        };
        self.insert(patches, vec![x], shape, dtype)
    }

    /// `[C K, N out]` to `[C, N, in..]`, which is `shape`.
    pub(crate) fn unpatches(
        &mut self,
        p: NodeId,
        window: &Window,
        output: &[usize],
        shape: Vec<usize>,
    ) -> NodeId {
        let dtype = self.dtype(p);
        let patches = Patches::Add {
            window: window.clone(),
            output: output.to_vec(),
        };
        self.insert(patches, vec![p], shape, dtype)
    }
}

impl Window {
    /// As windows over two axes, the first of which may be a single line.
    pub(crate) fn planar(&self, input: &[usize], output: &[usize]) -> Option<Windows> {
        let pair = |values: &[usize], one: usize| match *values {
            [a] => Some([one, a]),
            [a, b] => Some([a, b]),
            _ => None,
        };
        Some(Windows {
            input: pair(input, 1)?,
            output: pair(output, 1)?,
            kernel: pair(&self.kernel, 1)?,
            stride: pair(&self.stride, 1)?,
            padding: pair(&self.padding, 0)?,
            dilation: pair(&self.dilation, 1)?,
        })
    }

    /// Shape of the padded input `[C, N, in..]`.
    fn padded(&self, shape: &[usize]) -> Vec<usize> {
        let mut padded = shape.to_vec();
        for (len, padding) in padded[2..].iter_mut().zip(&self.padding) {
            *len += 2 * padding;
        }
        padded
    }

    /// Where the input stands in the padded input.
    fn interior(&self, shape: &[usize]) -> Vec<Range> {
        let mut ranges = vec![Range::new(0, shape[0]), Range::new(0, shape[1])];
        for (len, padding) in shape[2..].iter().zip(&self.padding) {
            ranges.push(Range::new(*padding, padding + len));
        }
        ranges
    }

    /// For each entry of the window, where it stands in the padded input.
    fn taps(&self, shape: &[usize], output: &[usize]) -> Vec<Vec<Range>> {
        (0..elements(&self.kernel))
            .map(|tap| {
                let mut rest = tap;
                let mut offsets = vec![0; self.kernel.len()];
                for axis in (0..self.kernel.len()).rev() {
                    offsets[axis] = rest % self.kernel[axis];
                    rest /= self.kernel[axis];
                }
                let mut ranges = vec![Range::new(0, shape[0]), Range::new(0, shape[1])];
                for (axis, offset) in offsets.into_iter().enumerate() {
                    let start = offset * self.dilation[axis];
                    let step = self.stride[axis];
                    ranges.push(Range {
                        start,
                        end: start + (output[axis] - 1) * step + 1,
                        step,
                    });
                }
                ranges
            })
            .collect()
    }
}

fn slices(ranges: &[Range]) -> Vec<burn_backend::Slice> {
    ranges.iter().map(|range| range.to_burn()).collect()
}

/// The generic path of [`Patches::Extract`].
pub(crate) fn extract(
    x: DispatchTensor,
    window: &Window,
    output: &[usize],
    at: &Site<'_>,
) -> DispatchTensor {
    let shape = burn_backend::TensorMetadata::shape(&x).to_vec();
    let padded = zeros(window.padded(&shape), at.dtype, at);
    let padded = Dispatch::float_slice_assign(padded, &slices(&window.interior(&shape)), x);
    let taps = window.taps(&shape, output);
    let count = taps.len();
    let columns = shape[1] * elements(output);
    let parts = taps
        .iter()
        .map(|ranges| Dispatch::float_slice(padded.clone(), &slices(ranges)))
        .collect();
    // [K C, N, out..]: taps in front, to be brought behind the channels.
    let stacked = Dispatch::float_cat(parts, 0);
    let stacked = Dispatch::float_reshape(stacked, [count, shape[0], columns].into());
    let ordered = Dispatch::float_permute(stacked, &[1, 0, 2]);
    Dispatch::float_reshape(ordered, [shape[0] * count, columns].into())
}

fn zeros(shape: Vec<usize>, dtype: DType, at: &Site<'_>) -> DispatchTensor {
    Dispatch::float_zeros(shape.into(), at.device, dtype.into())
}

/// The generic path of [`Patches::Add`].
pub(crate) fn add(
    p: &DispatchTensor,
    window: &Window,
    output: &[usize],
    at: &Site<'_>,
) -> DispatchTensor {
    let shape = at.shape;
    let taps = window.taps(shape, output);
    let columns = shape[1] * elements(output);
    let split = [shape[0], taps.len(), columns];
    let split = Dispatch::float_reshape(p.clone(), split.into());
    let mut piece = vec![shape[0], shape[1]];
    piece.extend_from_slice(output);
    let mut sum = zeros(window.padded(shape), at.dtype, at);
    for (tap, ranges) in taps.iter().enumerate() {
        let which = [
            Range::new(0, shape[0]),
            Range::new(tap, tap + 1),
            Range::new(0, columns),
        ];
        let part = Dispatch::float_slice(split.clone(), &slices(&which));
        let part = Dispatch::float_reshape(part, piece.clone().into());
        let place = slices(ranges);
        let already = Dispatch::float_slice(sum.clone(), &place);
        sum = Dispatch::float_slice_assign(sum, &place, Dispatch::float_add(already, part));
    }
    Dispatch::float_slice(sum, &slices(&window.interior(shape)))
}

impl Rules for Patches {
    fn evaluate(&self, tensors: Vec<DispatchTensor>, at: &Site<'_>) -> DispatchTensor {
        let [x] = inputs(tensors);
        match self {
            Self::Extract { window, output } => {
                let shape = burn_backend::TensorMetadata::shape(&x).to_vec();
                window
                    .planar(&shape[2..], output)
                    .and_then(|windows| flex_kernels::patches(&x, &windows, at.shape))
                    .unwrap_or_else(|| extract(x, window, output, at))
            }
            Self::Add { window, output } => window
                .planar(&at.shape[2..], output)
                .and_then(|windows| flex_kernels::unpatches(&x, &windows, at.shape))
                .unwrap_or_else(|| add(&x, window, output, at)),
        }
    }

    fn jvp(
        &self,
        graph: &mut Graph,
        _inputs: &[NodeId],
        out: NodeId,
        tangents: &[Option<NodeId>],
    ) -> Option<NodeId> {
        let tangent = tangents[0]?;
        Some(match self {
            Self::Extract { window, output } => graph.patches(tangent, window, output),
            Self::Add { window, output } => {
                let shape = graph.shape(out).to_vec();
                graph.unpatches(tangent, window, output, shape)
            }
        })
    }

    fn transpose(
        &self,
        graph: &mut Graph,
        inputs: &[NodeId],
        _linear: &[bool],
        cotangent: NodeId,
    ) -> Vec<Option<NodeId>> {
        vec![Some(match self {
            Self::Extract { window, output } => {
                let shape = graph.shape(inputs[0]).to_vec();
                graph.unpatches(cotangent, window, output, shape)
            }
            Self::Add { window, output } => graph.patches(cotangent, window, output),
        })]
    }

    /// `[B, C, N, in..]` are B N images of C channels.
    fn batch(&self, graph: &mut Graph, stack: &Stack<'_>) -> NodeId {
        let (x, len) = (stack.inputs[0], stack.len);
        let x = graph.swap(x, 0, 1);
        // [C, B, N, ..] or [C K, B, N out]
        let mut folded = graph.shape(x).to_vec();
        let images = folded.remove(2);
        folded[1] *= images;
        let x = graph.reshape(x, folded);
        let (y, mut split) = match self {
            Self::Extract { window, output } => {
                let y = graph.patches(x, window, output);
                (y, graph.shape(stack.out).to_vec())
            }
            Self::Add { window, output } => {
                let mut shape = graph.shape(stack.out).to_vec();
                let split = shape.clone();
                shape[1] *= len;
                (graph.unpatches(x, window, output, shape), split)
            }
        };
        split.insert(1, len);
        let y = graph.reshape(y, split);
        graph.swap(y, 0, 1)
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Tensor, TensorData};

    use super::*;

    fn entries(tensor: DispatchTensor, len: usize) -> Vec<f64> {
        let flat = Dispatch::float_reshape(tensor, [len].into());
        Tensor::<1>::from_dispatch(flat)
            .into_data()
            .iter::<f64>()
            .collect()
    }

    #[test]
    fn kernels_and_generic_paths_are_equal() {
        let device = Device::flex();
        for (kernel, stride, padding, dilation) in [
            ([3, 2], [1, 1], [0, 0], [1, 1]),
            ([3, 2], [2, 3], [1, 2], [2, 1]),
            // As many outputs as inputs.
            ([3, 3], [1, 1], [1, 1], [1, 1]),
            ([3, 5], [1, 1], [2, 2], [2, 1]),
        ] {
            let window = Window {
                kernel: kernel.to_vec(),
                stride: stride.to_vec(),
                padding: padding.to_vec(),
                dilation: dilation.to_vec(),
            };
            let input = [7, 8];
            let output: Vec<usize> = (0..2)
                .map(|axis| {
                    let reach = dilation[axis] * (window.kernel[axis] - 1) + 1;
                    (input[axis] + 2 * padding[axis] - reach) / stride[axis] + 1
                })
                .collect();
            let full = [2, 3, 7, 8];
            let values: Vec<f64> = (0..elements(&full)).map(|i| (i as f64).sin()).collect();
            let data = TensorData::new(values, full);
            let x = super::super::upload(data, device.as_dispatch());
            let rows = [2 * elements(&kernel), 3 * elements(&output)];
            let windows = window.planar(&input, &output).expect("two axes");
            let site = |shape| Site {
                shape,
                dtype: DType::F64,
                device: device.as_dispatch(),
            };
            let fast = flex_kernels::patches(&x, &windows, &rows).expect("a kernel");
            let generic = extract(x, &window, &output, &site(&rows));
            let len = elements(&rows);
            assert_eq!(entries(fast.clone(), len), entries(generic, len));
            let back = flex_kernels::unpatches(&fast, &windows, &full).expect("a kernel");
            let generic = add(&fast, &window, &output, &site(&full));
            let len = elements(&full);
            assert_eq!(entries(back, len), entries(generic, len));
        }
    }
}
