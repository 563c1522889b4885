//! Backward operations inside a loss, recorded as an extension of Burn would record them.
//!
//! Burn cannot differentiate them: the value is compared with Burn's, and the derivatives with
//! differences.

use burn::tensor::{DType, Int, Tensor, TensorData};
use burn_backend::ops::{
    ActivationOps, ConvOptions, ConvTransposeOptions, DeformConvOptions, InterpolateMode,
    InterpolateOptions, ModuleOps,
};
use burn_dispatch::{Dispatch, DispatchTensor};

use super::harness::{Row, report};
use super::valued::check_value as check;

/// Tensors cut out of one vector, one after the other.
struct Parts {
    x: Tensor<1>,
    from: usize,
}

impl Parts {
    fn of(x: Tensor<1>) -> Self {
        Self { x, from: 0 }
    }

    fn next<const D: usize>(&mut self, shape: [usize; D]) -> DispatchTensor {
        let to = self.from + shape.iter().product::<usize>();
        let part: Tensor<D> = self.x.clone().slice_dim(0, self.from..to).reshape(shape);
        self.from = to;
        part.into_dispatch()
    }
}

fn out<const D: usize>(tensor: DispatchTensor) -> Tensor<D> {
    Tensor::from_dispatch(tensor)
}

#[test]
fn backward_operations_of_activations() {
    let pair = |x: Tensor<1>| {
        let mut parts = Parts::of(x);
        (parts.next([12]), parts.next([12]))
    };
    report(&[
        check("relu_backward", 24, |x| {
            let (y, gradient) = pair(x);
            out::<1>(Dispatch::relu_backward(y, gradient))
        }),
        check("gelu_backward", 24, |x| {
            let (x, gradient) = pair(x);
            out::<1>(Dispatch::gelu_backward(x, gradient))
        }),
        check("sigmoid_backward", 24, |x| {
            let (y, gradient) = pair(x);
            out::<1>(Dispatch::sigmoid_backward(y, gradient))
        }),
        check("log_sigmoid_backward", 24, |x| {
            let (x, gradient) = pair(x);
            out::<1>(Dispatch::log_sigmoid_backward(x, gradient))
        }),
    ]);
}

#[test]
fn backward_operations_of_linear_layers() {
    report(&[
        check("linear_x_backward", 12 + 24, |x| {
            let mut parts = Parts::of(x);
            let (weight, gradient) = (parts.next([3, 4]), parts.next([2, 3, 4]));
            out::<3>(Dispatch::linear_x_backward(weight, gradient))
        }),
        check("linear_weight_backward", 18 + 24, |x| {
            let mut parts = Parts::of(x);
            let (x, gradient) = (parts.next([2, 3, 3]), parts.next([2, 3, 4]));
            out::<2>(Dispatch::linear_weight_backward(x, gradient))
        }),
        check("linear_bias_backward", 24, |x| {
            let gradient = Parts::of(x).next([2, 3, 4]);
            out::<1>(Dispatch::linear_bias_backward(gradient))
        }),
        check("embedding_backward", 12 + 12, |x| {
            let data = TensorData::from([[0_i64, 3], [3, 1]]);
            let indices = Tensor::<2, Int>::from_data(data, (&x.device(), DType::I64));
            let mut parts = Parts::of(x);
            let (table, gradient) = (parts.next([4, 3]), parts.next([2, 2, 3]));
            let indices = indices.into_dispatch();
            out::<2>(Dispatch::embedding_backward(table, gradient, indices))
        }),
    ]);
}

