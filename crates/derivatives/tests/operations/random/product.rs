//! Products of matrices and attention.

use burn::tensor::module as layer;
use burn::tensor::ops::AttentionModuleOptions;
use burn::tensor::{Bool, DType, Tensor, TensorData};
use proptest::prelude::*;

use super::super::harness::check;
use super::{beside_burn, config, consistent, holds_smoothly, split};

proptest! {
    #![proptest_config(config())]

    #[test]
    fn products_of_any_shape(
        a in 1_usize..4, m in 1_usize..4, k in 1_usize..4, n in 1_usize..4, shared in any::<bool>(),
        turned in any::<bool>(),
    ) {
        let b = if shared { 1 } else { a };
        let (x, y) = ([a, m, k], [b, k, n]);
        let len = a * m * k + b * k * n;
        holds_smoothly("matmul", len, |theta| {
            let (x, y) = split(theta, x, y);
            if turned {
                y.transpose().matmul(x.transpose())
            } else {
                x.matmul(y)
            }
        });
        holds_smoothly("linear", a * m * k + k * n + n, |theta| {
            let bias = theta.clone().slice_dim(0, 0..n);
            let (x, weight) = split(theta.slice_dim(0, n..n + a * m * k + k * n), x, [k, n]);
            layer::linear(x, weight, Some(bias))
        });
    }

    #[test]
    fn attention_with_any_option(
        heads in 1_usize..3, queries in 1_usize..4, more in 0_usize..3, width in 1_usize..4,
        scale in prop::option::of(0.3..1.5_f64), softcap in prop::option::of(1.0..3.0_f64),
        is_causal in any::<bool>(), hidden in prop::collection::vec(any::<bool>(), 6),
        masked in any::<bool>(), biased in any::<bool>(),
    ) {
        // Each query sees the first key at least.
        let keys = queries + more;
        let (q, k) = ([1, heads, queries, width], [1, heads, keys, width]);
        let lens = [heads * queries * width, heads * keys * width, heads * keys * width,
            heads * queries * keys];
        let f = |x: Tensor<1>| {
            let mut from = 0;
            let mut next = |len: usize| {
                from += len;
                x.clone().slice_dim(0, from - len..from)
            };
            let query: Tensor<4> = next(lens[0]).reshape(q);
            let key: Tensor<4> = next(lens[1]).reshape(k);
            let value: Tensor<4> = next(lens[2]).reshape(k);
            let bias: Tensor<4> = next(lens[3]).reshape([1, heads, queries, keys]);
            let hidden: Vec<bool> = (0..heads * queries * keys)
                .map(|entry| entry % keys > 0 && hidden[entry % 6])
                .collect();
            let hidden = TensorData::new(hidden, [1, heads, queries, keys]);
            let mask = masked.then(|| Tensor::<4, Bool>::from_data(hidden, &x.device()));
            let options = AttentionModuleOptions { scale, softcap, is_causal };
            layer::attention(query, key, value, mask, biased.then_some(bias), options)
        };
        let len = lens.iter().sum();
        let row = check("attention", len, f);
        consistent(&row);
        // Burn takes scale and cap in f32 where it takes the gradient.
        prop_assert!(row.gradient < 1e-6, "{:?}", row);
        let errors = beside_burn(DType::F32, len, f);
        prop_assert!(errors.iter().all(|&error| error < 5e-6), "f32: {:?}", errors);
    }
}
