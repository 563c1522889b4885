//! Random operations on tensors: entrywise, along an axis, of two values.

use std::sync::Arc;

use burn::tensor::{DType, FloatDType, Tensor, activation as act};

use super::random::Random;
use super::scene::{Run, Scene};
use super::value::{Value, joined, mapped, with};

/// A table of functions that keep the rank.
macro_rules! table {
    ($name:ident: $($label:literal $x:ident => $result:expr;)+) => {
        const $name: &[(&str, fn(Value) -> Value)] = &[
            $(($label, |value| mapped!(value, $x => $result)),)+
        ];
    };
    ($name:ident, axis: $($label:literal $x:ident, $axis:ident => $result:expr;)+) => {
        const $name: &[(&str, fn(Value, usize) -> Value)] = &[
            $(($label, |value, $axis| mapped!(value, $x => $result)),)+
        ];
    };
    ($name:ident, pair: $($label:literal $x:ident, $y:ident => $result:expr;)+) => {
        const $name: &[(&str, fn(Value, Value) -> Value)] = &[
            $(($label, |left, right| joined!(left, right, $x, $y => $result)),)+
        ];
    };
}

table! { SMOOTH:
    "tanh" x => x.tanh();
    "sigmoid" x => act::sigmoid(x);
    "sin" x => x.sin();
    "cos" x => x.cos();
    "exp(0.3x)" x => (x * 0.3).exp();
    "log(1+x²)" x => (x.square() + 1.0).log();
    "sqrt(0.5+x²)" x => (x.square() + 0.5).sqrt();
    "erf" x => x.erf();
    "softplus" x => act::softplus(x, 1.5);
    "gelu" x => act::gelu(x);
    "gelu_approximate" x => act::gelu_approximate(x);
    "silu" x => act::silu(x);
    "mish" x => act::mish(x);
    "log_sigmoid" x => act::log_sigmoid(x);
    "1/(1+x²)" x => (x.square() + 1.0).recip();
    "powi2" x => x.powi_scalar(2);
    "powi3" x => (x * 0.5).powi_scalar(3);
    "powi-1" x => (x.sin() + 2.0).powi_scalar(-1);
    "powf1.7" x => (x.square() + 0.3).powf_scalar(1.7);
    "powf-0.5" x => (x.square() + 0.3).powf_scalar(-0.5);
    "neg" x => x.neg();
    "1.7x" x => x * 1.7;
    "x+0.3" x => x + 0.3;
    "x/3" x => x / 3.0;
    "1-x" x => x.neg().add_scalar(1.0);
    "sinh" x => (x * 0.3).sinh();
    "cosh" x => (x * 0.3).cosh();
    "tan" x => x.tanh().tan();
    "asin" x => (x.tanh() * 0.7).asin();
    "acos" x => (x.tanh() * 0.7).acos();
    "atan" x => x.atan();
    "asinh" x => x.asinh();
    "acosh" x => (x.square() + 1.5).acosh();
    "atanh" x => (x.tanh() * 0.7).atanh();
    "log1p" x => x.square().log1p();
    "softsign-like" x => x.clone() / (x.square() + 1.0).sqrt();
    "tanhshrink" x => act::tanhshrink(x);
    "exp(-x²)" x => x.square().neg().exp();
    "x - mean" x => x.clone() - x.mean().unsqueeze();
    "x / norm" x => x.clone() / (x.square().sum() + 0.1).sqrt().unsqueeze();
    "x * sum" x => x.clone() * x.sin().sum().unsqueeze() * 0.1;
    "x / x.clone()" x => x.clone() / (x.clone() * 2.0 + x.square() + 3.0);
    "x - x" x => x.clone() - x.clone() + x.sin();
    "deg2rad" x => x.deg2rad() * 20.0;
    "prod" x => x.clone() * (x * 0.1 + 1.0).prod().unsqueeze().clamp(-3.0, 3.0);
}

