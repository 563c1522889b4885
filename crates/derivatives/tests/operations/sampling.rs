//! Images read between their pixels.

use burn::tensor::Tensor;
use burn::tensor::module as layer;
use burn::tensor::ops::{
    DeformConvOptions, GridSampleOptions, GridSamplePaddingMode, InterpolateMode,
};
use derivatives::Error;

use super::harness::{capture, check, report};
use super::valued::check_value;

/// An image of 5 by 4 in two channels and a grid of 2 by 3 that leaves it here and there.
fn parts(x: Tensor<1>) -> (Tensor<4>, Tensor<4>) {
    let image = x.clone().slice_dim(0, 0..40).reshape([1, 2, 5, 4]);
    let grid: Tensor<4> = x.slice_dim(0, 40..52).reshape([1, 2, 3, 2]);
    (image, grid * 1.3)
}

#[test]
fn grid_sampling() {
    let mut rows = Vec::new();
    for (name, padding) in [
        ("zeros", GridSamplePaddingMode::Zeros),
        ("border", GridSamplePaddingMode::Border),
        ("reflection", GridSamplePaddingMode::Reflection),
    ] {
        for align in [false, true] {
            let options = GridSampleOptions::new(InterpolateMode::Bilinear)
                .with_padding_mode(padding)
                .with_align_corners(align);
            rows.push(check(
                &format!("grid_sample_2d, {name}, corners {align}"),
                52,
                |x| {
                    let (image, grid) = parts(x);
                    image.grid_sample_2d(grid, options.clone())
                },
            ));
        }
    }
    report(&rows);
}

/// Burn has the value of a nearest pixel and no gradient. It is linear in the image and constant in
/// the grid.
#[test]
fn nearest_samples_have_the_derivative_of_a_selection() {
    let mut rows = Vec::new();
    for padding in [
        GridSamplePaddingMode::Zeros,
        GridSamplePaddingMode::Border,
        GridSamplePaddingMode::Reflection,
    ] {
        let options = GridSampleOptions::new(InterpolateMode::Nearest).with_padding_mode(padding);
        rows.push(check_value(
            &format!("grid_sample_2d, nearest, {padding:?}"),
            52,
            |x| {
                let (image, grid) = parts(x);
                image.grid_sample_2d(grid, options.clone())
            },
        ));
    }
    report(&rows);
}

#[test]
fn deformable_convolutions() {
    // Images 2 x [4, 4, 3], offsets, a mask, a weight and a bias.
    let lens = [96, 2 * 2 * 2 * 4 * 6, 2 * 2 * 4 * 6, 4 * 2 * 4, 4];
    let len = lens.iter().sum();
    let part = |x: &Tensor<1>, index: usize| {
        let from: usize = lens[..index].iter().sum();
        x.clone().slice_dim(0, from..from + lens[index])
    };
    let mut rows = Vec::new();
    for masked in [false, true] {
        rows.push(check(
            &format!("deform_conv2d, mask {masked} (f32 in Burn)"),
            len,
            |x| {
                let mask = part(&x, 2).reshape([2, 8, 3, 2]);
                layer::deform_conv2d(
                    part(&x, 0).reshape([2, 4, 4, 3]),
                    part(&x, 1).slice_dim(0, 0..192).reshape([2, 16, 3, 2]),
                    part(&x, 3).reshape([4, 2, 2, 2]),
                    masked.then_some(mask),
                    Some(part(&x, 4)),
                    DeformConvOptions::new([1, 1], [0, 0], [1, 1], 2, 2),
                )
            },
        ));
    }
    report(&rows);
}

#[test]
fn a_mode_that_burn_has_not_is_an_error_that_names_it() {
    let error = capture(52, |x| {
        let (image, grid) = parts(x);
        image.grid_sample_2d(grid, GridSampleOptions::new(InterpolateMode::Bicubic))
    });
    let Err(Error::Unsupported {
        operation, option, ..
    }) = error
    else {
        panic!("{error:?}")
    };
    assert_eq!(operation, "GridSample2d");
    assert!(option.contains("Bicubic"), "{option}");
}
