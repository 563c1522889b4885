//! Linear layers, convolutions, pooling, normalisations and attention.

use burn::tensor::Tensor;
use burn::tensor::module as layer;
use burn::tensor::ops::{
    AttentionModuleOptions, AvgPoolOptions, ConvOptions, ConvTransposeOptions, InterpolateMode,
    InterpolateOptions, MaxPoolOptions, UnfoldOptions,
};

use super::harness::{check, report, type_of};

/// `[N, C, length]` and a weight out of one vector.
fn parts<const A: usize, const B: usize>(
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

#[test]
fn convolutions() {
    let mut rows = Vec::new();
    for (stride, padding, dilation, groups) in [
        (1, 0, 1, 1),
        (2, 1, 1, 1),
        (1, 2, 2, 1),
        (3, 1, 1, 2),
        (2, 0, 1, 4),
    ] {
        let options = ConvOptions::new([stride], [padding], [dilation], groups);
        let (a, b) = ([2, 4, 9], [4, 4 / groups, 3]);
        rows.push(check(
            &format!("conv1d s{stride} p{padding} d{dilation} g{groups}"),
            2 * 4 * 9 + 4 * (4 / groups) * 3 + 4,
            |x| {
                let n = x.dims()[0];
                let (x, w) = {
                    let (x1, w) = parts(x.clone(), a, b);
                    ((x1, x.slice_dim(0, n - 4..n)), w)
                };
                layer::conv1d(x.0, w, Some(x.1), options.clone())
            },
        ));
    }
    for (stride, padding, dilation, groups) in [
        ([1, 1], [0, 0], [1, 1], 1),
        ([2, 1], [1, 2], [1, 1], 1),
        ([1, 1], [2, 1], [2, 1], 2),
        ([3, 2], [0, 1], [1, 2], 1),
    ] {
        let options = ConvOptions::new(stride, padding, dilation, groups);
        let (a, b) = ([2, 2, 6, 7], [4, 2 / groups, 3, 2]);
        rows.push(check(
            &format!("conv2d s{stride:?} p{padding:?} d{dilation:?} g{groups}"),
            2 * 2 * 42 + 4 * (2 / groups) * 6,
            |x| {
                let (x, w) = parts(x, a, b);
                layer::conv2d(x, w, None, options.clone())
            },
        ));
    }
    rows.push(check("conv2d, asymmetric padding", 2 * 42 + 24, |x| {
        let (x, w) = parts(x, [1, 2, 6, 7], [2, 2, 3, 2]);
        let mut options = ConvOptions::new([1, 2], [0, 0], [1, 1], 1);
        options.padding = [(1, 0), (0, 2)];
        layer::conv2d(x, w, None, options)
    }));
    rows.push(check("conv3d", 2 * 60 + 2 * 2 * 8, |x| {
        let (x, w) = parts(x, [1, 2, 3, 4, 5], [2, 2, 2, 2, 2]);
        layer::conv3d(
            x,
            w,
            None,
            ConvOptions::new([1, 2, 1], [1, 0, 1], [1, 1, 2], 1),
        )
    }));
    for (stride, padding, out, dilation, groups) in
        [(1, 0, 0, 1, 1), (2, 1, 1, 1, 1), (3, 0, 2, 2, 2)]
    {
        let options = ConvTransposeOptions::new([stride], [padding], [out], [dilation], groups);
        rows.push(check(
            &format!("conv_transpose1d s{stride} p{padding} o{out} d{dilation} g{groups}"),
            2 * 4 * 5 + 4 * (4 / groups) * 3,
            |x| {
                let (x, w) = parts(x, [2, 4, 5], [4, 4 / groups, 3]);
                layer::conv_transpose1d(x, w, None, options.clone())
            },
        ));
    }
    rows.push(check("conv_transpose2d", 2 * 12 + 2 * 3 * 6 + 3, |x| {
        let n = x.dims()[0];
        let bias = x.clone().slice_dim(0, n - 3..n);
        let (x, w) = parts(x, [1, 2, 3, 4], [2, 3, 3, 2]);
        let options = ConvTransposeOptions::new([2, 1], [1, 0], [1, 0], [1, 2], 1);
        layer::conv_transpose2d(x, w, Some(bias), options)
    }));
    rows.push(check("conv_transpose3d", 2 * 8 + 2 * 2 * 8, |x| {
        let (x, w) = parts(x, [1, 2, 2, 2, 2], [2, 2, 2, 2, 2]);
        let options = ConvTransposeOptions::new([2, 1, 1], [0, 0, 1], [0, 0, 0], [1, 1, 1], 1);
        layer::conv_transpose3d(x, w, None, options)
    }));
    report(&rows);
}

#[test]
fn pooling_and_resampling() {
    let image = |x: Tensor<1>| -> Tensor<4> { x.reshape([1, 2, 6, 7]) };
    let signal = |x: Tensor<1>| -> Tensor<3> { x.reshape([2, 2, 7]) };
    let mut rows = vec![
        check("max_pool1d", 28, |x| {
            layer::max_pool1d(
                signal(x),
                MaxPoolOptions::new([3])
                    .with_stride([2])
                    .with_padding([1])
                    .with_dilation([1])
                    .with_ceil_mode(false),
            )
        }),
        check("max_pool1d, ceil, dilation", 28, |x| {
            layer::max_pool1d(
                signal(x),
                MaxPoolOptions::new([2])
                    .with_stride([2])
                    .with_padding([0])
                    .with_dilation([2])
                    .with_ceil_mode(true),
            )
        }),
        check("max_pool2d", 84, |x| {
            layer::max_pool2d(
                image(x),
                MaxPoolOptions::new([2, 2])
                    .with_stride([2, 2])
                    .with_padding([0, 0])
                    .with_dilation([1, 1])
                    .with_ceil_mode(false),
            )
        }),
        check("max_pool2d, padding, overlap", 84, |x| {
            layer::max_pool2d(
                image(x),
                MaxPoolOptions::new([3, 2])
                    .with_stride([1, 2])
                    .with_padding([1, 1])
                    .with_dilation([1, 1])
                    .with_ceil_mode(true),
            )
        }),
        check("max_pool2d_with_indices, asymmetric padding", 84, |x| {
            let kind = type_of(&x);
            let (values, indices) = layer::max_pool2d_with_indices(
                image(x),
                MaxPoolOptions::new([2, 3]).with_padding_pairs([(1, 0), (0, 2)]),
            );
            values * indices.cast(kind).mul_scalar(0.25)
        }),
        check("avg_pool2d, asymmetric padding", 84, |x| {
            let options = AvgPoolOptions::new([2, 3])
                .with_padding_pairs([(1, 0), (0, 2)])
                .with_count_include_pad(false);
            layer::avg_pool2d(image(x), options)
        }),
        check("max_pool2d_with_indices", 84, |x| {
            layer::max_pool2d_with_indices(
                image(x),
                MaxPoolOptions::new([2, 3])
                    .with_stride([2, 2])
                    .with_padding([0, 1])
                    .with_dilation([1, 1])
                    .with_ceil_mode(false),
            )
            .0
        }),
        check("adaptive_avg_pool1d", 28, |x| {
            layer::adaptive_avg_pool1d(signal(x), 3)
        }),
        check("adaptive_avg_pool2d", 84, |x| {
            layer::adaptive_avg_pool2d(image(x), [4, 3])
        }),
        check("adaptive_avg_pool2d to 1", 84, |x| {
            layer::adaptive_avg_pool2d(image(x), [1, 1])
        }),
        check("unfold4d", 84, |x| {
            layer::unfold4d(image(x), [2, 3], UnfoldOptions::new([2, 1], [1, 0], [1, 2]))
        }),
    ];
    for (kernel, stride, padding, count, ceil) in [
        (2, 2, 0, true, false),
        (3, 2, 1, true, false),
        (3, 2, 1, false, false),
        (3, 2, 1, false, true),
        (3, 2, 0, true, true),
    ] {
        rows.push(check(
            &format!("avg_pool1d k{kernel} s{stride} p{padding} count {count} ceil {ceil}"),
            28,
            |x| {
                layer::avg_pool1d(
                    signal(x),
                    AvgPoolOptions::new([kernel])
                        .with_stride([stride])
                        .with_padding([padding])
                        .with_count_include_pad(count)
                        .with_ceil_mode(ceil),
                )
            },
        ));
        rows.push(check(
            &format!("avg_pool2d k{kernel} s{stride} p{padding} count {count} ceil {ceil}"),
            84,
            |x| {
                layer::avg_pool2d(
                    image(x),
                    AvgPoolOptions::new([kernel, 2])
                        .with_stride([stride, 1])
                        .with_padding([padding, 1])
                        .with_count_include_pad(count)
                        .with_ceil_mode(ceil),
                )
            },
        ));
    }
    for (name, mode) in [
        ("nearest", InterpolateMode::Nearest),
        ("bilinear", InterpolateMode::Bilinear),
        ("bicubic", InterpolateMode::Bicubic),
    ] {
        for align in [false, true] {
            for size in [[9, 5], [3, 14]] {
                rows.push(check(
                    &format!("interpolate {name} {align} {size:?} (f32 in Burn)"),
                    84,
                    |x| {
                        let options = InterpolateOptions::new(mode.clone())
                            .with_align_corners(align)
                            .with_output_size(size);
                        layer::interpolate(image(x), options)
                    },
                ));
            }
        }
    }
    report(&rows);
}

#[test]
fn normalisation_and_attention() {
    let heads = |x: Tensor<1>, part: usize| -> Tensor<4> {
        x.slice_dim(0, 24 * part..24 * (part + 1))
            .reshape([1, 2, 4, 3])
    };
    report(&[
        check("layer_norm", 20, |x| {
            let gamma = x.clone().slice_dim(0, 12..16);
            let beta = x.clone().slice_dim(0, 16..20);
            let x: Tensor<2> = x.slice_dim(0, 0..12).reshape([3, 4]);
            layer::layer_norm(x, gamma, Some(beta), 1e-5)
        }),
        check("batch_norm", 24 + 8, |x| {
            let part = |from: usize| x.clone().slice_dim(0, 24 + from..26 + from);
            let input: Tensor<3> = x.clone().slice_dim(0, 0..24).reshape([3, 2, 4]);
            let variance = part(6).square() + 0.5;
            layer::batch_norm(input, part(0), part(2), part(4), variance, 1e-5)
        }),
        check("linear", 6 + 12 + 4, |x| {
            let input: Tensor<2> = x.clone().slice_dim(0, 0..6).reshape([2, 3]);
            let weight: Tensor<2> = x.clone().slice_dim(0, 6..18).reshape([3, 4]);
            layer::linear(input, weight, Some(x.slice_dim(0, 18..22)))
        }),
        check("linear on three axes", 12 + 12, |x| {
            let input: Tensor<3> = x.clone().slice_dim(0, 0..12).reshape([2, 2, 3]);
            let weight: Tensor<2> = x.slice_dim(0, 12..24).reshape([3, 4]);
            layer::linear(input, weight, None)
        }),
        check("embedding", 12, |x| {
            let device = x.device();
            let table: Tensor<2> = x.reshape([4, 3]);
            let indices = Tensor::from_data([[0_i64, 3], [3, 1]], &device);
            layer::embedding(table, indices)
        }),
        check("attention", 72, |x| {
            layer::attention(
                heads(x.clone(), 0),
                heads(x.clone(), 1),
                heads(x, 2),
                None,
                None,
                AttentionModuleOptions::default(),
            )
        }),
        check("attention, causal, soft cap, bias", 72 + 32, |x| {
            let bias: Tensor<4> = x.clone().slice_dim(0, 72..104).reshape([1, 2, 4, 4]);
            layer::attention(
                heads(x.clone(), 0),
                heads(x.clone(), 1),
                heads(x, 2),
                None,
                Some(bias),
                AttentionModuleOptions {
                    scale: Some(0.7),
                    softcap: Some(2.0),
                    is_causal: true,
                },
            )
        }),
    ]);
}