table! { KINKED:
    "relu" x => act::relu(x);
    "abs" x => x.abs();
    "leaky_relu" x => act::leaky_relu(x, 0.1);
    "clamp" x => x.clamp(-0.5, 0.7);
    "clamp_min" x => x.clamp_min(-0.2);
    "clamp_max" x => x.clamp_max(0.3);
    "hard_sigmoid" x => act::hard_sigmoid(x, 0.2, 0.5);
    "hard_swish" x => act::hard_swish(x);
    "elu" x => act::elu(x, 0.8);
    "celu" x => act::celu(x, 1.3);
    "selu" x => act::selu(x);
    "x sign x" x => x.clone() * x.sign();
    "floor + x" x => x.clone().floor() + x;
    "x - round" x => x.clone() - x.round();
    "x * ceil" x => x.clone() * x.ceil();
    "remainder" x => x.remainder_scalar(1.3);
    "relu6" x => act::relu6(x);
    "hardtanh" x => act::hardtanh(x, -0.6, 0.4);
    "threshold" x => act::threshold(x, 0.1, -0.2);
    "hard_shrink" x => act::hard_shrink(x, 0.3);
    "soft_shrink" x => act::soft_shrink(x, 0.3);
    "shrink" x => act::shrink(x, 0.3, 0.1);
    "thresholded_relu" x => act::thresholded_relu(x, 0.2);
    "softsign" x => act::softsign(x);
    "trunc" x => x.clone().trunc() * 0.3 + x;
    "int" x => x.clone() * (x * 2.0).int().float().cast(FloatDType::F64);
    "mask_fill" x => { let mask = x.clone().lower_elem(0.1); x.mask_fill(mask, 0.2) };
    "mask_where" x => { let mask = x.clone().greater_elem(0.0); x.clone().mask_where(mask, x.square()) };
    "mask times" x => { let mask = x.clone().sin().greater_elem(0.0); x.clone() * mask.float().cast(FloatDType::F64) };
    "x / max" x => x.clone() / (x.max() + 3.0).unsqueeze();
    "x - min" x => x.clone() - x.min().unsqueeze();
    "x * max_abs" x => x.clone() * x.max_abs().unsqueeze() * 0.3;
}

table! { ALONG, axis:
    "sum_dim" x, axis => x.sum_dim(axis);
    "mean_dim" x, axis => x.mean_dim(axis);
    "var" x, axis => { assert!(x.dims()[axis] > 1, "one entry has no variance"); x.var(axis) };
    "var_bias" x, axis => x.var_bias(axis);
    "x - mean / std" x, axis => { let (var, mean) = x.clone().var_mean_bias(axis); (x - mean) / (var + 0.1).sqrt() };
    "max_dim" x, axis => x.max_dim(axis);
    "min_dim" x, axis => x.min_dim(axis);
    "max_abs_dim" x, axis => x.max_abs_dim(axis);
    "prod_dim" x, axis => (x * 0.5 + 1.0).prod_dim(axis);
    "cumsum" x, axis => x.cumsum(axis);
    "cumprod" x, axis => (x * 0.3 + 1.0).cumprod(axis);
    "cummax" x, axis => x.cummax(axis);
    "cummin" x, axis => x.cummin(axis);
    "sort" x, axis => x.sort(axis);
    "sort_descending" x, axis => x.sort_descending(axis);
    "sort_with_indices" x, axis => { let (sorted, order) = x.clone().sort_with_indices(axis); sorted * 0.5 + x.sin().gather(axis, order) };
    "argsort, gather" x, axis => { let order = x.clone().argsort(axis); x.square().gather(axis, order) };
    "topk" x, axis => { let k = x.dims()[axis].min(2); x.topk(k, axis) };
    "topk_with_indices" x, axis => { let k = x.dims()[axis].min(3); let (top, at) = x.clone().topk_with_indices(k, axis); top + x.cos().gather(axis, at) };
    "argmax, gather" x, axis => { let at = x.clone().argmax(axis); x.gather(axis, at) };
    "argmin, gather" x, axis => { let at = x.clone().argmin(axis); x.square().gather(axis, at) };
    "max_dim_with_indices" x, axis => { let (max, at) = x.clone().max_dim_with_indices(axis); max + x.sin().gather(axis, at) };
    "min_dim_with_indices" x, axis => { let (min, at) = x.clone().min_dim_with_indices(axis); min * x.gather(axis, at) };
    "median" x, axis => x.median(axis);
    "softmax" x, axis => act::softmax(x, axis);
    "softmin" x, axis => act::softmin(x, axis);
    "log_softmax" x, axis => act::log_softmax(x, axis);
    "quiet_softmax" x, axis => act::quiet_softmax(x, axis);
    "logsumexp" x, axis => { let max = x.clone().max_dim(axis); (x - max.clone()).exp().sum_dim(axis).log() + max };
    "x / norm along" x, axis => x.clone() / (x.square().sum_dim(axis) + 0.1).sqrt();
    "flip" x, axis => x.flip([axis]);
    "roll" x, axis => x.roll_dim(1, axis);
    "narrow" x, axis => { let n = x.dims()[axis]; x.narrow(axis, n / 3, n - n / 3) };
    "slice" x, axis => { let n = x.dims()[axis]; x.slice_dim(axis, 0..n.div_ceil(2)) };
    "slice by two" x, axis => x.slice_dim(axis, burn::tensor::Slice::new(0, None, 2));
    "slice backwards" x, axis => x.slice_dim(axis, burn::tensor::Slice::new(0, None, -1));
    "repeat" x, axis => x.repeat_dim(axis, 2);
    "cat" x, axis => Tensor::cat(vec![x.clone(), x.clone().sin(), x], axis);
    "chunk" x, axis => x.chunk(2, axis).pop().expect("a chunk");
    "split" x, axis => x.split(2, axis).remove(0);
    "glu" x, axis => { assert!(x.dims()[axis] % 2 == 0, "halves"); act::glu(x, axis) };
    "sum of two" x, axis => { let n = x.dims()[axis]; x.clone().narrow(axis, 0, n - n / 2) + x.narrow(axis, n / 2, n - n / 2) };
    "difference along" x, axis => { let n = x.dims()[axis]; assert!(n > 1, "two at least"); x.clone().slice_dim(axis, 1..n) - x.slice_dim(axis, 0..n - 1) };
    "sum_dim, expand" x, axis => { let dims = x.dims(); x.sum_dim(axis).expand(dims) };
    "cumsum back" x, axis => x.flip([axis]).cumsum(axis).flip([axis]);
    "running mean" x, axis => x.clone().cumsum(axis) / (x.ones_like().cumsum(axis));
    "cross" x, axis => { assert!(x.dims()[axis] == 3, "three"); let y = x.clone().cos(); x.cross(y, axis) };
    "any_dim" x, axis => { let any = x.clone().greater_elem(0.8).any_dim(axis); let dims = x.dims(); x.clone().mask_where(any.expand(dims), x.sin()) };
}

