//! Layers: convolutions, pooling, normalisation, attention, embedding.

use burn_ir::{
    AttentionOpIr, BatchNormOpIr, LayerNormOpIr, LinearOpIr, ModuleOperationIr, TensorIr,
    Unfold4dOpIr,
};

use super::{Lowered, Lowering, dims, name, unsupported};
use crate::Error;
use crate::graph::{NodeId, elements};
use crate::primitive::{Comparison, Discrete, MaxPool, Range, Unary, Window};

impl Lowering {
    #[expect(clippy::too_many_lines, reason = "one arm for each recorded operation")]
    pub(super) fn module(&mut self, operation: &ModuleOperationIr) -> Result<(), Error> {
        use ModuleOperationIr as Op;
        let (out, node) = match operation {
            Op::BatchNorm(op) => (&op.out, self.batch_norm(op)?),
            Op::LayerNorm(op) => (&op.out, self.layer_norm(op)?),
            Op::Linear(op) => (&op.out, self.linear(op)?),
            Op::Embedding(op) => {
                let (table, indices) = (self.get(&op.weights)?, self.get(&op.indices)?);
                let count = elements(self.graph.shape(indices));
                let flat = self.graph.reshape(indices, vec![count]);
                let rows = self.graph.select(table, 0, flat);
                (&op.out, self.graph.reshape(rows, dims(&op.out)))
            }
            Op::Conv1d(op) => {
                let o = &op.options;
                let padding = o.padding.to_vec();
                let layer = Convolution {
                    x: &op.x,
                    weight: &op.weight,
                    bias: op.bias.as_ref(),
                    window: window(&op.weight, &o.stride, &o.dilation),
                    groups: o.groups,
                    out: &op.out,
                };
                (&op.out, self.convolution(layer, &padding)?)
            }
            Op::Conv2d(op) => {
                let o = &op.options;
                let padding = o.padding.to_vec();
                let layer = Convolution {
                    x: &op.x,
                    weight: &op.weight,
                    bias: op.bias.as_ref(),
                    window: window(&op.weight, &o.stride, &o.dilation),
                    groups: o.groups,
                    out: &op.out,
                };
                (&op.out, self.convolution(layer, &padding)?)
            }
            Op::Conv3d(op) => {
                let o = &op.options;
                let padding: Vec<_> = o.padding.iter().map(|&p| (p, p)).collect();
                let layer = Convolution {
                    x: &op.x,
                    weight: &op.weight,
                    bias: op.bias.as_ref(),
                    window: window(&op.weight, &o.stride, &o.dilation),
                    groups: o.groups,
                    out: &op.out,
                };
                (&op.out, self.convolution(layer, &padding)?)
            }
            Op::ConvTranspose1d(op) => {
                let o = &op.options;
                let mut window = window(&op.weight, &o.stride, &o.dilation);
                window.padding = o.padding.to_vec();
                let layer = Convolution {
                    x: &op.x,
                    weight: &op.weight,
                    bias: op.bias.as_ref(),
                    window,
                    groups: o.groups,
                    out: &op.out,
                };
                (&op.out, self.transposed(layer)?)
            }
            Op::ConvTranspose2d(op) => {
                let o = &op.options;
                let mut window = window(&op.weight, &o.stride, &o.dilation);
                window.padding = o.padding.to_vec();
                let layer = Convolution {
                    x: &op.x,
                    weight: &op.weight,
                    bias: op.bias.as_ref(),
                    window,
                    groups: o.groups,
                    out: &op.out,
                };
                (&op.out, self.transposed(layer)?)
            }
            Op::ConvTranspose3d(op) => {
                let o = &op.options;
                let mut window = window(&op.weight, &o.stride, &o.dilation);
                window.padding = o.padding.to_vec();
                let layer = Convolution {
                    x: &op.x,
                    weight: &op.weight,
                    bias: op.bias.as_ref(),
                    window,
                    groups: o.groups,
                    out: &op.out,
                };
                (&op.out, self.transposed(layer)?)
            }
            Op::MaxPool1d(op) => {
                let x = self.get(&op.x)?;
                let pool = MaxPool {
                    window: Window {
                        kernel: vec![op.kernel_size],
                        stride: vec![op.stride],
                        padding: vec![op.padding],
                        dilation: vec![op.dilation],
                    },
                    ceil_mode: op.ceil_mode,
                };
                (&op.out, self.graph.max_pool(x, pool, dims(&op.out)))
            }
            Op::MaxPool1dWithIndices(op) => {
                let x = self.get(&op.x)?;
                let pool = MaxPool {
                    window: Window {
                        kernel: vec![op.kernel_size],
                        stride: vec![op.stride],
                        padding: vec![op.padding],
                        dilation: vec![op.dilation],
                    },
                    ceil_mode: op.ceil_mode,
                };
                let positions = self.graph.max_positions(x, pool.clone(), dims(&op.out));
                self.set(&op.out_indices, positions)?;
                (&op.out, self.graph.max_pool(x, pool, dims(&op.out)))
            }
            Op::MaxPool2d(op) => {
                let x = self.get(&op.x)?;
                let pool = MaxPool {
                    window: Window {
                        kernel: op.kernel_size.to_vec(),
                        stride: op.stride.to_vec(),
                        padding: op.padding.to_vec(),
                        dilation: op.dilation.to_vec(),
                    },
                    ceil_mode: op.ceil_mode,
                };
                (&op.out, self.graph.max_pool(x, pool, dims(&op.out)))
            }
            Op::MaxPool2dWithIndices(op) => {
                let x = self.get(&op.x)?;
                let pool = MaxPool {
                    window: Window {
                        kernel: op.kernel_size.to_vec(),
                        stride: op.stride.to_vec(),
                        padding: op.padding.to_vec(),
                        dilation: op.dilation.to_vec(),
                    },
                    ceil_mode: op.ceil_mode,
                };
                let positions = self.graph.max_positions(x, pool.clone(), dims(&op.out));
                self.set(&op.out_indices, positions)?;
                (&op.out, self.graph.max_pool(x, pool, dims(&op.out)))
            }
            Op::AvgPool1d(op) => {
                let x = self.get(&op.x)?;
                let axis = super::resample::Average {
                    kernel: op.kernel_size,
                    stride: op.stride,
                    padding: op.padding,
                    count_padding: op.count_include_pad,
                    ceil_mode: op.ceil_mode,
                };
                (&op.out, self.average_pool(x, &[axis]))
            }
            Op::AvgPool2d(op) => {
                let x = self.get(&op.x)?;
                let axes = [0, 1].map(|axis| super::resample::Average {
                    kernel: op.kernel_size[axis],
                    stride: op.stride[axis],
                    padding: op.padding[axis],
                    count_padding: op.count_include_pad,
                    ceil_mode: op.ceil_mode,
                });
                (&op.out, self.average_pool(x, &axes))
            }
            Op::AdaptiveAvgPool1d(op) => {
                let x = self.get(&op.x)?;
                (&op.out, self.adaptive_pool(x, &[op.output_size]))
            }
            Op::AdaptiveAvgPool2d(op) => {
                let x = self.get(&op.x)?;
                (&op.out, self.adaptive_pool(x, &op.output_size))
            }
            Op::AdaptiveAvgPool3d(op) => {
                let x = self.get(&op.x)?;
                (&op.out, self.adaptive_pool(x, &op.output_size))
            }
            Op::Interpolate(op) => {
                let x = self.get(&op.x)?;
                let options = op.options.clone().into();
                (&op.out, self.interpolate(x, op.output_size, &options))
            }
            Op::Attention(op) => (&op.out, self.attention(op)?),
            Op::Unfold4d(op) => (&op.out, self.unfold(op)?),
            Op::DeformableConv2d(_) => {
                return Err(unsupported("DeformableConv2d", "no rule for it yet"));
            }
            Op::CtcLoss(_) => return Err(unsupported("CtcLoss", "no rule for it yet")),
            Op::EmbeddingBackward(_)
            | Op::LinearXBackward(_)
            | Op::LinearWeightBackward(_)
            | Op::LinearBiasBackward(_)
            | Op::Conv1dXBackward(_)
            | Op::Conv1dWeightBackward(_)
            | Op::Conv1dBiasBackward(_)
            | Op::Conv2dXBackward(_)
            | Op::Conv2dWeightBackward(_)
            | Op::Conv2dBiasBackward(_)
            | Op::Conv3dXBackward(_)
            | Op::Conv3dWeightBackward(_)
            | Op::Conv3dBiasBackward(_)
            | Op::DeformableConv2dBackward(_)
            | Op::AvgPool1dBackward(_)
            | Op::AvgPool2dBackward(_)
            | Op::AdaptiveAvgPool1dBackward(_)
            | Op::AdaptiveAvgPool2dBackward(_)
            | Op::AdaptiveAvgPool3dBackward(_)
            | Op::MaxPool1dWithIndicesBackward(_)
            | Op::MaxPool2dWithIndicesBackward(_)
            | Op::InterpolateBackward(_)
            | Op::CtcLossBackward(_)
            | Op::ConvTranspose1dWeightBackward(_)
            | Op::ConvTranspose1dBiasBackward(_)
            | Op::ConvTranspose2dWeightBackward(_)
            | Op::ConvTranspose2dBiasBackward(_)
            | Op::ConvTranspose3dWeightBackward(_)
            | Op::ConvTranspose3dBiasBackward(_) => {
                return Err(unsupported(
                    name(operation),
                    "a loss that contains a backward pass",
                ));
            }
        };
        self.set(out, node)
    }

