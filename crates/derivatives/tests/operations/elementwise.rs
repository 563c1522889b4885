//! Elementwise functions.

use burn::tensor::Tensor;

use super::harness::{check, report};

/// Entries in (0.5, 2).
fn positive(x: Tensor<1>) -> Tensor<1> {
    x.square() + 0.5
}

fn halves(x: Tensor<1>) -> (Tensor<1>, Tensor<1>) {
    let n = x.dims()[0] / 2;
    (x.clone().slice_dim(0, 0..n), x.slice_dim(0, n..2 * n))
}

#[test]
fn functions_of_one_variable() {
    let n = 12;
    report(&[
        check("exp", n, |x| x.exp()),
        check("log", n, |x| positive(x).log()),
        check("log1p", n, |x| positive(x).log1p()),
        check("sqrt", n, |x| positive(x).sqrt()),
        check("recip", n, |x| positive(x).recip()),
        check("erf", n, |x| x.erf()),
        check("sin", n, |x| x.sin()),
        check("cos", n, |x| x.cos()),
        check("tan", n, |x| x.tan()),
        check("sinh", n, |x| x.sinh()),
        check("cosh", n, |x| x.cosh()),
        check("tanh", n, |x| x.tanh()),
        check("asin", n, |x| (x * 0.5).asin()),
        check("acos", n, |x| (x * 0.5).acos()),
        check("atan", n, |x| x.atan()),
        check("asinh", n, |x| x.asinh()),
        check("acosh", n, |x| (positive(x) + 1.0).acosh()),
        check("atanh", n, |x| (x * 0.5).atanh()),
        check("abs", n, |x| x.abs()),
        check("sign", n, |x| x.clone() * x.sign()),
        check("floor", n, |x| x.clone() * (x * 3.0).floor()),
        check("ceil", n, |x| x.clone() * (x * 3.0).ceil()),
        check("round", n, |x| x.clone() * (x * 3.0).round()),
        check("trunc", n, |x| x.clone() * (x * 3.0).trunc()),
        check("square", n, |x| x.square()),
        check("deg2rad (f32 in Burn)", n, |x| (x * 90.0).deg2rad()),
        check("rad2deg (f32 in Burn)", n, |x| (x * 0.01).rad2deg()),
        check("is_nan, is_inf, is_finite", n, |x| {
            let odd = x.clone().is_nan().bool_or(x.clone().is_inf());
            let even = x.clone().is_finite();
            x.clone().mask_fill(odd, 0.0) + x.square().mask_fill(even, 0.5)
        }),
        check("powf_scalar", n, |x| positive(x).powf_scalar(1.7)),
        check("powi_scalar 3", n, |x| x.powi_scalar(3)),
        check("powi_scalar 4", n, |x| x.powi_scalar(4)),
        check("powi_scalar -2", n, |x| positive(x).powi_scalar(-2)),
        check("clamp", n, |x| x.clamp(-0.31, 0.52)),
        check("clamp_min", n, |x| x.clamp_min(-0.31)),
        check("clamp_max", n, |x| x.clamp_max(0.31)),
        check("neg", n, |x| x.neg()),
        check("add_scalar", n, |x| x.add_scalar(0.3)),
        check("sub_scalar", n, |x| x.sub_scalar(0.3)),
        check("mul_scalar", n, |x| x.mul_scalar(0.3)),
        check("div_scalar (f32 in Burn)", n, |x| x.div_scalar(0.3)),
        check("remainder_scalar", n, |x| x.remainder_scalar(0.3)),
    ]);
}

#[test]
fn functions_of_two_variables() {
    let n = 12;
    report(&[
        check("add", n, |x| {
            let (a, b) = halves(x);
            a + b
        }),
        check("sub", n, |x| {
            let (a, b) = halves(x);
            a - b
        }),
        check("mul", n, |x| {
            let (a, b) = halves(x);
            a * b
        }),
        check("div", n, |x| {
            let (a, b) = halves(x);
            a / positive(b)
        }),
        check("powf", n, |x| {
            let (a, b) = halves(x);
            positive(a).powf(b)
        }),
        check("atan2", n, |x| {
            let (a, b) = halves(x);
            a.atan2(b)
        }),
        check("hypot", n, |x| {
            let (a, b) = halves(x);
            a.hypot(b)
        }),
        check("remainder", n, |x| {
            let (a, b) = halves(x);
            a.remainder(positive(b))
        }),
        check("broadcast add", 7, |x| {
            let a = x.clone().slice_dim(0, 0..3).reshape([3, 1]);
            let b = x.slice_dim(0, 3..7).reshape([1, 4]);
            a + b
        }),
        check("broadcast mul", 7, |x| {
            let a = x.clone().slice_dim(0, 0..3).reshape([3, 1]);
            let b = x.slice_dim(0, 3..7).reshape([1, 4]);
            a * b
        }),
        check("broadcast sub, one side", 16, |x| {
            let a = x.clone().slice_dim(0, 0..12).reshape([3, 4]);
            let b = x.slice_dim(0, 12..16).reshape([1, 4]);
            b - a
        }),
        check("max_pair", n, |x| {
            let (a, b) = halves(x);
            a.max_pair(b)
        }),
        check("min_pair", n, |x| {
            let (a, b) = halves(x);
            a.min_pair(b)
        }),
        check("matmul", 18, |x| {
            let a = x.clone().slice_dim(0, 0..6).reshape([2, 3]);
            let b = x.slice_dim(0, 6..18).reshape([3, 4]);
            a.matmul(b)
        }),
        check("matmul, transposed", 18, |x| {
            let a = x.clone().slice_dim(0, 0..6).reshape([3, 2]);
            let b = x.slice_dim(0, 6..18).reshape([4, 3]);
            a.transpose().matmul(b.transpose())
        }),
        check("matmul, batch", 36, |x| {
            let a = x.clone().slice_dim(0, 0..12).reshape([2, 2, 3]);
            let b = x.slice_dim(0, 12..36).reshape([2, 3, 4]);
            a.matmul(b)
        }),
        check("matmul, batch on one side", 24, |x| {
            let a = x.clone().slice_dim(0, 0..12).reshape([2, 2, 3]);
            let b = x.slice_dim(0, 12..24).reshape([1, 3, 4]);
            a.matmul(b)
        }),
        check("matmul, batch on the other side", 30, |x| {
            let a = x.clone().slice_dim(0, 0..6).reshape([1, 2, 3]);
            let b = x.slice_dim(0, 6..30).reshape([2, 3, 4]);
            a.matmul(b)
        }),
        check("matmul with itself", 9, |x| {
            let a: Tensor<2> = x.reshape([3, 3]);
            a.clone().matmul(a.clone().transpose()) + a.clone().matmul(a)
        }),
        check("dot", n, |x| {
            let (a, b) = halves(x);
            a.dot(b)
        }),
        check("cross", 12, |x| {
            let (a, b) = halves(x);
            let shape = |x: Tensor<1>| -> Tensor<2> { x.reshape([2, 3]) };
            shape(a).cross(shape(b), 1)
        }),
    ]);
}