#[test]
fn backward_operations_of_convolutions() {
    let one = || ConvOptions::new([2], [1], [1], 1);
    let two = || ConvOptions::new([1, 1], [1, 0], [1, 2], 2);
    let three = || ConvOptions::new([1, 1, 2], [0, 0, 1], [1, 1, 1], 1);
    // [2, 3, 5] by [2, 3, 3] to [2, 2, 3]
    let line = |x: Tensor<1>| {
        let mut parts = Parts::of(x);
        let (x, weight) = (parts.next([2, 3, 5]), parts.next([2, 3, 3]));
        (x, weight, parts.next([2, 2, 3]))
    };
    // [2, 2, 5, 4] by [4, 1, 3, 2] to [2, 4, 5, 2]
    let plane = |x: Tensor<1>| {
        let mut parts = Parts::of(x);
        let (x, weight) = (parts.next([2, 2, 5, 4]), parts.next([4, 1, 3, 2]));
        (x, weight, parts.next([2, 4, 5, 2]))
    };
    // [1, 1, 2, 3, 4] by [2, 1, 2, 2, 2] to [1, 2, 1, 2, 3]
    let space = |x: Tensor<1>| {
        let mut parts = Parts::of(x);
        let (x, weight) = (parts.next([1, 1, 2, 3, 4]), parts.next([2, 1, 2, 2, 2]));
        (x, weight, parts.next([1, 2, 1, 2, 3]))
    };
    let bias = |x: &Tensor<1>, channels: usize| Parts::of(x.clone()).next([channels]);
    report(&[
        check("conv1d_x_backward", 60, |x| {
            let (x, weight, gradient) = line(x);
            out::<3>(Dispatch::conv1d_x_backward(x, weight, gradient, one()))
        }),
        check("conv1d_weight_backward", 60, |x| {
            let (x, weight, gradient) = line(x);
            out::<3>(Dispatch::conv1d_weight_backward(x, weight, gradient, one()))
        }),
        check("conv1d_bias_backward", 60, |x| {
            let bias = bias(&x, 2);
            let (x, _, gradient) = line(x);
            out::<1>(Dispatch::conv1d_bias_backward(x, bias, gradient))
        }),
        check("conv2d_x_backward", 184, |x| {
            let (x, weight, gradient) = plane(x);
            out::<4>(Dispatch::conv2d_x_backward(x, weight, gradient, two()))
        }),
        check("conv2d_weight_backward", 184, |x| {
            let (x, weight, gradient) = plane(x);
            out::<4>(Dispatch::conv2d_weight_backward(x, weight, gradient, two()))
        }),
        check("conv2d_bias_backward", 184, |x| {
            let bias = bias(&x, 4);
            let (x, _, gradient) = plane(x);
            out::<1>(Dispatch::conv2d_bias_backward(x, bias, gradient))
        }),
        check("conv3d_x_backward", 52, |x| {
            let (x, weight, gradient) = space(x);
            out::<5>(Dispatch::conv3d_x_backward(x, weight, gradient, three()))
        }),
        check("conv3d_weight_backward", 52, |x| {
            let (x, weight, gradient) = space(x);
            out::<5>(Dispatch::conv3d_weight_backward(
                x,
                weight,
                gradient,
                three(),
            ))
        }),
        check("conv3d_bias_backward", 52, |x| {
            let bias = bias(&x, 2);
            let (x, _, gradient) = space(x);
            out::<1>(Dispatch::conv3d_bias_backward(x, bias, gradient))
        }),
    ]);
}

#[test]
fn backward_operations_of_transposed_convolutions() {
    // [2, 2, 3] by [2, 3, 3] to [2, 3, 5]
    let line = |x: Tensor<1>| {
        let mut parts = Parts::of(x);
        let (x, weight) = (parts.next([2, 2, 3]), parts.next([2, 3, 3]));
        (x, weight, parts.next([2, 3, 5]))
    };
    // [1, 2, 3, 2] by [2, 2, 2, 2] to [1, 2, 4, 3]
    let plane = |x: Tensor<1>| {
        let mut parts = Parts::of(x);
        let (x, weight) = (parts.next([1, 2, 3, 2]), parts.next([2, 2, 2, 2]));
        (x, weight, parts.next([1, 2, 4, 3]))
    };
    // [1, 1, 2, 2, 1] by [1, 2, 2, 2, 2] to [1, 2, 3, 3, 2]
    let space = |x: Tensor<1>| {
        let mut parts = Parts::of(x);
        let (x, weight) = (parts.next([1, 1, 2, 2, 1]), parts.next([1, 2, 2, 2, 2]));
        (x, weight, parts.next([1, 2, 3, 3, 2]))
    };
    let one = || ConvTransposeOptions::new([2], [1], [0], [1], 1);
    let two = || ConvTransposeOptions::new([1, 1], [0, 0], [0, 0], [1, 1], 1);
    let three = || ConvTransposeOptions::new([1; 3], [0; 3], [0; 3], [1; 3], 1);
    let bias = |x: &Tensor<1>, channels: usize| Parts::of(x.clone()).next([channels]);
    report(&[
        check("conv_transpose1d_weight_backward", 60, |x| {
            let (x, weight, gradient) = line(x);
            out::<3>(Dispatch::conv_transpose1d_weight_backward(
                x,
                weight,
                gradient,
                one(),
            ))
        }),
        check("conv_transpose1d_bias_backward", 60, |x| {
            let bias = bias(&x, 3);
            let (x, _, gradient) = line(x);
            out::<1>(Dispatch::conv_transpose1d_bias_backward(x, bias, gradient))
        }),
        check("conv_transpose2d_weight_backward", 52, |x| {
            let (x, weight, gradient) = plane(x);
            out::<4>(Dispatch::conv_transpose2d_weight_backward(
                x,
                weight,
                gradient,
                two(),
            ))
        }),
        check("conv_transpose2d_bias_backward", 52, |x| {
            let bias = bias(&x, 2);
            let (x, _, gradient) = plane(x);
            out::<1>(Dispatch::conv_transpose2d_bias_backward(x, bias, gradient))
        }),
        check("conv_transpose3d_weight_backward", 56, |x| {
            let (x, weight, gradient) = space(x);
            out::<5>(Dispatch::conv_transpose3d_weight_backward(
                x,
                weight,
                gradient,
                three(),
            ))
        }),
        check("conv_transpose3d_bias_backward", 56, |x| {
            let bias = bias(&x, 2);
            let (x, _, gradient) = space(x);
            out::<1>(Dispatch::conv_transpose3d_bias_backward(x, bias, gradient))
        }),
    ]);
}