    /// `[C]` as `[1, C, 1, ..]`.
    fn per_channel(&mut self, x: NodeId, rank: usize) -> NodeId {
        let mut shape = vec![1; rank];
        shape[1] = self.graph.shape(x)[0];
        self.graph.reshape(x, shape)
    }

    /// 1 / sqrt(variance + epsilon)
    fn inverse_deviation(&mut self, variance: NodeId, epsilon: f64) -> NodeId {
        let shifted = self.graph.offset(variance, epsilon);
        let deviation = self.graph.unary(Unary::Sqrt, shifted);
        self.graph.power(deviation, -1.0)
    }

    /// x minus its mean over `axes`, and the mean of its square, which is the biased variance.
    fn centred(&mut self, x: NodeId, axes: &[usize]) -> (NodeId, NodeId) {
        let mean = self.graph.mean_over(x, axes);
        let centred = self.graph.sub(x, mean);
        let square = self.graph.mul(centred, centred);
        (centred, self.graph.mean_over(square, axes))
    }

    fn batch_norm(&mut self, op: &BatchNormOpIr) -> Lowered {
        let x = self.get(&op.x)?;
        let rank = self.graph.rank(x);
        let (gamma, beta) = (self.get(&op.gamma)?, self.get(&op.beta)?);
        let gamma = self.per_channel(gamma, rank);
        let beta = self.per_channel(beta, rank);
        let (centred, variance) = if self.batch_statistics.contains(&op.mean.id) {
            let axes: Vec<usize> = (0..rank).filter(|&axis| axis != 1).collect();
            self.centred(x, &axes)
        } else {
            let (mean, variance) = (self.get(&op.mean)?, self.get(&op.variance)?);
            let mean = self.per_channel(mean, rank);
            let variance = self.per_channel(variance, rank);
            (self.graph.sub(x, mean), variance)
        };
        let inverse = self.inverse_deviation(variance, op.epsilon.elem());
        let slope = self.graph.mul(gamma, inverse);
        let scaled = self.graph.mul(centred, slope);
        Ok(self.graph.add(scaled, beta))
    }

