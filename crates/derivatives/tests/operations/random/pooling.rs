//! Pooling and resampling with every option.

use burn::tensor::Tensor;
use burn::tensor::module as layer;
use burn::tensor::ops::{
    AvgPoolOptions, GridSampleOptions, GridSamplePaddingMode, InterpolateMode, InterpolateOptions,
    MaxPoolOptions,
};
use proptest::prelude::*;

use super::super::harness::{check, noise};
use super::super::valued::check_value;
use super::{config, consistent, holds};

/// Whether a coordinate of a grid falls beside the pixels of an axis and the middles between two,
/// where samples have kinks: by far more than a step of the differences.
fn is_off_kinks(point: f64, side: usize, align: bool) -> bool {
    let side = side as f64;
    let pixel = if align {
        f64::midpoint(point, 1.0) * (side - 1.0)
    } else {
        (point + 1.0) * side / 2.0 - 0.5
    };
    let halves = 2.0 * pixel;
    (halves - halves.round()).abs() > 2e-3
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn along_one_axis(
        kernel in 2_usize..4, stride in 1_usize..4, padding in 0_usize..2, ceil in any::<bool>(),
        count in any::<bool>(), dilation in 1_usize..3, size in 5_usize..9, to in 1_usize..6,
    ) {
        let signal = |x: Tensor<1>| -> Tensor<3> { x.reshape([2, 2, size]) };
        holds("max_pool1d", 4 * size, |x| {
            let options = MaxPoolOptions::new([kernel])
                .with_stride([stride]).with_padding([padding]).with_dilation([dilation])
                .with_ceil_mode(ceil);
            layer::max_pool1d(signal(x), options)
        });
        holds("avg_pool1d", 4 * size, |x| {
            let options = AvgPoolOptions::new([kernel])
                .with_stride([stride]).with_padding([padding]).with_ceil_mode(ceil)
                .with_count_include_pad(count);
            layer::avg_pool1d(signal(x), options)
        });
        holds("adaptive_avg_pool1d", 4 * size, |x| {
            layer::adaptive_avg_pool1d(signal(x), to)
        });
    }

    #[test]
    fn over_images(
        kernel in 2_usize..4, stride in 1_usize..4, padding in 0_usize..2, ceil in any::<bool>(),
        count in any::<bool>(), size in 5_usize..9, uneven in any::<bool>(),
    ) {
        let image = |x: Tensor<1>| -> Tensor<4> { x.reshape([2, 1, size, 7]) };
        let pairs = [(padding, usize::from(uneven)), (1, usize::from(!uneven))];
        holds("max_pool2d", 14 * size, |x| {
            let options = MaxPoolOptions::new([kernel, 2])
                .with_stride([stride, 2]).with_padding_pairs(pairs).with_ceil_mode(ceil);
            layer::max_pool2d(image(x), options)
        });
        holds("avg_pool2d", 14 * size, |x| {
            let options = AvgPoolOptions::new([kernel, 2])
                .with_stride([stride, 2]).with_padding_pairs(pairs).with_ceil_mode(ceil)
                .with_count_include_pad(count);
            layer::avg_pool2d(image(x), options)
        });
        holds("adaptive_avg_pool2d", 14 * size, |x| {
            layer::adaptive_avg_pool2d(image(x), [kernel, stride])
        });
    }

    #[test]
    fn interpolated_to_any_size(
        mode in 0_usize..4, align in any::<bool>(), rows in 1_usize..9, columns in 1_usize..12,
    ) {
        let f = |x: Tensor<1>| {
            let mode = match mode {
                0 => InterpolateMode::Nearest,
                1 => InterpolateMode::Bilinear,
                2 => InterpolateMode::Bicubic,
                _ => InterpolateMode::Lanczos3,
            };
            let options = InterpolateOptions::new(mode)
                .with_align_corners(align)
                .with_output_size([rows, columns]);
            layer::interpolate(x.reshape([1, 1, 5, 6]), options)
        };
        // Burn's CPU has no gradient for the last.
        let row = if mode == 3 {
            check_value("interpolate", 30, f)
        } else {
            check("interpolate", 30, f)
        };
        // Burn takes the weights in f32.
        prop_assert!(row.value < 1e-6 && row.gradient < 1e-5, "{:?}", row);
        prop_assert!(row.differences < 1e-7 && row.product < 1e-6, "{:?}", row);
        prop_assert!(row.forward < 1e-11 && row.symmetry < 1e-11, "{:?}", row);
    }

    #[test]
    fn sampled_on_any_grid(
        padding in 0_usize..3, align in any::<bool>(), rows in 2_usize..6, columns in 2_usize..5,
        stretch in 0.5..1.8_f32,
    ) {
        let pixels = 2 * rows * columns;
        let points = &noise(pixels + 12, 1)[pixels..];
        let stretched = points.iter().map(|point| point * f64::from(stretch));
        let sides = [columns, rows].into_iter().cycle();
        prop_assume!(stretched.zip(sides).all(|(point, side)| is_off_kinks(point, side, align)));
        let row = check("grid_sample_2d", pixels + 12, |x| {
            let image: Tensor<4> = x.clone().slice_dim(0, 0..pixels).reshape([1, 2, rows, columns]);
            let grid: Tensor<4> = x.slice_dim(0, pixels..pixels + 12).reshape([1, 2, 3, 2]);
            let padding = match padding {
                0 => GridSamplePaddingMode::Zeros,
                1 => GridSamplePaddingMode::Border,
                _ => GridSamplePaddingMode::Reflection,
            };
            let options = GridSampleOptions::new(InterpolateMode::Bilinear)
                .with_padding_mode(padding)
                .with_align_corners(align);
            image.grid_sample_2d(grid * stretch, options)
        });
        consistent(&row);
        prop_assert!(row.gradient < 1e-12, "{:?}", row);
    }
}
