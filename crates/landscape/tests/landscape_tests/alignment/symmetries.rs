//! The groups of hidden units that are found.

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::{Device, Int, Tensor, TensorData, activation};
use landscape::alignment::symmetries;
use landscape::{Error, Reduction, Risk, Statistics};

use super::models::{
    Cnn, Dense, Embedded, Grouped, Mlp, Network, ResNet, Stream, by_hand, filled, linear, outputs,
    risk, waves,
};

/// A permutation of n units that moves every one of three or more, and is not its own inverse.
pub(super) fn turned(n: usize) -> Vec<usize> {
    let mut permutation: Vec<usize> = (0..n).collect();
    permutation.rotate_left(1);
    permutation
}

fn largest_difference(a: &[f64], b: &[f64]) -> f64 {
    let size = b.iter().fold(0.0_f64, |size, b| size.max(b.abs()));
    let entries = a.iter().zip(b);
    entries.fold(0.0_f64, |most, (a, b)| most.max((a - b).abs())) / size
}

fn finds_the_groups_by_hand<N: Network>() {
    let model = filled(&N::new(), 0.9);
    let found = symmetries(&model, &risk::<N>()).expect("a network");
    assert_eq!(by_hand(&found), N::expected());
    assert!(found.refused.is_empty());
    let reference = outputs(&model);
    for group in 0..found.groups.len() {
        let mut permutations = found.identities();
        permutations[group] = turned(found.groups[group].units);
        let permuted = found.permute(&model, &permutations).expect("permutations");
        // Sums of some tens of numbers in another order.
        let difference = largest_difference(&outputs(&permuted), &reference);
        assert!(difference < 1e-12, "group {group}: {difference:.1e}");
        // Half of what is permuted is not a symmetry: the check can fail.
        let first = &found.groups[group].places[0].path;
        let broken = super::align::with_tensor_of(&model, &permuted, first);
        let difference = largest_difference(&outputs(&broken), &reference);
        assert!(difference > 1e-3, "group {group}: {difference:.1e}");
    }
}

#[test]
fn the_groups_of_a_perceptron_are_those_by_hand() {
    finds_the_groups_by_hand::<Mlp>();
}

#[test]
fn the_groups_of_a_cnn_are_those_by_hand_through_pooling_and_flattening() {
    finds_the_groups_by_hand::<Cnn>();
}

#[test]
fn a_residual_stream_shares_one_group_and_its_running_statistics() {
    finds_the_groups_by_hand::<ResNet>();
}

#[test]
fn joined_features_are_a_group_for_each_part() {
    finds_the_groups_by_hand::<Dense>();
}

#[test]
fn group_normalisation_is_permuted_by_whole_groups() {
    finds_the_groups_by_hand::<Grouped>();
}

#[test]
fn a_weight_on_a_stream_has_its_units_along_both_axes() {
    finds_the_groups_by_hand::<Stream>();
}

#[test]
fn embedding_dimensions_are_units_and_the_vocabulary_is_not() {
    finds_the_groups_by_hand::<Embedded>();
}

#[test]
fn groups_are_named_by_the_tensor_that_makes_their_units() {
    fn names<N: Network>() -> Vec<String> {
        let model = filled(&N::new(), 0.9);
        let found = symmetries(&model, &risk::<N>()).expect("a network");
        found.groups.into_iter().map(|group| group.name).collect()
    }
    assert_eq!(
        names::<Cnn>(),
        [
            "conv1.weight axis 0",
            "conv2.weight axis 0",
            "fc1.weight axis 1"
        ]
    );
    assert_eq!(
        names::<Grouped>(),
        [
            "first.weight axis 0 in blocks of 3",
            "first.weight axis 0 alike in 2 blocks"
        ]
    );
}

