//! Backward passes inside a loss, such as the penalty on a gradient.
//!
//! A recorded backward operation is the transposed derivative of its forward operation, applied to
//! a gradient: the forward operation is written once more, on inputs that nothing simplifies away,
//! and transformed. Its own derivatives follow like those of any other part of a program.

use burn_ir::{DeformConv2dBackwardOpIr, ModuleOperationIr, TensorIr};

use super::convolution::Geometry;
use super::resample::Average;
use super::sampling::Deformable;
use super::{Lowered, Lowering, coverage, dims};
use crate::Error;
use crate::graph::{NodeId, elements};
use crate::primitive::Primitive;
use crate::transform::vjp;

/// A rule for convolutions: of x by a weight, with a bias, to a shape.
type Rule = fn(&mut Lowering, NodeId, NodeId, Option<NodeId>, &Geometry, &[usize]) -> NodeId;

/// The gradients of a recorded convolution in its input and its weight.
macro_rules! unconvolved {
    ($lowering:ident, $op:ident, $rule:ident) => {{
        let (geometry, rule): (Geometry, Rule) = ((&$op.options).into(), Lowering::$rule);
        $lowering.unconvolved(&$op.x, &$op.weight, &$op.output_grad, &geometry, rule)?
    }};
}

impl Lowering {
    #[expect(clippy::too_many_lines, reason = "one arm for each recorded operation")]
    pub(super) fn module_backward(&mut self, operation: &ModuleOperationIr) -> Result<(), Error> {
        use ModuleOperationIr as Op;
        let (out, node) = match operation {
            Op::EmbeddingBackward(op) => {
                let (gradient, indices) = (self.get(&op.out_grad)?, self.get(&op.indices)?);
                let shape = dims(&op.out);
                let count = elements(self.graph.shape(indices));
                let indices = self.graph.reshape(indices, vec![count]);
                let gradient = self.graph.reshape(gradient, vec![count, shape[1]]);
                (
                    &op.out,
                    self.graph.select_add(gradient, 0, indices, shape[0]),
                )
            }
            Op::LinearXBackward(op) => {
                let (gradient, weight) = (self.rows(&op.output_grad)?, self.get(&op.weight)?);
                let product = self.graph.matmul(gradient, false, weight, true);
                (&op.out, self.graph.reshape(product, dims(&op.out)))
            }
            Op::LinearWeightBackward(op) => {
                let (x, gradient) = (self.rows(&op.x)?, self.rows(&op.output_grad)?);
                (&op.out, self.graph.matmul(x, true, gradient, false))
            }
            Op::LinearBiasBackward(op) => {
                let gradient = self.rows(&op.output_grad)?;
                let sum = self.graph.sum_over(gradient, &[0]);
                (&op.out, self.graph.reshape(sum, dims(&op.out)))
            }
            Op::Conv1dXBackward(op) => (&op.out, unconvolved!(self, op, convolution)[0]),
            Op::Conv2dXBackward(op) => (&op.out, unconvolved!(self, op, convolution)[0]),
            Op::Conv3dXBackward(op) => (&op.out, unconvolved!(self, op, convolution)[0]),
            Op::Conv1dWeightBackward(op) => (&op.out, unconvolved!(self, op, convolution)[1]),
            Op::Conv2dWeightBackward(op) => (&op.out, unconvolved!(self, op, convolution)[1]),
            Op::Conv3dWeightBackward(op) => (&op.out, unconvolved!(self, op, convolution)[1]),
            Op::ConvTranspose1dWeightBackward(op) => {
                (&op.out, unconvolved!(self, op, transposed)[1])
            }
            Op::ConvTranspose2dWeightBackward(op) => {
                (&op.out, unconvolved!(self, op, transposed)[1])
            }
            Op::ConvTranspose3dWeightBackward(op) => {
                (&op.out, unconvolved!(self, op, transposed)[1])
            }
            Op::Conv1dBiasBackward(op) => (&op.out, self.over_channels(&op.output_grad, &op.out)?),
            Op::Conv2dBiasBackward(op) => (&op.out, self.over_channels(&op.output_grad, &op.out)?),
            Op::Conv3dBiasBackward(op) => (&op.out, self.over_channels(&op.output_grad, &op.out)?),
            Op::ConvTranspose1dBiasBackward(op) => {
                (&op.out, self.over_channels(&op.output_grad, &op.out)?)
            }
            Op::ConvTranspose2dBiasBackward(op) => {
                (&op.out, self.over_channels(&op.output_grad, &op.out)?)
            }
            Op::ConvTranspose3dBiasBackward(op) => {
                (&op.out, self.over_channels(&op.output_grad, &op.out)?)
            }
            Op::DeformableConv2dBackward(op) => return self.undeformed(op),
            Op::AvgPool1dBackward(op) => {
                let (x, gradient) = (self.get(&op.x)?, self.get(&op.grad)?);
                let pool = Average {
                    kernel: op.kernel_size,
                    stride: op.stride,
                    padding: op.padding,
                    count_padding: op.count_include_pad,
                    ceil_mode: op.ceil_mode,
                };
                let back =
                    self.pulled_back(x, gradient, |lowering, x| lowering.average_pool(x, &[pool]));
                (&op.out, back)
            }
            Op::AvgPool2dBackward(op) => {
                let (x, gradient) = (self.get(&op.x)?, self.get(&op.grad)?);
                let pools = [0, 1].map(|axis| Average {
                    kernel: op.kernel_size[axis],
                    stride: op.stride[axis],
                    padding: op.padding[axis],
                    count_padding: op.count_include_pad,
                    ceil_mode: op.ceil_mode,
                });
                let back =
                    self.pulled_back(x, gradient, |lowering, x| lowering.average_pool(x, &pools));
                (&op.out, back)
            }
            Op::AdaptiveAvgPool1dBackward(op) => (&op.out, self.unadapted(&op.x, &op.grad)?),
            Op::AdaptiveAvgPool2dBackward(op) => (&op.out, self.unadapted(&op.x, &op.grad)?),
            Op::AdaptiveAvgPool3dBackward(op) => (&op.out, self.unadapted(&op.x, &op.grad)?),
            Op::MaxPool1dWithIndicesBackward(op) => {
                (&op.out, self.unpooled(&op.grad, &op.indices, &op.out)?)
            }
            Op::MaxPool2dWithIndicesBackward(op) => {
                (&op.out, self.unpooled(&op.grad, &op.indices, &op.out)?)
            }
            Op::InterpolateBackward(op) => {
                let (x, gradient) = (self.get(&op.x)?, self.get(&op.grad)?);
                let options = op.options.clone().into();
                let back = self.pulled_back(x, gradient, |lowering, x| {
                    lowering.interpolate(x, op.output_size, &options)
                });
                (&op.out, back)
            }
            other => return Err(coverage::no_rule(other)),
        };
        self.set(out, node)
    }