    fn layer_norm(&mut self, op: &LayerNormOpIr) -> Lowered {
        let x = self.get(&op.input)?;
        let last = self.graph.rank(x) - 1;
        let (centred, variance) = self.centred(x, &[last]);
        let inverse = self.inverse_deviation(variance, op.epsilon.elem());
        let normal = self.graph.mul(centred, inverse);
        let mut shape = vec![1; last + 1];
        shape[last] = self.graph.shape(x)[last];
        let gamma = self.get(&op.gamma)?;
        let gamma = self.graph.reshape(gamma, shape.clone());
        let scaled = self.graph.mul(normal, gamma);
        match &op.beta {
            Some(beta) => {
                let beta = self.get(beta)?;
                let beta = self.graph.reshape(beta, shape);
                Ok(self.graph.add(scaled, beta))
            }
            None => Ok(scaled),
        }
    }

    fn linear(&mut self, op: &LinearOpIr) -> Lowered {
        let (x, weight) = (self.get(&op.x)?, self.get(&op.weight)?);
        let [inputs, outputs] = [0, 1].map(|axis| self.graph.shape(weight)[axis]);
        let rows = elements(self.graph.shape(x)) / inputs;
        let flat = self.graph.reshape(x, vec![rows, inputs]);
        let mut product = self.graph.matmul(flat, false, weight, false);
        if let Some(bias) = &op.bias {
            let bias = self.get(bias)?;
            let bias = self.graph.reshape(bias, vec![1, outputs]);
            product = self.graph.add(product, bias);
        }
        Ok(self.graph.reshape(product, dims(&op.out)))
    }

