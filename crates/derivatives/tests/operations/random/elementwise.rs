//! Functions of one and two variables, with broadcasting.

use burn::tensor::{Tensor, activation as act};
use proptest::prelude::*;

use super::{config, holds, holds_smoothly, split};

/// Away from zero, positive.
fn positive<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    x.square() + 0.5
}

type Function = fn(Tensor<3>) -> Tensor<3>;

const SMOOTH: &[(&str, Function)] = &[
    ("exp", |x| x.exp()),
    ("log", |x| positive(x).log()),
    ("log1p", |x| positive(x).log1p()),
    ("sqrt", |x| positive(x).sqrt()),
    ("recip", |x| positive(x).recip()),
    ("erf", |x| x.erf()),
    ("sin", |x| x.sin()),
    ("cos", |x| x.cos()),
    ("tan", |x| (x * 0.5).tan()),
    ("sinh", |x| x.sinh()),
    ("cosh", |x| x.cosh()),
    ("tanh", |x| x.tanh()),
    ("asin", |x| (x * 0.3).asin()),
    ("acos", |x| (x * 0.3).acos()),
    ("atan", |x| x.atan()),
    ("asinh", |x| x.asinh()),
    ("acosh", |x| (positive(x) + 1.0).acosh()),
    ("atanh", |x| (x * 0.3).atanh()),
    ("powf_scalar", |x| positive(x).powf_scalar(-1.3)),
    ("powi_scalar", |x| x.powi_scalar(3)),
    ("sigmoid", |x| act::sigmoid(x)),
    ("log_sigmoid", |x| act::log_sigmoid(x)),
    ("gelu", |x| act::gelu(x)),
    ("silu", |x| act::silu(x)),
    ("mish", |x| act::mish(x)),
];

/// Their kinks are at 0.
const KINKED: &[(&str, Function)] = &[
    ("relu", |x| act::relu(x)),
    ("leaky_relu", |x| act::leaky_relu(x, 0.25)),
    ("elu", |x| act::elu(x, 0.5)),
    ("selu", |x| act::selu(x)),
    ("abs", |x| x.abs()),
    ("sign", |x| x.clone() * x.sign()),
    ("clamp_min", |x| x.clamp_min(0.0)),
    ("softsign", |x| act::softsign(x)),
];

type Pair = fn(Tensor<3>, Tensor<3>) -> Tensor<3>;

const PAIRS: &[(&str, Pair)] = &[
    ("add", |a, b| a.exp() + b),
    ("sub", |a, b| a - b.exp()),
    ("mul", |a, b| a * b),
    ("div", |a, b| a / positive(b)),
    ("powf", |a, b| positive(a).powf(b)),
    ("atan2", |a, b| a.atan2(positive(b))),
    ("hypot", |a, b| a.hypot(positive(b))),
];

proptest! {
    #![proptest_config(config())]

    #[test]
    fn smooth_functions(
        which in 0..SMOOTH.len(), shape in prop::array::uniform3(1_usize..4), spread in 0.5..1.5_f32,
    ) {
        let (name, f) = SMOOTH[which];
        let len = shape.iter().product();
        holds_smoothly(name, len, |x| f(x.reshape(shape) * spread));
    }

    #[test]
    fn functions_with_a_kink(
        which in 0..KINKED.len(), shape in prop::array::uniform3(1_usize..4), spread in 0.5..1.5_f32,
    ) {
        let (name, f) = KINKED[which];
        let len = shape.iter().product();
        holds(name, len, |x| f(x.reshape(shape) * spread));
    }

    #[test]
    fn functions_of_two_variables_that_broadcast(
        which in 0..PAIRS.len(), shape in prop::array::uniform3(1_usize..4),
        left in prop::array::uniform3(any::<bool>()), right in prop::array::uniform3(any::<bool>()),
        spread in 0.5..1.5_f32,
    ) {
        let (name, f) = PAIRS[which];
        let one = |repeated: [bool; 3]| {
            [0, 1, 2].map(|axis| if repeated[axis] { 1 } else { shape[axis] })
        };
        let (a, b) = (one(left), one(right));
        let len = a.iter().product::<usize>() + b.iter().product::<usize>();
        holds_smoothly(name, len, |x| {
            let (a, b) = split(x * spread, a, b);
            f(a, b)
        });
    }

    #[test]
    fn clamps_between_any_bounds(low in -0.9..-0.1_f64, high in 0.1..0.9_f64, len in 1_usize..20) {
        // A bound that falls on an entry is a kink: none does, to within the step of a difference.
        let near = super::super::harness::noise(len, 1)
            .iter()
            .any(|x| (x - low).abs().min((x - high).abs()) < 1e-4);
        prop_assume!(!near);
        holds("clamp", len, |x| x.clamp(low, high));
    }
}