table! { PAIRS, pair:
    "add" x, y => x + y;
    "sub" x, y => x - y;
    "mul" x, y => x * y;
    "div" x, y => x / (y.square() + 1.0);
    "div by clone" x, y => x / (y.exp().clamp_max(20.0) + 0.5);
    "max_pair" x, y => x.max_pair(y);
    "min_pair" x, y => x.min_pair(y);
    "hypot" x, y => x.hypot(y + 0.1);
    "atan2" x, y => x.atan2(y.square() + 0.2);
    "powf" x, y => (x.square() + 0.5).powf(y.tanh());
    "powi" x, y => (x.square() + 0.5).powi(y.tanh() * 2.0);
    "where" x, y => { let mask = x.clone().greater(y.clone()); x.mask_where(mask, y.square()) };
    "where not" x, y => { let mask = x.clone().lower_equal(y.clone() * 0.5); y.mask_where(mask, x * 2.0) };
    "remainder" x, y => x.remainder(y.square() + 1.0);
    "equal" x, y => { let same = x.clone().equal(y.clone()); x.clone().mask_where(same, y.clone()) + y };
    "bool_and" x, y => { let mask = x.clone().greater_elem(0.0).bool_and(y.clone().lower_elem(0.3)); x.mask_where(mask, y) };
    "lerp" x, y => { let t = act::sigmoid(x.clone()); x * t.clone() + y * (t.neg() + 1.0) };
    "slice_assign" x, y => { let n = x.dims()[0]; let part = y.slice_dim(0, 0..n.div_ceil(2)); let mut ranges = x.dims().map(|n| 0..n); ranges[0] = 0..n.div_ceil(2); x.slice_assign(ranges, part) };
}

pub(super) fn run(f: impl Fn(&Scene<'_>, &[Value]) -> Value + Send + Sync + 'static) -> Run {
    Arc::new(f)
}

/// An entrywise function.
pub(super) fn entrywise(random: &mut Random) -> (String, Run) {
    let table = if random.once_in(4) { KINKED } else { SMOOTH };
    let (label, f) = random.one_of(table);
    (label.to_owned(), run(move |_, x| f(x[0].clone())))
}

/// An operation along an axis.
pub(super) fn along(random: &mut Random, rank: usize) -> (String, Run) {
    let (label, f) = random.one_of(ALONG);
    let axis = random.below(rank);
    (
        format!("{label}, axis {axis}"),
        run(move |_, x| f(x[0].clone(), axis)),
    )
}

/// An operation of two values, the second stretched or cut to the shape of the first where it has
/// another.
pub(super) fn pair(random: &mut Random) -> (String, Run) {
    let (label, f) = random.one_of(PAIRS);
    (
        label.to_owned(),
        run(move |_, x| {
            let (left, right) = (x[0].clone(), fitted(x[1].clone(), &x[0].dims()));
            f(left, right)
        }),
    )
}

/// The entries of a value in another shape: broadcast, or repeated and cut.
fn fitted(value: Value, dims: &[usize]) -> Value {
    let own = value.dims();
    if own == dims {
        return value;
    }
    if own.len() == dims.len() && own.iter().zip(dims).all(|(own, n)| own == n || *own == 1) {
        // Broadcast by the operation itself.
        return value;
    }
    let (have, need) = (value.len(), dims.iter().product::<usize>());
    let flat = value.flat();
    let long = flat.repeat_dim(0, need.div_ceil(have));
    Value::One(long.slice_dim(0, 0..need)).reshape(dims)
}

/// The float type that all is computed in.
pub(super) fn is_double(value: &Value) -> bool {
    with!(value, x => x.dtype()) == DType::F64
}
