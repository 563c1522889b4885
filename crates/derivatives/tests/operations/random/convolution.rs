//! Convolutions of one to three dimensions and their transposes, with every option.

use burn::tensor::module as layer;
use burn::tensor::ops::{ConvOptions, ConvTransposeOptions, DeformConvOptions, UnfoldOptions};
use burn::tensor::{DType, Tensor};
use proptest::prelude::*;

use super::super::harness::check;
use super::{beside_burn, config, consistent, holds, split};

/// Burn's gradient is wrong for some groups and strides; its value is right.
fn convolves<const D: usize>(name: &str, len: usize, f: impl Fn(Tensor<1>) -> Tensor<D>) {
    consistent(&check(name, len, &f));
    for (dtype, tolerance) in [(DType::F64, 1e-13), (DType::F32, 5e-6)] {
        let [value, _] = beside_burn(dtype, len, &f);
        assert!(value < tolerance, "{name}: value in {dtype:?} {value:.1e}");
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn one_dimension(
        groups in 1_usize..3, inputs in 1_usize..3, outputs in 1_usize..3, kernel in 1_usize..4,
        stride in 1_usize..4, padding in (0_usize..3, 0_usize..3), dilation in 1_usize..3,
        size in 5_usize..9,
    ) {
        let (x, w) = ([2, groups * inputs, size], [groups * outputs, inputs, kernel]);
        let (a, b) = (x.iter().product::<usize>(), w.iter().product::<usize>());
        let channels = groups * outputs;
        convolves("conv1d", a + b + channels, |theta| {
            let bias = theta.clone().slice_dim(0, a + b..a + b + channels);
            let (x, w) = split(theta, x, w);
            let mut options = ConvOptions::new([stride], [0], [dilation], groups);
            options.padding = [padding];
            layer::conv1d(x, w, Some(bias), options)
        });
        let w = [groups * inputs, outputs, kernel];
        let b = w.iter().product::<usize>();
        let channels = groups * outputs;
        let reach = (size - 1) * stride + dilation * (kernel - 1);
        prop_assume!(reach >= 2 * padding.0);
        convolves("conv_transpose1d", a + b + channels, |theta| {
            let bias = theta.clone().slice_dim(0, a + b..a + b + channels);
            let (x, w) = split(theta, x, w);
            let options = ConvTransposeOptions::new(
                [stride], [padding.0], [stride.max(dilation) - 1], [dilation], groups,
            );
            layer::conv_transpose1d(x, w, Some(bias), options)
        });
    }

    #[test]
    fn two_dimensions(
        images in 1_usize..3, groups in 1_usize..3, inputs in 1_usize..3, outputs in 1_usize..3,
        kernel in (1_usize..4, 1_usize..3), stride in (1_usize..4, 1_usize..3),
        padding in ((0_usize..3, 0_usize..3), (0_usize..2, 0_usize..2)),
        dilation in (1_usize..3, 1_usize..3), size in (6_usize..9, 5_usize..8),
    ) {
        let x = [images, groups * inputs, size.0, size.1];
        let w = [groups * outputs, inputs, kernel.0, kernel.1];
        let len = x.iter().product::<usize>() + w.iter().product::<usize>();
        convolves("conv2d", len, |theta| {
            let (x, w) = split(theta, x, w);
            let mut options = ConvOptions::new(
                [stride.0, stride.1], [0, 0], [dilation.0, dilation.1], groups,
            );
            options.padding = [padding.0, padding.1];
            layer::conv2d(x, w, None, options)
        });
    }

    #[test]
    fn two_dimensions_transposed(
        groups in 1_usize..3, inputs in 1_usize..3, outputs in 1_usize..3,
        kernel in (2_usize..4, 2_usize..3), stride in (1_usize..4, 1_usize..3),
        padding in (0_usize..2, 0_usize..2), dilation in (1_usize..3, 1_usize..3),
        size in (3_usize..5, 3_usize..5),
    ) {
        let x = [1, groups * inputs, size.0, size.1];
        let w = [groups * inputs, outputs, kernel.0, kernel.1];
        let len = x.iter().product::<usize>() + w.iter().product::<usize>();
        convolves("conv_transpose2d", len, |theta| {
            let (x, w) = split(theta, x, w);
            let options = ConvTransposeOptions::new(
                [stride.0, stride.1], [padding.0, padding.1], [stride.0 - 1, 0],
                [dilation.0, dilation.1], groups,
            );
            layer::conv_transpose2d(x, w, None, options)
        });
    }

    #[test]
    fn three_dimensions(
        groups in 1_usize..3, inputs in 1_usize..2, outputs in 1_usize..3,
        kernel in prop::array::uniform3(1_usize..3), stride in prop::array::uniform3(1_usize..3),
        padding in prop::array::uniform3(0_usize..2), dilation in prop::array::uniform3(1_usize..3),
        size in prop::array::uniform3(3_usize..5),
    ) {
        let x = [1, groups * inputs, size[0], size[1], size[2]];
        let w = [groups * outputs, inputs, kernel[0], kernel[1], kernel[2]];
        let len = x.iter().product::<usize>() + w.iter().product::<usize>();
        convolves("conv3d", len, |theta| {
            let (x, w) = split(theta, x, w);
            layer::conv3d(x, w, None, ConvOptions::new(stride, padding, dilation, groups))
        });
        let w = [groups * inputs, outputs, kernel[0], kernel[1], kernel[2]];
        let len = x.iter().product::<usize>() + w.iter().product::<usize>();
        convolves("conv_transpose3d", len, |theta| {
            let (x, w) = split(theta, x, w);
            let options = ConvTransposeOptions::new(stride, padding, [0; 3], dilation, groups);
            layer::conv_transpose3d(x, w, None, options)
        });
    }

    #[test]
    fn deformed(
        groups in 1_usize..3, moved in 1_usize..3, kernel in (1_usize..3, 1_usize..4),
        stride in (1_usize..3, 1_usize..3), padding in (0_usize..2, 0_usize..2),
        dilation in (1_usize..3, 1_usize..2), masked in any::<bool>(),
    ) {
        let size = [5, 6];
        let out = [
            (size[0] + 2 * padding.0 - dilation.0 * (kernel.0 - 1) - 1) / stride.0 + 1,
            (size[1] + 2 * padding.1 - dilation.1 * (kernel.1 - 1) - 1) / stride.1 + 1,
        ];
        let taps = kernel.0 * kernel.1;
        let x = [1, 4, size[0], size[1]];
        let offset = [1, 2 * moved * taps, out[0], out[1]];
        let mask = [1, moved * taps, out[0], out[1]];
        let weight = [2, 4 / groups, kernel.0, kernel.1];
        let (a, b) = (120 + offset.iter().product::<usize>(), mask.iter().product::<usize>());
        let len = a + b + weight.iter().product::<usize>();
        let row = check("deform_conv2d", len, |theta| {
            let (x, offset) = split(theta.clone(), x, offset);
            let (mask, weight) = split(theta.slice_dim(0, a..len), mask, weight);
            let options = DeformConvOptions::new(
                [stride.0, stride.1], [padding.0, padding.1], [dilation.0, dilation.1], groups,
                moved,
            );
            layer::deform_conv2d(x, offset, weight, masked.then_some(mask), None, options)
        });
        // Burn computes it in f32.
        prop_assert!(row.value < 1e-6 && row.gradient < 1e-5, "{:?}", row);
        prop_assert!(row.differences < 1e-7 && row.product < 1e-6, "{:?}", row);
        prop_assert!(row.forward < 1e-11 && row.symmetry < 1e-11, "{:?}", row);
    }

    #[test]
    fn unfolded(
        kernel in (1_usize..4, 1_usize..3), stride in (1_usize..3, 1_usize..3),
        padding in (0_usize..2, 0_usize..2), dilation in (1_usize..3, 1_usize..3),
    ) {
        holds("unfold4d", 84, |x| {
            let x: Tensor<4> = x.reshape([1, 2, 6, 7]);
            let options = UnfoldOptions::new(
                [stride.0, stride.1], [padding.0, padding.1], [dilation.0, dilation.1],
            );
            layer::unfold4d(x, [kernel.0, kernel.1], options)
        });
    }
}