#[test]
fn backward_operations_of_deformable_convolutions() {
    // Each of the five gradients, in turn.
    let rows: Vec<Row> = ["input", "offset", "weight", "mask", "bias"]
        .into_iter()
        .enumerate()
        .map(|(which, name)| {
            check(
                &format!("deform_conv2d_backward, {name} (f32 in Burn)"),
                18 + 32 + 8 + 16 + 2 + 8,
                |x| {
                    let mut parts = Parts::of(x);
                    let (x, offset) = (parts.next([1, 2, 3, 3]), parts.next([1, 8, 2, 2]));
                    let (weight, mask) = (parts.next([2, 1, 2, 2]), parts.next([1, 4, 2, 2]));
                    let (bias, gradient) = (parts.next([2]), parts.next([1, 2, 2, 2]));
                    let back = Dispatch::deform_conv2d_backward(
                        x,
                        offset,
                        weight,
                        Some(mask),
                        Some(bias),
                        gradient,
                        DeformConvOptions::new([1, 1], [0, 0], [1, 1], 2, 1),
                    );
                    let flat = |tensor: Tensor<4>| -> Tensor<1> { tensor.flatten(0, 3) };
                    match which {
                        0 => flat(out(back.x_grad)),
                        1 => flat(out(back.offset_grad)),
                        2 => flat(out(back.weight_grad)),
                        3 => flat(out(back.mask_grad.expect("there is a mask"))),
                        _ => out(back.bias_grad.expect("there is a bias")),
                    }
                },
            )
        })
        .collect();
    report(&rows);
}

#[test]
fn backward_operations_of_pooling() {
    report(&[
        check("max_pool1d_with_indices_backward", 28 + 12, |x| {
            let index = x.device().settings().int_dtype;
            let mut parts = Parts::of(x);
            let (x, gradient) = (parts.next([2, 2, 7]), parts.next([2, 2, 3]));
            let pooled = Dispatch::max_pool1d_with_indices(x.clone(), 2, 2, 0, 1, false, index);
            let back = Dispatch::max_pool1d_with_indices_backward(
                x,
                2,
                2,
                0,
                1,
                false,
                gradient,
                pooled.indices,
            );
            out::<3>(back.x_grad)
        }),
        check("max_pool2d_with_indices_backward", 84 + 18, |x| {
            let index = x.device().settings().int_dtype;
            let mut parts = Parts::of(x);
            let (x, gradient) = (parts.next([1, 2, 6, 7]), parts.next([1, 2, 3, 3]));
            let (kernel, stride) = ([2, 3], [2, 2]);
            let pooled = Dispatch::max_pool2d_with_indices(
                x.clone(),
                kernel,
                stride,
                [0, 0],
                [1, 1],
                false,
                index,
            );
            let back = Dispatch::max_pool2d_with_indices_backward(
                x,
                kernel,
                stride,
                [0, 0],
                [1, 1],
                false,
                gradient,
                pooled.indices,
            );
            out::<4>(back.x_grad)
        }),
        check("avg_pool1d_backward", 28 + 16, |x| {
            let mut parts = Parts::of(x);
            let (x, gradient) = (parts.next([2, 2, 7]), parts.next([2, 2, 4]));
            out::<3>(Dispatch::avg_pool1d_backward(
                x, gradient, 3, 2, 1, false, false,
            ))
        }),
        check("avg_pool2d_backward", 84 + 48, |x| {
            let mut parts = Parts::of(x);
            let (x, gradient) = (parts.next([1, 2, 6, 7]), parts.next([1, 2, 4, 6]));
            out::<4>(Dispatch::avg_pool2d_backward(
                x,
                gradient,
                [2, 2],
                [2, 1],
                [1, 0],
                true,
                false,
            ))
        }),
        check("adaptive_avg_pool1d_backward", 28 + 12, |x| {
            let mut parts = Parts::of(x);
            let (x, gradient) = (parts.next([2, 2, 7]), parts.next([2, 2, 3]));
            out::<3>(Dispatch::adaptive_avg_pool1d_backward(x, gradient))
        }),
        check("adaptive_avg_pool2d_backward", 84 + 24, |x| {
            let mut parts = Parts::of(x);
            let (x, gradient) = (parts.next([1, 2, 6, 7]), parts.next([1, 2, 4, 3]));
            out::<4>(Dispatch::adaptive_avg_pool2d_backward(x, gradient))
        }),
        check("adaptive_avg_pool3d_backward", 60 + 12, |x| {
            let mut parts = Parts::of(x);
            let (x, gradient) = (parts.next([1, 1, 3, 4, 5]), parts.next([1, 1, 2, 2, 3]));
            out::<5>(Dispatch::adaptive_avg_pool3d_backward(x, gradient))
        }),
        check("interpolate_backward (f32 in Burn)", 84 + 90, |x| {
            let mut parts = Parts::of(x);
            let (x, gradient) = (parts.next([1, 2, 6, 7]), parts.next([1, 2, 9, 5]));
            let options = InterpolateOptions::new(InterpolateMode::Bilinear);
            out::<4>(Dispatch::interpolate_backward(x, gradient, [9, 5], options))
        }),
    ]);
}
