//! Sums, products, extrema, order statistics and cumulative operations along any axes.

use burn::tensor::Tensor;
use proptest::prelude::*;

use super::{config, converges, holds, holds_to};

fn shape() -> impl Strategy<Value = [usize; 3]> {
    prop::array::uniform3(2_usize..5)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn sums_and_products(
        which in 0_usize..9, shape in shape(), axis in 0_usize..3, other in 0_usize..3,
        spread in 0.5..1.2_f32,
    ) {
        let len = shape.iter().product();
        let f = move |x: Tensor<1>| -> Tensor<3> {
            let x: Tensor<3> = x.reshape(shape) * spread;
            // Sums are kept below a right angle: the harness takes a sine, whose slope is zero
            // there.
            match which {
                0 => x.exp().sum_dim(axis) * 0.1,
                1 => x.exp().mean_dim(axis),
                2 => x.prod_dim(axis),
                3 => x.var(axis),
                4 => x.var_bias(axis),
                5 => x.exp().cumsum(axis) * 0.1,
                6 => x.cumprod(axis),
                7 if axis != other => x.exp().sum_dims(&[axis, other]) * 0.02,
                8 if axis != other => x.exp().mean_dims(&[axis, other]),
                _ => x.exp().sum().reshape([1, 1, 1]) * 0.005,
            }
        };
        // Burn divides the gradient of a variance by the count in f32.
        let tolerance = if which == 3 || which == 4 { 1e-6 } else { 1e-13 };
        holds_to(tolerance, "sum or product", len, f);
        converges("sum or product", len, f);
    }

    #[test]
    fn extrema_and_order(
        which in 0_usize..12, shape in shape(), axis in 0_usize..3, k in 1_usize..3,
        spread in 0.5..1.5_f32,
    ) {
        let len = shape.iter().product();
        holds("extremum or order", len, |x| {
            let x: Tensor<3> = x.reshape(shape) * spread;
            match which {
                0 => x.max_dim(axis),
                1 => x.min_dim(axis),
                2 => x.max_abs_dim(axis),
                3 => x.sort(axis),
                4 => x.sort_descending(axis),
                5 => x.topk(k, axis),
                6 => x.cummax(axis),
                7 => x.cummin(axis),
                8 => x.max_dim_with_indices(axis).0,
                9 => x.topk_with_indices(k, axis).0,
                10 => x.max().reshape([1, 1, 1]),
                _ => x.median(axis),
            }
        });
    }
}
