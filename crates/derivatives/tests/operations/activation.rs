//! Activations.

use burn::tensor::{Tensor, activation as act};

use super::harness::{check, report};

fn m(x: Tensor<1>) -> Tensor<2> {
    x.reshape([3, 4])
}

#[test]
fn activations() {
    let n = 12;
    report(&[
        check("relu", n, |x| act::relu(m(x))),
        check("leaky_relu", n, |x| act::leaky_relu(m(x), 0.25)),
        check("prelu", 16, |x| {
            let slope = x.clone().slice_dim(0, 12..16);
            act::prelu(m(x.slice_dim(0, 0..12)), slope)
        }),
        check("gelu", n, |x| act::gelu(m(x))),
        check("gelu_approximate", n, |x| act::gelu_approximate(m(x))),
        check("sigmoid", n, |x| act::sigmoid(m(x))),
        check("hard_sigmoid (f32 in Burn)", n, |x| {
            act::hard_sigmoid(m(x), 0.2, 0.5)
        }),
        check("log_sigmoid", n, |x| act::log_sigmoid(m(x))),
        check("softmax", n, |x| act::softmax(m(x), 1)),
        check("softmax, first axis", n, |x| act::softmax(m(x), 0)),
        check("softmin", n, |x| act::softmin(m(x), 1)),
        check("log_softmax", n, |x| act::log_softmax(m(x), 1)),
        check("quiet_softmax", n, |x| act::quiet_softmax(m(x), 1)),
        check("silu", n, |x| act::silu(m(x))),
        check("softplus (f32 in Burn)", n, |x| act::softplus(m(x), 1.3)),
        check("mish", n, |x| act::mish(m(x))),
        check("tanh", n, |x| act::tanh(m(x))),
        check("elu", n, |x| act::elu(m(x), 0.7)),
        check("celu (f32 in Burn)", n, |x| act::celu(m(x), 0.7)),
        check("selu", n, |x| act::selu(m(x))),
        check("hard_swish (f32 in Burn)", n, |x| {
            act::hard_swish(m(x) * 2.0)
        }),
        check("hardtanh", n, |x| act::hardtanh(m(x), -0.4, 0.6)),
        check("tanhshrink", n, |x| act::tanhshrink(m(x))),
        check("relu6", n, |x| act::relu6(m(x) * 8.0)),
        check("thresholded_relu", n, |x| act::thresholded_relu(m(x), 0.3)),
        check("threshold", n, |x| act::threshold(m(x), 0.3, 0.1)),
        check("glu", n, |x| act::glu(m(x), 1)),
        check("softsign", n, |x| act::softsign(m(x))),
        check("hard_shrink", n, |x| act::hard_shrink(m(x), 0.3)),
        check("soft_shrink", n, |x| act::soft_shrink(m(x), 0.3)),
        check("shrink", n, |x| act::shrink(m(x), 0.3, 0.1)),
    ]);
}