#[test]
fn statistics_of_the_batch_do_not_hide_the_running_ones() {
    let model = filled(&ResNet::new(), 0.9);
    let risk = risk::<ResNet>().with_statistics(Statistics::Batch);
    let found = symmetries(&model, &risk).expect("a network");
    assert_eq!(by_hand(&found), ResNet::expected());
}

/// No group.
const NONE: [usize; 0] = [];

type Pair = (Tensor<2>, Tensor<1, Int>);

fn rows() -> Pair {
    let labels = TensorData::new(vec![0_i64, 1, 2, 1, 0], [5]);
    (
        waves([5, 4], 0.7),
        Tensor::from_data(labels, &Device::flex()),
    )
}

fn cross_entropy(outputs: Tensor<2>, (_, y): &Pair) -> Tensor<1> {
    let [count, _] = outputs.dims();
    let terms = activation::log_softmax(outputs, 1);
    terms.gather(1, y.clone().reshape([count, 1])).mean().neg()
}

/// The groups of a model whose outputs are `f`.
fn groups_of<M: Module + Sync + 'static>(
    model: &M,
    f: impl Fn(&M, Tensor<2>) -> Tensor<2> + Send + Sync + 'static,
) -> Vec<usize> {
    let outputs = move |model: &M, (x, _): &Pair| f(model, x.clone());
    let risk = Risk::of([rows()], outputs, cross_entropy, Reduction::Mean);
    let found = symmetries(&filled(model, 0.9), &risk).expect("a network");
    assert!(found.refused.is_empty());
    found.groups.iter().map(|group| group.units).collect()
}

#[test]
fn linear_models_have_no_group() {
    let model = linear(4, 3);
    assert_eq!(groups_of(&model, |model, x| model.forward(x)), NONE);
    // The loss alone sees the order of its classes too.
    let loss = |model: &Linear, batch: &Pair| cross_entropy(model.forward(batch.0.clone()), batch);
    let risk = Risk::mean([rows()], loss);
    let found = symmetries(&filled(&model, 0.9), &risk).expect("a model");
    assert!(found.groups.is_empty());
}

type Two = (Linear, Linear);

fn hidden((first, _): &Two, x: Tensor<2>) -> Tensor<2> {
    first.forward(x).tanh()
}

#[test]
fn units_that_are_told_apart_stay_in_place() {
    let model = (linear(4, 6), linear(6, 3));
    // As a control: nothing tells them apart.
    assert_eq!(groups_of(&model, |m, x| m.1.forward(hidden(m, x))), [6]);
    // They are outputs too.
    let joined = |m: &Two, x| {
        let h = hidden(m, x);
        Tensor::cat(vec![m.1.forward(h.clone()), h], 1)
    };
    assert_eq!(groups_of(&model, joined), NONE);
    // Picked by a constant.
    let picked = |m: &Two, x| {
        let h = hidden(m, x);
        let first = h.clone().select(1, Tensor::from_ints([2], &h.device()));
        m.1.forward(h) + first
    };
    assert_eq!(groups_of(&model, picked), NONE);
    // One more than the others: five are left that nothing tells apart.
    let sliced = |m: &Two, x| {
        let h = hidden(m, x);
        m.1.forward(h.clone()) + h.slice_dim(1, 0..1)
    };
    assert_eq!(groups_of(&model, sliced), [5]);
    // Weighted by data.
    let weighted = |m: &Two, x: Tensor<2>| {
        let h = hidden(m, x);
        let weights = waves([1, 6], 0.2).to_device(&h.device());
        m.1.forward(h * weights)
    };
    assert_eq!(groups_of(&model, weighted), NONE);
    // In an order.
    let summed = |m: &Two, x| m.1.forward(hidden(m, x).cumsum(1));
    assert_eq!(groups_of(&model, summed), NONE);
    let turned = |m: &Two, x| m.1.forward(hidden(m, x).flip([1]));
    assert_eq!(groups_of(&model, turned), NONE);
    let sorted = |m: &Two, x| m.1.forward(hidden(m, x).sort(1));
    assert_eq!(groups_of(&model, sorted), NONE);
    // Taken as a row of positions: windows over them have an order.
    let convolved = |m: &Two, x| {
        let h: Tensor<3> = hidden(m, x).unsqueeze_dim(1);
        let kernel = waves([1, 1, 3], 0.4).to_device(&h.device());
        let options = burn::tensor::ops::ConvOptions::new([1], [1], [1], 1);
        let h = burn::tensor::module::conv1d(h, kernel, None, options);
        m.1.forward(h.squeeze_dim(1))
    };
    assert_eq!(groups_of(&model, convolved), NONE);
    // Added to what is not permuted.
    let added = |m: &Two, x: Tensor<2>| {
        let padded = Tensor::cat(vec![x.clone(), x.clone().slice_dim(1, 0..2)], 1);
        m.1.forward(hidden(m, x) + padded)
    };
    assert_eq!(groups_of(&model, added), NONE);
}

