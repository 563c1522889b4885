//! Permutation symmetries and aligned models: the networks of the fixtures, random networks, and
//! two trained ones.

use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::{Device, Tensor};
use datasets::{Digits, batch, epoch_order};
use landscape::alignment::{AlignConfig, align};
use landscape::slice::{Buffers, line_between, linspace};
use landscape::{Reduction, Risk};

use crate::groups::{check_groups, units};
use models::{Activation, Mlp, MlpConfig};
use tests::{Case, CaseVisitor, ImageBatch, Net, for_each_case, image_loss};

struct ByHand {
    visited: usize,
}

impl CaseVisitor for ByHand {
    fn visit<N: Net>(&mut self, case: &Case<N>) {
        let by_hand: &[usize] = match N::FIXTURE {
            "case1_linear_mse" | "case2_softmax_regression" => &[],
            "case3_mlp_tanh" | "case4_mlp_relu" => &[24, 16],
            "case5_cnn" | "case6_cnn_bn" => &[6, 8],
            // The stream; heads; entries of queries and keys, and of values, in all heads.
            "case7_attention" => &[16, 2, 8, 8],
            "case8_saddle" => &[3],
            other => panic!("no groups by hand for {other}"),
        };
        assert_eq!(units(&check_groups(case)), by_hand, "{case}");
        self.visited += 1;
    }
}

#[test]
fn groups_of_the_cases_are_those_by_hand_and_change_no_output() {
    let mut by_hand = ByHand { visited: 0 };
    for_each_case(&mut by_hand);
    assert_eq!(by_hand.visited, 10);
}

/// Returns two perceptrons of one hidden layer of `width` units, trained on the digits from
/// different weights and in different orders, and the mean loss over the training images.
fn trained(width: usize) -> ([Mlp; 2], Risk<Mlp, ImageBatch>) {
    let device = Device::flex().autodiff();
    let digits = Digits::load().expect("the digits are bundled").images;
    let all: Vec<usize> = (0..digits.len()).collect();
    let config = MlpConfig::new(vec![64, width, 10]).with_activation(Activation::Relu);
    let train = |seed: u64| {
        let mut model = config.init_seeded(seed, &device).expect("a network");
        let mut optimiser = AdamConfig::new().init();
        for epoch in 0..30 {
            for indices in epoch_order(seed, epoch, digits.len()).chunks(128) {
                let batch = batch(&digits, indices, &device).into_pair();
                let gradients = image_loss(&model, &batch).backward();
                let gradients = GradientsParams::from_grads(gradients, &model);
                model = optimiser.step(5e-3, model, gradients);
            }
        }
        model
    };
    let models = [train(1), train(2)];
    let batch = batch(&digits, &all, &Device::flex()).into_pair();
    let risk = Risk::of(
        [batch],
        |model: &Mlp, (images, _): &ImageBatch| model.forward(images.clone()),
        |outputs: Tensor<2>, (_, labels): &ImageBatch| {
            tests::cross_entropy(outputs, labels.clone()).mean()
        },
        Reduction::Mean,
    );
    (models, risk)
}

/// The largest rise of the loss on the line over the chord between its ends.
fn barrier(a: &Mlp, b: &Mlp, risk: &Risk<Mlp, ImageBatch>) -> f64 {
    let t = linspace(0.0..=1.0, 11);
    let buffers = Buffers::Interpolate;
    let line = line_between(a, b, risk, &buffers, &t).expect("a line");
    let (first, last) = (line.loss[0], line.loss[10]);
    let rises = line.loss.iter().zip(&t);
    let rises = rises.map(|(loss, t)| loss - ((1.0 - t) * first + t * last));
    rises.fold(0.0, f64::max)
}

#[test]
fn aligning_lowers_the_barrier_between_two_trained_networks() {
    let ([a, b], risk) = trained(256);
    let losses = [&a, &b].map(|model| risk.value(model).expect("a loss"));
    assert!(losses.iter().all(|&loss| loss < 0.1), "trained: {losses:?}");
    let aligned = align(&a, &b, &risk, &AlignConfig::new()).expect("two networks");
    let (before, after) = (barrier(&a, &b, &risk), barrier(&a, &aligned.model, &risk));
    println!(
        "256 hidden units: losses {losses:.4?}, barrier {before:.4} before and {after:.4} after, \
         squared distance {:.1} and {:.1}, {} sweeps, start {}",
        aligned.squared_distance_before,
        aligned.squared_distance_after,
        aligned.sweeps,
        aligned.start,
    );
    assert!(aligned.converged);
    assert!(aligned.squared_distance_after < aligned.squared_distance_before);
    // In f32, where only a small loss is seen, its rounding is not taken for a difference.
    let seen = Risk::mean(risk.batches().clone(), image_loss::<Mlp>);
    let by_loss = align(&a, &b, &seen, &AlignConfig::new()).expect("two networks");
    assert_eq!(by_loss.permutations, aligned.permutations);
    // Half is far from what was seen (a tenth), and no accident of rounding.
    assert!(after < 0.5 * before, "{before} {after}");
}
