//! Every loss of burn-nn.

use burn::nn::loss::{
    BinaryCrossEntropyLossConfig, CTCLossConfig, CosineEmbeddingLossConfig, CrossEntropyLossConfig,
    GaussianNLLLossConfig, HingeEmbeddingLossConfig, HuberLossConfig, KLDivLossConfig,
    LpLossConfig, MarginRankingLossConfig, MseLoss, MultiMarginLossConfig, RNNTLossConfig,
    Reduction, SmoothL1LossConfig, SoftMarginLoss, TripletMarginLossConfig,
};
use burn::tensor::activation::{log_softmax, sigmoid, softmax};
use burn::tensor::{Device, Int, Tensor};

use super::harness::{check, report};
use super::module::input;

fn m(x: Tensor<1>) -> Tensor<2> {
    x.reshape([5, 3])
}

/// Not one of the points of the checks: a distance to the target is not smooth at zero.
fn target(device: &Device) -> Tensor<2> {
    input([5, 3], 9, device)
}

fn classes(device: &Device) -> Tensor<1, Int> {
    Tensor::from_data([0_i64, 2, 1, 1, 0], device)
}

/// 1 or -1 for each row.
fn signs(device: &Device) -> Tensor<1, Int> {
    Tensor::from_data([1_i64, -1, 1, 1, -1], device)
}

#[test]
fn losses_of_classes() {
    let n = 15;
    let cross = CrossEntropyLossConfig::new;
    let binary = BinaryCrossEntropyLossConfig::new;
    let labels = |device: &Device| -> Tensor<2, Int> {
        Tensor::from_data(
            [[0_i64, 1, 1], [1, 0, 0], [0, 0, 1], [1, 1, 1], [0, 1, 0]],
            device,
        )
    };
    report(&[
        check("CrossEntropyLoss", n, |x| {
            let d = x.device();
            cross().init(&d).forward(m(x), classes(&d))
        }),
        check("CrossEntropyLoss, weights (f32 in Burn)", n, |x| {
            let d = x.device();
            let loss = cross().with_weights(Some(vec![0.2, 1.5, 0.7])).init(&d);
            loss.forward(m(x), classes(&d))
        }),
        check("CrossEntropyLoss, smoothing (f32 in Burn)", n, |x| {
            let d = x.device();
            let loss = cross().with_smoothing(Some(0.1)).init(&d);
            loss.forward(m(x), classes(&d))
        }),
        check(
            "CrossEntropyLoss, smoothing and weights (f32 in Burn)",
            n,
            |x| {
                let d = x.device();
                let loss = cross()
                    .with_smoothing(Some(0.1))
                    .with_weights(Some(vec![0.2, 1.5, 0.7]))
                    .init(&d);
                loss.forward(m(x), classes(&d))
            },
        ),
        check("CrossEntropyLoss, pad tokens", n, |x| {
            let d = x.device();
            let loss = cross().with_pad_tokens(Some(vec![1])).init(&d);
            loss.forward(m(x), classes(&d))
        }),
        check("CrossEntropyLoss of probabilities", n, |x| {
            let d = x.device();
            let loss = cross().with_logits(false).init(&d);
            loss.forward(softmax(m(x), 1), classes(&d))
        }),
        check("BinaryCrossEntropyLoss of logits", n, |x| {
            let d = x.device();
            let loss = binary().with_logits(true).init(&d);
            loss.forward(m(x), labels(&d))
        }),
        check(
            "BinaryCrossEntropyLoss, weights, smoothing (f32 in Burn)",
            n,
            |x| {
                let d = x.device();
                let loss = binary()
                    .with_weights(Some(vec![0.2, 1.5, 0.7]))
                    .with_smoothing(Some(0.1))
                    .with_logits(true)
                    .init(&d);
                loss.forward(m(x), labels(&d))
            },
        ),
        check("BinaryCrossEntropyLoss of probabilities", n, |x| {
            let d = x.device();
            binary().init(&d).forward(sigmoid(m(x)), labels(&d))
        }),
        check("MultiMarginLoss", n, |x| {
            let d = x.device();
            let loss = MultiMarginLossConfig::new().with_margin(0.45).init();
            loss.forward(m(x), classes(&d), Reduction::Mean)
        }),
        check("MultiMarginLoss, p 2", n, |x| {
            let d = x.device();
            let loss = MultiMarginLossConfig::new().with_p(2).init();
            loss.forward(m(x), classes(&d), Reduction::Sum)
        }),
        check("SoftMarginLoss", n, |x| {
            let target = target(&x.device()).sign();
            SoftMarginLoss::new().forward(m(x), target, Reduction::Mean)
        }),
        check("HingeEmbeddingLoss", n, |x| {
            let target = target(&x.device()).sign();
            let loss = HingeEmbeddingLossConfig::new().init();
            loss.forward(m(x), target, Reduction::Mean)
        }),
    ]);
}