    /// `[C, N L]` plus a bias `[C]`.
    fn with_bias(&mut self, x: NodeId, bias: Option<&TensorIr>) -> Lowered {
        let Some(bias) = bias else { return Ok(x) };
        let bias = self.get(bias)?;
        let mut shape = vec![1; self.graph.rank(x)];
        shape[0] = self.graph.shape(bias)[0];
        let bias = self.graph.reshape(bias, shape);
        Ok(self.graph.add(x, bias))
    }

    /// Channels in front, where patches want them.
    fn channels_first(&mut self, x: NodeId) -> NodeId {
        self.graph.swap(x, 0, 1)
    }

    fn convolution(&mut self, mut layer: Convolution<'_>, padding: &[(usize, usize)]) -> Lowered {
        let (mut x, weight) = (self.get(layer.x)?, self.get(layer.weight)?);
        if padding.iter().all(|(before, after)| before == after) {
            layer.window.padding = padding.iter().map(|&(before, _)| before).collect();
        } else {
            x = self.padded(x, padding);
        }
        let out = dims(layer.out);
        let x = self.channels_first(x);
        let patches = self.graph.patches(x, &layer.window, &out[2..]);
        let [rows, columns] = [0, 1].map(|axis| self.graph.shape(patches)[axis]);
        let (groups, channels) = (layer.groups, out[1]);
        // [G, O/G, C/G K] [G, C/G K, N L]
        let weight = self
            .graph
            .reshape(weight, vec![groups, channels / groups, rows / groups]);
        let patches = self
            .graph
            .reshape(patches, vec![groups, rows / groups, columns]);
        let y = self.grouped_product(weight, false, patches);
        self.laid_out(y, layer.bias, &out)
    }

    /// The product of the matrices of each group; a single group needs no batch axis.
    fn grouped_product(&mut self, a: NodeId, transpose_a: bool, b: NodeId) -> NodeId {
        if self.graph.shape(a)[0] > 1 {
            return self.graph.matmul(a, transpose_a, b, false);
        }
        let [a, b] = [a, b].map(|x| {
            let shape = self.graph.shape(x)[1..].to_vec();
            self.graph.reshape(x, shape)
        });
        self.graph.matmul(a, transpose_a, b, false)
    }

    /// Channels by images and positions, as `[N, C, out..]` with the bias.
    fn laid_out(&mut self, y: NodeId, bias: Option<&TensorIr>, out: &[usize]) -> Lowered {
        let mut shape = vec![out[1], out[0]];
        shape.extend_from_slice(&out[2..]);
        let y = self.graph.reshape(y, shape);
        let y = self.with_bias(y, bias)?;
        Ok(self.channels_first(y))
    }

    /// x with zeros around its spatial axes.
    fn padded(&mut self, x: NodeId, padding: &[(usize, usize)]) -> NodeId {
        let mut shape = self.graph.shape(x).to_vec();
        let mut ranges = self.graph.whole(x);
        for (axis, (before, after)) in padding.iter().enumerate() {
            let len = shape[axis + 2];
            ranges[axis + 2] = Range::new(*before, before + len);
            shape[axis + 2] += before + after;
        }
        self.graph.embed(x, ranges, shape)
    }

    /// A transposed convolution adds up what its patches would be: $\operatorname{Unpatches}(W^T X)$.
    fn transposed(&mut self, layer: Convolution<'_>) -> Lowered {
        let (x, weight) = (self.get(layer.x)?, self.get(layer.weight)?);
        let out = dims(layer.out);
        let x = self.channels_first(x);
        let shape = self.graph.shape(x).to_vec();
        let (groups, channels) = (layer.groups, shape[0]);
        let taps = elements(&layer.window.kernel);
        let rows = out[1] / groups * taps;
        let columns = elements(&shape[1..]);
        // [G, C/G, O/G K]^T [G, C/G, N L]
        let weight = self
            .graph
            .reshape(weight, vec![groups, channels / groups, rows]);
        let x = self
            .graph
            .reshape(x, vec![groups, channels / groups, columns]);
        let patches = self.grouped_product(weight, true, x);
        let patches = self.graph.reshape(patches, vec![groups * rows, columns]);
        let mut to = vec![out[1], out[0]];
        to.extend_from_slice(&out[2..]);
        let y = self
            .graph
            .unpatches(patches, &layer.window, &shape[2..], to);
        self.laid_out(y, layer.bias, &out)
    }