    /// Returns the transposed derivative of `forward` at x, applied to `gradient`.
    pub(super) fn pulled_back(
        &mut self,
        x: NodeId,
        gradient: NodeId,
        forward: impl FnOnce(&mut Self, NodeId) -> NodeId,
    ) -> NodeId {
        let held = self.held(x);
        let out = forward(self, held);
        vjp(&mut self.graph, &[(out, gradient)], &[held])[0]
    }

    fn unconvolved(
        &mut self,
        x: &TensorIr,
        weight: &TensorIr,
        gradient: &TensorIr,
        geometry: &Geometry,
        rule: Rule,
    ) -> Result<[NodeId; 2], Error> {
        let (x, weight, cotangent) = (self.get(x)?, self.get(weight)?, self.get(gradient)?);
        let [x, weight] = [x, weight].map(|input| self.held(input));
        let out = rule(self, x, weight, None, geometry, &dims(gradient));
        let found = vjp(&mut self.graph, &[(out, cotangent)], &[x, weight]);
        Ok([found[0], found[1]])
    }

    /// Returns x as a variable that stays visible.
    fn held(&mut self, x: NodeId) -> NodeId {
        let (shape, dtype) = (self.graph.shape(x).to_vec(), self.graph.dtype(x));
        self.graph.insert(Primitive::Barrier, vec![x], shape, dtype)
    }

    /// Returns `[.., n]` as a matrix.
    fn rows(&mut self, tensor: &TensorIr) -> Lowered {
        let x = self.get(tensor)?;
        let shape = self.graph.shape(x);
        let width = *shape.last().expect("a tensor has an axis");
        let rows = elements(shape) / width;
        Ok(self.graph.reshape(x, vec![rows, width]))
    }

    /// Returns the sum over all axes but the channels.
    fn over_channels(&mut self, gradient: &TensorIr, out: &TensorIr) -> Lowered {
        let gradient = self.get(gradient)?;
        let rank = self.graph.rank(gradient);
        let axes: Vec<usize> = (0..rank).filter(|&axis| axis != 1).collect();
        let sum = self.graph.sum_over(gradient, &axes);
        Ok(self.graph.reshape(sum, dims(out)))
    }

    fn unadapted(&mut self, x: &TensorIr, gradient: &TensorIr) -> Lowered {
        let sizes = dims(gradient)[2..].to_vec();
        let (x, gradient) = (self.get(x)?, self.get(gradient)?);
        Ok(self.pulled_back(x, gradient, |lowering, x| lowering.adaptive_pool(x, &sizes)))
    }

    /// Returns the gradients of maxima brought back to where those stand.
    fn unpooled(&mut self, gradient: &TensorIr, indices: &TensorIr, out: &TensorIr) -> Lowered {
        let (gradient, indices) = (self.get(gradient)?, self.get(indices)?);
        let shape = dims(out);
        let (n, c, inputs) = (shape[0], shape[1], elements(&shape[2..]));
        let windows = elements(&self.graph.shape(gradient)[2..]);
        let gradient = self.graph.reshape(gradient, vec![n, c, windows]);
        let indices = self.graph.reshape(indices, vec![n, c, windows]);
        let back = self
            .graph
            .scatter_add(gradient, 2, indices, vec![n, c, inputs]);
        Ok(self.graph.reshape(back, shape))
    }

    fn undeformed(&mut self, op: &DeformConv2dBackwardOpIr) -> Result<(), Error> {
        let gradient = self.get(&op.out_grad)?;
        let mut variables = Vec::new();
        for input in [&op.x, &op.offset, &op.weight] {
            let x = self.get(input)?;
            variables.push(self.held(x));
        }
        let mut parts = Deformable {
            x: variables[0],
            offset: variables[1],
            weight: variables[2],
            mask: None,
            bias: None,
        };
        let mut outputs = vec![&op.input_grad, &op.offset_grad, &op.weight_grad];
        for (input, output, part) in [
            (&op.mask, &op.mask_grad, &mut parts.mask),
            (&op.bias, &op.bias_grad, &mut parts.bias),
        ] {
            if let Some(input) = input {
                let x = self.get(input)?;
                let held = self.held(x);
                *part = Some(held);
                if let Some(output) = output {
                    variables.push(held);
                    outputs.push(output);
                }
            }
        }
        let out = self.deformed(&parts, &op.options, &dims(&op.out_grad));
        let found = vjp(&mut self.graph, &[(out, gradient)], &variables);
        for (output, node) in outputs.into_iter().zip(found) {
            self.set(output, node)?;
        }
        Ok(())
    }
}
