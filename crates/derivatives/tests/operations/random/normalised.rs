//! Softmax and its kin, normalisations and norms.

use burn::tensor::module as layer;
use burn::tensor::{Tensor, activation as act};
use proptest::prelude::*;

use super::{config, holds_smoothly};

proptest! {
    #![proptest_config(config())]

    #[test]
    fn softmax_along_any_axis(
        which in 0_usize..4, shape in prop::array::uniform3(1_usize..5), axis in 0_usize..3,
        spread in 0.5..2.0_f32,
    ) {
        let len = shape.iter().product();
        holds_smoothly("softmax", len, |x| {
            let x: Tensor<3> = x.reshape(shape) * spread;
            match which {
                0 => act::softmax(x, axis),
                1 => act::log_softmax(x, axis),
                2 => act::softmin(x, axis),
                _ => act::quiet_softmax(x, axis),
            }
        });
    }

    #[test]
    fn normalised_over_any_width(rows in 1_usize..5, width in 2_usize..6, biased in any::<bool>()) {
        holds_smoothly("layer_norm", rows * width + 2 * width, |x| {
            let gamma = x.clone().slice_dim(0, 0..width);
            let beta = x.clone().slice_dim(0, width..2 * width);
            let x: Tensor<2> = x.slice_dim(0, 2 * width..2 * width + rows * width)
                .reshape([rows, width]);
            // Far from a variance of zero, where the function bends sharply.
            layer::layer_norm(x, gamma, biased.then_some(beta), 0.1)
        });
        holds_smoothly("batch_norm", rows * width * 3 + 4 * width, |x| {
            let part = |at: usize| x.clone().slice_dim(0, at * width..(at + 1) * width);
            let images: Tensor<3> = x.clone()
                .slice_dim(0, 4 * width..(4 + 3 * rows) * width)
                .reshape([rows, width, 3]);
            let variance = part(3).square() + 0.5;
            layer::batch_norm(images, part(0), part(1), part(2), variance, 1e-5)
        });
    }

    #[test]
    fn norms_of_any_order(rows in 1_usize..4, width in 1_usize..5, p in 1_usize..4) {
        holds_smoothly("norm", rows * width, |x| {
            let m: Tensor<2> = x.reshape([rows, width]);
            let sum = match p {
                1 => m.abs().sum_dim(1),
                2 => m.square().sum_dim(1),
                _ => m.abs().powi_scalar(3).sum_dim(1),
            };
            sum.powf_scalar(1.0 / p as f64)
        });
    }
}