#[test]
fn losses_of_values() {
    let n = 15;
    report(&[
        check("MseLoss", n, |x| {
            let target = target(&x.device());
            MseLoss::new().forward(m(x), target, Reduction::Mean)
        }),
        check("HuberLoss", n, |x| {
            let target = target(&x.device());
            let loss = HuberLossConfig::new(0.5).init();
            loss.forward(m(x), target, Reduction::Mean)
        }),
        check("SmoothL1Loss", n, |x| {
            let target = target(&x.device());
            let loss = SmoothL1LossConfig::new().with_beta(0.5).init();
            loss.forward_with_reduction(m(x), target, Reduction::Sum)
        }),
        check("LpLoss, p 3", n, |x| {
            let target = target(&x.device());
            LpLossConfig::new(3.0)
                .init()
                .forward(m(x), target, Reduction::Mean)
        }),
        check("LpLoss, p 1", n, |x| {
            let target = target(&x.device());
            LpLossConfig::l1().forward(m(x), target, Reduction::Mean)
        }),
        check("KLDivLoss (f32 in Burn)", n, |x| {
            let target = softmax(target(&x.device()), 1);
            let loss = KLDivLossConfig::new().init();
            loss.forward(log_softmax(m(x), 1), target, Reduction::BatchMean)
        }),
        check("KLDivLoss of logarithms", n, |x| {
            let target = log_softmax(target(&x.device()), 1);
            let loss = KLDivLossConfig::new().with_log_target(true).init();
            loss.forward(log_softmax(m(x), 1), target, Reduction::Sum)
        }),
        check("GaussianNLLLoss", 30, |x| {
            let target = target(&x.device());
            let mean = m(x.clone().slice_dim(0, 0..15));
            let variance = m(x.slice_dim(0, 15..30)).square() + 0.5;
            let loss = GaussianNLLLossConfig::new().with_full(true).init();
            loss.forward(mean, target, variance, Reduction::Mean)
        }),
    ]);
}

#[test]
fn losses_of_pairs() {
    let pair = |x: Tensor<1>| (m(x.clone().slice_dim(0, 0..15)), m(x.slice_dim(0, 15..30)));
    report(&[
        check("CosineEmbeddingLoss (f32 in Burn)", 30, |x| {
            let signs = signs(&x.device());
            let (a, b) = pair(x);
            let loss = CosineEmbeddingLossConfig::new().with_margin(-0.9).init();
            loss.forward(a, b, signs)
        }),
        check("MarginRankingLoss", 30, |x| {
            let target = target(&x.device()).sign();
            let (a, b) = pair(x);
            let loss = MarginRankingLossConfig::new().with_margin(0.3).init();
            loss.forward(a, b, target, Reduction::Mean)
        }),
        check("TripletMarginLoss", 30, |x| {
            // At none of the points of the harness: a distance of 0 has no slope.
            let anchor: Tensor<2> = input([5, 3], 5, &x.device());
            let (a, b) = pair(x);
            let loss = TripletMarginLossConfig::new().with_margin(0.7).init();
            loss.forward(anchor, a, b, Reduction::Mean)
        }),
    ]);
}

/// Four steps, two sequences, three classes of which the first is the blank.
#[test]
fn losses_of_sequences() {
    let lengths = |values: [i64; 2], d: &Device| -> Tensor<1, Int> { Tensor::from_data(values, d) };
    let targets = |d: &Device| -> Tensor<2, Int> { Tensor::from_data([[1_i64, 2], [2, 2]], d) };
    report(&[
        check("CTCLoss", 24, |x| {
            let d = x.device();
            let log_probs = log_softmax(x.reshape([4, 2, 3]), 2);
            let loss = CTCLossConfig::new().init();
            loss.forward(
                log_probs,
                targets(&d),
                lengths([4, 4], &d),
                lengths([2, 2], &d),
            )
        }),
        check("CTCLoss, unequal lengths, mean", 24, |x| {
            let d = x.device();
            let log_probs = log_softmax(x.reshape([4, 2, 3]), 2);
            let loss = CTCLossConfig::new().init();
            loss.forward_with_reduction(
                log_probs,
                targets(&d),
                lengths([4, 3], &d),
                lengths([2, 1], &d),
                Reduction::Mean,
            )
        }),
        check("CTCLoss, an impossible sequence is left out", 24, |x| {
            let d = x.device();
            let log_probs = log_softmax(x.reshape([4, 2, 3]), 2);
            // Two equal labels need a blank between: three steps.
            let loss = CTCLossConfig::new().with_zero_infinity(true).init();
            loss.forward(
                log_probs,
                targets(&d),
                lengths([4, 2], &d),
                lengths([2, 2], &d),
            )
        }),
        check("RNNTLoss", 72, |x| {
            let d = x.device();
            let loss = RNNTLossConfig::new().init();
            loss.forward(
                x.reshape([2, 4, 3, 3]),
                targets(&d),
                lengths([4, 3], &d),
                lengths([2, 1], &d),
            )
        }),
    ]);
}
