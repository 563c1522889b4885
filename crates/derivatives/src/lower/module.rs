//! Layers: linear, embedding, convolutions, pooling, normalisation, attention, CTC.

use burn_ir::{LinearOpIr, ModuleOperationIr, TensorIr};

use super::resample::Average;
use super::{Lowered, Lowering, coverage, dims};
use crate::Error;
use crate::graph::{NodeId, elements};
use crate::primitive::{MaxPool, Window};

/// A recorded convolution of either kind, of any dimension.
macro_rules! convolved {
    ($lowering:ident, $rule:ident, $op:ident) => {{
        let (x, weight) = ($lowering.get(&$op.x)?, $lowering.get(&$op.weight)?);
        let bias = $lowering.optional($op.bias.as_ref())?;
        let out = dims(&$op.out);
        let y = $lowering.$rule(x, weight, bias, &(&$op.options).into(), &out);
        (&$op.out, y)
    }};
}

impl Lowering {
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
            Op::Conv1d(op) => convolved!(self, convolution, op),
            Op::Conv2d(op) => convolved!(self, convolution, op),
            Op::Conv3d(op) => convolved!(self, convolution, op),
            Op::ConvTranspose1d(op) => convolved!(self, transposed, op),
            Op::ConvTranspose2d(op) => convolved!(self, transposed, op),
            Op::ConvTranspose3d(op) => convolved!(self, transposed, op),
            Op::DeformableConv2d(op) => (&op.out, self.deformable(op)?),
            Op::MaxPool1d(op) => {
                let x = self.get(&op.x)?;
                let window = line(op.kernel_size, op.stride, op.padding, op.dilation);
                (&op.out, self.pooled(x, window, op.ceil_mode, &op.out))
            }
            Op::MaxPool1dWithIndices(op) => {
                let x = self.get(&op.x)?;
                let window = line(op.kernel_size, op.stride, op.padding, op.dilation);
                self.positions(x, &window, op.ceil_mode, &op.out_indices)?;
                (&op.out, self.pooled(x, window, op.ceil_mode, &op.out))
            }
            Op::MaxPool2d(op) => {
                let x = self.get(&op.x)?;
                let window = plane(op.kernel_size, op.stride, op.padding, op.dilation);
                (&op.out, self.pooled(x, window, op.ceil_mode, &op.out))
            }
            Op::MaxPool2dWithIndices(op) => {
                let x = self.get(&op.x)?;
                let window = plane(op.kernel_size, op.stride, op.padding, op.dilation);
                self.positions(x, &window, op.ceil_mode, &op.out_indices)?;
                (&op.out, self.pooled(x, window, op.ceil_mode, &op.out))
            }
            Op::AvgPool1d(op) => {
                let x = self.get(&op.x)?;
                (&op.out, self.average_pool(x, &[Average::line(op)]))
            }
            Op::AvgPool2d(op) => {
                let x = self.get(&op.x)?;
                (&op.out, self.average_pool(x, &Average::plane(op)))
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
            Op::CtcLoss(op) => (&op.out, self.ctc_loss(op)?),
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
            | Op::ConvTranspose1dWeightBackward(_)
            | Op::ConvTranspose1dBiasBackward(_)
            | Op::ConvTranspose2dWeightBackward(_)
            | Op::ConvTranspose2dBiasBackward(_)
            | Op::ConvTranspose3dWeightBackward(_)
            | Op::ConvTranspose3dBiasBackward(_) => return self.module_backward(operation),
            Op::CtcLossBackward(_) => return Err(coverage::no_rule(operation)),
        };
        self.set(out, node)
    }

    /// Returns the node of an input that may be missing.
    pub(super) fn optional(&mut self, tensor: Option<&TensorIr>) -> Result<Option<NodeId>, Error> {
        tensor.map(|tensor| self.get(tensor)).transpose()
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

    fn pooled(&mut self, x: NodeId, window: Window, ceil_mode: bool, out: &TensorIr) -> NodeId {
        let pool = MaxPool { window, ceil_mode };
        self.graph.max_pool(x, pool, dims(out))
    }

    fn positions(
        &mut self,
        x: NodeId,
        window: &Window,
        ceil_mode: bool,
        out: &TensorIr,
    ) -> Result<(), Error> {
        let window = window.clone();
        let pool = MaxPool { window, ceil_mode };
        let positions = self.graph.max_positions(x, pool, dims(out));
        self.set(out, positions)
    }
}

fn line(kernel: usize, stride: usize, padding: usize, dilation: usize) -> Window {
    Window {
        kernel: vec![kernel],
        stride: vec![stride],
        padding: vec![padding],
        dilation: vec![dilation],
    }
}

fn plane(
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
    dilation: [usize; 2],
) -> Window {
    Window {
        kernel: kernel.to_vec(),
        stride: stride.to_vec(),
        padding: padding.to_vec(),
        dilation: dilation.to_vec(),
    }
}