#[test]
fn units_that_a_sum_or_a_softmax_brings_together_are_permuted() {
    let model = (linear(4, 6), linear(6, 3));
    let softmax = |m: &Two, x| m.1.forward(activation::softmax(hidden(m, x), 1));
    assert_eq!(groups_of(&model, softmax), [6]);
    let normal = |m: &Two, x| {
        let h = hidden(m, x);
        let centred = h.clone() - h.mean_dim(1);
        let deviation = (centred.clone().square().mean_dim(1) + 0.1).sqrt();
        m.1.forward(centred / deviation)
    };
    assert_eq!(groups_of(&model, normal), [6]);
    let largest = |m: &Two, x| {
        let h = hidden(m, x);
        m.1.forward(h.clone() - h.max_dim(1))
    };
    assert_eq!(groups_of(&model, largest), [6]);
    // Halves that gate one another share a group.
    let gated = |m: &Two, x| {
        let h = m.0.forward(x);
        let half = h.clone().slice_dim(1, 0..3).tanh() * activation::sigmoid(h.slice_dim(1, 3..6));
        m.1.forward(Tensor::cat(vec![half.clone(), half], 1))
    };
    assert_eq!(groups_of(&model, gated), [3]);
}

#[test]
fn a_shared_weight_is_permuted_for_all_its_uses() {
    // h₂ = tanh(W h₁): with the same W again its units are those of both axes.
    let square = Param::from_tensor(Tensor::<2>::zeros([6, 6], &Device::flex()));
    let model = (linear(4, 6), square, linear(6, 3));
    type Tied = (Linear, Param<Tensor<2>>, Linear);
    let once = |(first, w, last): &Tied, x: Tensor<2>| {
        last.forward(first.forward(x).tanh().matmul(w.val()).tanh())
    };
    assert_eq!(groups_of(&model, once), [6, 6]);
    let twice = |(first, w, last): &Tied, x: Tensor<2>| {
        let h = first.forward(x).tanh().matmul(w.val()).tanh();
        last.forward(h.matmul(w.val()).tanh())
    };
    assert_eq!(groups_of(&model, twice), [6]);
}

#[test]
fn permutations_that_do_not_fit_are_named() {
    let model = filled(&Mlp::new(), 0.9);
    let found = symmetries(&model, &risk::<Mlp>()).expect("a network");
    for wrong in [
        vec![],
        vec![turned(7)],
        vec![turned(7), turned(6)],
        vec![turned(7), vec![0, 1, 2, 3, 3]],
    ] {
        let error = found.permute(&model, &wrong).expect_err("it does not fit");
        assert!(
            matches!(
                error,
                Error::Setting {
                    name: "permutations",
                    ..
                }
            ),
            "{error}"
        );
    }
    let error = found
        .permute(&filled(&Cnn::new(), 0.9), &found.identities())
        .expect_err("another architecture");
    assert!(error.to_string().contains("fc1.weight"), "{error}");
}
