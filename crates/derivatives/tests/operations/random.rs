//! Random shapes and geometries.

use burn::tensor::Tensor;
use burn::tensor::module as layer;
use burn::tensor::ops::{AvgPoolOptions, ConvOptions, ConvTransposeOptions, MaxPoolOptions};
use proptest::prelude::*;

use crate::harness::{Row, check};

fn split<const A: usize, const B: usize>(
    x: Tensor<1>,
    first: [usize; A],
    second: [usize; B],
) -> (Tensor<A>, Tensor<B>) {
    let (a, b): (usize, usize) = (first.iter().product(), second.iter().product());
    (
        x.clone().slice_dim(0, 0..a).reshape(first),
        x.slice_dim(0, a..a + b).reshape(second),
    )
}

/// What holds without looking at Burn's gradient, which is wrong for some groups and strides.
fn consistent(row: &Row) {
    assert!(row.value < 1e-13, "{row:?}");
    assert!(row.differences < 1e-8, "{row:?}");
    assert!(row.forward < 1e-11, "{row:?}");
    assert!(row.product < 1e-6, "{row:?}");
    assert!(row.symmetry < 1e-11, "{row:?}");
}

fn agrees(row: &Row) {
    consistent(row);
    assert!(row.gradient < 1e-13, "{row:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn convolutions_of_any_geometry(
        images in 1_usize..3, groups in 1_usize..3, inputs in 1_usize..3, outputs in 1_usize..3,
        kernel in (1_usize..4, 1_usize..3), stride in (1_usize..4, 1_usize..3),
        padding in (0_usize..3, 0_usize..2), dilation in (1_usize..3, 1_usize..3),
        size in (6_usize..9, 5_usize..8),
    ) {
        let x = [images, groups * inputs, size.0, size.1];
        let w = [groups * outputs, inputs, kernel.0, kernel.1];
        let len = x.iter().product::<usize>() + w.iter().product::<usize>();
        consistent(&check("conv2d", len, |theta| {
            let (x, w) = split(theta, x, w);
            let options = ConvOptions::new(
                [stride.0, stride.1], [padding.0, padding.1], [dilation.0, dilation.1], groups,
            );
            layer::conv2d(x, w, None, options)
        }));
    }

    #[test]
    fn transposed_convolutions_of_any_geometry(
        groups in 1_usize..3, inputs in 1_usize..3, outputs in 1_usize..3,
        kernel in (2_usize..4, 2_usize..3), stride in (1_usize..4, 1_usize..3),
        padding in (0_usize..2, 0_usize..2), dilation in (1_usize..3, 1_usize..3),
        size in (3_usize..5, 3_usize..5),
    ) {
        let x = [1, groups * inputs, size.0, size.1];
        let w = [groups * inputs, outputs, kernel.0, kernel.1];
        let len = x.iter().product::<usize>() + w.iter().product::<usize>();
        consistent(&check("conv_transpose2d", len, |theta| {
            let (x, w) = split(theta, x, w);
            let options = ConvTransposeOptions::new(
                [stride.0, stride.1], [padding.0, padding.1], [stride.0 - 1, 0],
                [dilation.0, dilation.1], groups,
            );
            layer::conv_transpose2d(x, w, None, options)
        }));
    }

    #[test]
    fn pooling_of_any_geometry(
        kernel in 2_usize..4, stride in 1_usize..4, padding in 0_usize..2, ceil in any::<bool>(),
        count in any::<bool>(), size in 5_usize..9,
    ) {
        let image = |x: Tensor<1>| -> Tensor<4> { x.reshape([2, 1, size, 7]) };
        agrees(&check("max_pool2d", 14 * size, |x| {
            let options = MaxPoolOptions::new([kernel, 2])
                .with_stride([stride, 2]).with_padding([padding, 1]).with_ceil_mode(ceil);
            layer::max_pool2d(image(x), options)
        }));
        agrees(&check("avg_pool2d", 14 * size, |x| {
            let options = AvgPoolOptions::new([kernel, 2])
                .with_stride([stride, 2]).with_padding([padding, 1]).with_ceil_mode(ceil)
                .with_count_include_pad(count);
            layer::avg_pool2d(image(x), options)
        }));
        agrees(&check("adaptive_avg_pool2d", 14 * size, |x| {
            layer::adaptive_avg_pool2d(image(x), [kernel, stride])
        }));
    }

    #[test]
    fn products_and_broadcasts_of_any_shape(
        a in 1_usize..4, m in 1_usize..4, k in 1_usize..4, n in 1_usize..4, shared in any::<bool>(),
        turned in any::<bool>(),
    ) {
        let b = if shared { 1 } else { a };
        let (x, y) = ([a, m, k], [b, k, n]);
        let len = a * m * k + b * k * n;
        agrees(&check("matmul", len, |theta| {
            let (x, y) = split(theta, x, y);
            if turned {
                y.transpose().matmul(x.transpose())
            } else {
                x.matmul(y)
            }
        }));
        agrees(&check("broadcast", a * m + k, |theta| {
            let (x, y) = split(theta, [a, m, 1], [1, 1, k]);
            x.clone() * y.clone() + x - y.exp()
        }));
    }

    #[test]
    fn chains_of_rearrangements(
        axes in Just(vec![0, 1, 2]).prop_shuffle(), flip in 0_usize..3, start in 0_usize..2,
        step in 1_isize..3, repeat in 1_usize..3,
    ) {
        agrees(&check("rearranged", 24, |x| {
            let cube: Tensor<3> = x.reshape([2, 3, 4]);
            let turned = cube.permute([axes[0], axes[1], axes[2]]).tanh().flip([flip]);
            let len = turned.dims()[1];
            let part = turned.clone().slice_dim(1, burn::tensor::s![start..len;step]);
            let back = turned.permute([axes[0], axes[1], axes[2]]).exp();
            // Kept small: the harness takes a sine of it.
            (part.repeat_dim(0, repeat).cumsum(1).sum() + back.cumsum(2).sum_dim(0).sum()) * 0.01
        }));
    }
}
