//! Sums, means, products, extrema and cumulative operations.

use burn::tensor::Tensor;

use super::harness::{check, report, type_of};

fn matrix(x: Tensor<1>) -> Tensor<2> {
    x.reshape([3, 4])
}

fn cube(x: Tensor<1>) -> Tensor<3> {
    x.reshape([2, 3, 4])
}

fn halves(x: Tensor<1>) -> (Tensor<2>, Tensor<2>) {
    (
        matrix(x.clone().slice_dim(0, 0..12)),
        matrix(x.slice_dim(0, 12..24)),
    )
}

#[test]
fn reductions() {
    report(&[
        check("sum", 12, |x| matrix(x).sum()),
        check("mean", 12, |x| matrix(x).mean()),
        check("sum_dim", 24, |x| cube(x).sum_dim(1)),
        check("sum_dims", 24, |x| cube(x).sum_dims(&[0, 2])),
        check("mean_dim", 24, |x| cube(x).mean_dim(2)),
        check("mean_dims", 24, |x| cube(x).mean_dims(&[0, 2])),
        check("prod", 12, |x| matrix(x).prod()),
        check("prod_dim", 24, |x| cube(x).prod_dim(1)),
        check("var", 24, |x| cube(x).var(1)),
        check("var_bias", 24, |x| cube(x).var_bias(2)),
        check("cov (f32 in Burn)", 12, |x| matrix(x).cov(1, 1)),
        check("max", 12, |x| matrix(x).max()),
        check("min", 12, |x| matrix(x).min()),
        check("max_abs", 12, |x| matrix(x).max_abs()),
        check("max_dim", 24, |x| cube(x).max_dim(1)),
        check("min_dim", 24, |x| cube(x).min_dim(2)),
        check("max_abs_dim", 24, |x| cube(x).max_abs_dim(2)),
        check("max_dim_with_indices", 24, |x| {
            let kind = type_of(&x);
            let (values, indices) = cube(x).max_dim_with_indices(1);
            values * (indices.cast(kind) + 1.0)
        }),
        check("min_dim_with_indices", 24, |x| {
            cube(x).min_dim_with_indices(1).0
        }),
        check("topk", 24, |x| cube(x).topk(2, 1)),
        check("topk_with_indices", 24, |x| {
            cube(x).topk_with_indices(2, 1).0
        }),
        check("sort", 24, |x| cube(x).sort(1)),
        check("sort_descending", 24, |x| cube(x).sort_descending(2)),
        check("sort_with_indices", 24, |x| cube(x).sort_with_indices(2).0),
        check("median", 20, |x| {
            let m: Tensor<2> = x.reshape([4, 5]);
            m.median(1)
        }),
        check("cumsum", 24, |x| cube(x).cumsum(1)),
        check("cumprod", 24, |x| cube(x).cumprod(2)),
        check("cummax", 24, |x| cube(x).cummax(2)),
        check("cummin", 24, |x| cube(x).cummin(1)),
        check("argmax as a factor", 12, |x| {
            let kind = type_of(&x);
            let m = matrix(x);
            let index = m.clone().argmax(1).cast(kind);
            m * index
        }),
    ]);
}

#[test]
fn norms_and_linear_algebra() {
    report(&[
        check("l2 norm", 12, |x| matrix(x).square().sum_dim(1).sqrt()),
        check("logsumexp", 12, |x| {
            let m = matrix(x);
            let top = m.clone().max_dim(1).detach();
            (m - top.clone()).exp().sum_dim(1).log() + top
        }),
        check("trace of a product", 12, |x| {
            let m = matrix(x);
            (m.clone().transpose().matmul(m)).triu(0)
        }),
        check("tril", 12, |x| matrix(x).tril(-1)),
        check("var_mean", 24, |x| {
            let (variance, mean) = cube(x).var_mean(1);
            variance * mean
        }),
        check("l1 norm", 12, |x| matrix(x).abs().sum_dim(1)),
        check("largest norm", 12, |x| matrix(x).max_abs_dim(0)),
        check("l3 norm", 12, |x| {
            let cubes = matrix(x).abs().powi_scalar(3).sum_dim(1);
            cubes.powf_scalar(1.0 / 3.0)
        }),
        check("einsum of matrices", 24, |x| {
            let (a, b) = halves(x);
            let product: Tensor<2> = Tensor::einsum("ij,kj->ik", [a.into(), b.into()]);
            product
        }),
        check("einsum with a batch and a trace", 24 + 16, |x| {
            let batch = cube(x.clone().slice_dim(0, 0..24));
            let square: Tensor<2> = x.slice_dim(0, 24..40).reshape([4, 4]);
            let product: Tensor<2> = Tensor::einsum("bij,jj->bi", [batch.into(), square.into()]);
            product
        }),
        check("outer product by einsum", 24, |x| {
            let (a, b) = halves(x);
            let product: Tensor<4> = Tensor::einsum("ij,kl->ikjl", [a.into(), b.into()]);
            product
        }),
    ]);
}