    /// softmax(scale Q K^T) V, with Burn's order of soft cap, masks and bias.
    fn attention(&mut self, op: &AttentionOpIr) -> Lowered {
        let (query, key) = (self.get(&op.query)?, self.get(&op.key)?);
        let value = self.get(&op.value)?;
        #[expect(clippy::cast_precision_loss, reason = "a width is far below 2^53")]
        let width = self.graph.shape(query)[3] as f64;
        let scale = op
            .options
            .scale
            .map_or_else(|| width.sqrt().recip(), |scale| scale.elem());
        let scores = self.graph.matmul(query, false, key, true);
        let mut scores = self.graph.scale(scores, scale);
        if let Some(cap) = op.options.softcap {
            let cap: f64 = cap.elem();
            let scaled = self.graph.scale(scores, cap.recip());
            let bounded = self.graph.unary(Unary::Tanh, scaled);
            scores = self.graph.scale(bounded, cap);
        }
        if let Some(mask) = &op.mask {
            let mask = self.get(mask)?;
            scores = self.masked(scores, mask);
        }
        if op.options.is_causal {
            let [queries, keys] = [2, 3].map(|axis| self.graph.shape(scores)[axis]);
            // The last query sees the last key.
            let future: Vec<bool> = (0..queries)
                .flat_map(|query| (0..keys).map(move |key| key + queries > query + keys))
                .collect();
            let data = burn::tensor::TensorData::new(future, [1, 1, queries, keys]);
            let mask = self.graph.constant(data);
            scores = self.masked(scores, mask);
        }
        if let Some(bias) = &op.attn_bias {
            let bias = self.get(bias)?;
            scores = self.graph.add(scores, bias);
        }
        // A row that sees nothing has weights of zero: the shift and the sum stay finite.
        let dtype = self.graph.dtype(scores);
        let largest = self.graph.along(Discrete::MaxAlong(3), scores, 3, 1, dtype);
        let info = dtype.finfo().ok_or(Error::Type { dtype })?;
        let largest = self.bounded(largest, Comparison::Lower, info.min);
        let shifted = self.graph.sub(scores, largest);
        let exponentials = self.graph.unary(Unary::Exp, shifted);
        let sum = self.graph.sum_over(exponentials, &[3]);
        let sum = self.bounded(sum, Comparison::Lower, info.min_positive);
        let weights = self.graph.div(exponentials, sum);
        Ok(self.graph.matmul(weights, false, value, false))
    }

    fn masked(&mut self, scores: NodeId, mask: NodeId) -> NodeId {
        let (shape, dtype) = (vec![1; self.graph.rank(scores)], self.graph.dtype(scores));
        let hidden = self.filled(f64::NEG_INFINITY, shape, dtype);
        self.graph.replace_where(scores, mask, hidden)
    }

    /// `[N, C, H, W]` to `[N, C kh kw, windows]`.
    fn unfold(&mut self, op: &Unfold4dOpIr) -> Lowered {
        let x = self.get(&op.x)?;
        let o = &op.options;
        let padding: Vec<_> = o.padding.iter().map(|&p| (p, p)).collect();
        let x = self.padded(x, &padding);
        let rows = self.windows(x, 2, op.kernel_size[0], o.stride[0], o.dilation[0]);
        let both = self.windows(rows, 3, op.kernel_size[1], o.stride[1], o.dilation[1]);
        // [N, C, Ho, Wo, kh, kw]
        let ordered = self.graph.permute(both, &[0, 1, 4, 5, 2, 3]);
        Ok(self.graph.reshape(ordered, dims(&op.out)))
    }
}

/// A recorded convolution.
struct Convolution<'a> {
    x: &'a TensorIr,
    weight: &'a TensorIr,
    bias: Option<&'a TensorIr>,
    window: Window,
    groups: usize,
    out: &'a TensorIr,
}

fn window(weight: &TensorIr, stride: &[usize], dilation: &[usize]) -> Window {
    Window {
        kernel: dims(weight)[2..].to_vec(),
        stride: stride.to_vec(),
        padding: vec![0; stride.len()],
        dilation: dilation.to_vec(),
    }
}
