//! One model permuted to be near another.

use burn::config::Config;
use burn::module::Module;
use derivatives::Statistics;

use super::check::{Recording, relative};
use super::matching::{Descent, Pair, Pairs};
use super::symmetries::{Group, Symmetries, symmetries};
use super::tensors::{FloatTensor, check_finite, float_tensors, in_order_of};
use crate::batch::Batch;
use crate::error::Error;
use crate::parameters::{ParameterSpace, copy, put};
use crate::risk::{Risk, check_same_function};
use crate::vector::download;
use crate::vector::random::{Purpose, shuffled};

/// Settings of [`align`].
#[derive(Config, Debug, PartialEq, Eq)]
pub struct AlignConfig {
    /// Seed of the order in which groups are taken, and of random starts.
    #[config(default = 0)]
    pub seed: u64,
    /// Most sweeps over all groups from one start. A sweep after which nothing changes is the
    /// last; ten are rarely needed.
    #[config(default = 100)]
    pub sweeps: usize,
    /// Random starts beside the two that there always are: the second model as it is, and the
    /// permutations found from the inputs on. The best result counts.
    #[config(default = 0)]
    pub restarts: usize,
}

/// A model permuted to be near another; see [`align`].
#[derive(Debug, Clone)]
pub struct Alignment<M> {
    /// The second model with its units permuted, buffers included; it computes what the second
    /// model does.
    pub model: M,
    /// The groups of units.
    pub groups: Vec<Group>,
    /// For each group the permutation: unit i of `model` is unit `permutations[group][i]` of the
    /// second model.
    pub permutations: Vec<Vec<usize>>,
    /// `‖θ_a − θ_b‖²` over the trainable parameters.
    pub squared_distance_before: f64,
    /// `‖θ_a − θ_π(b)‖²`, at most the distance before.
    pub squared_distance_after: f64,
    /// `⟨θ_a, θ_b⟩`.
    pub inner_product_before: f64,
    /// `⟨θ_a, θ_π(b)⟩`.
    pub inner_product_after: f64,
    /// Sweeps over all groups, from the start that led to the result.
    pub sweeps: usize,
    /// Whether the last sweep changed nothing, so that no permutation of a single group is better.
    /// A better one of several groups together may exist.
    pub converged: bool,
    /// The number of the start that led to the result: 0 the second model as it is, 1 the
    /// permutations found from the inputs on, from 2 on random ones.
    pub start: usize,
    /// Largest difference between the outputs (and losses) of `model` and the second model on the
    /// first batch, relative to the largest output, there or at weights beside it: rounding.
    pub output_difference: f64,
}

/// Returns the model `b` with its hidden units permuted so that its trainable parameters are as
/// near to those of `a` as can be found: weight matching (Ainsworth et al. 2023, algorithm 1).
///
/// ```text
/// π = argmax ⟨θ_a, π(θ_b)⟩ = argmin ‖θ_a − π(θ_b)‖²
/// ```
///
/// over one permutation for each group of [`symmetries`]. Groups are taken in turn, in an order
/// drawn from the seed; with the others held, the best permutation of one is found exactly. That
/// ends where no single group can be bettered, which need not be the best of all: several starts
/// are tried, and the first of those with the largest inner product counts. The model `b` itself is
/// one of them, so that the distance never grows. Running statistics and frozen tensors are
/// permuted along and do not count in the distance. Of a model and its permuted copy the
/// permutation is found exactly where the units of each layer differ in their inputs' weights.
///
/// The result is checked: outputs and loss of the permuted model on the first batch, and its loss
/// over all data, are those of `b` up to rounding. Compare the line from `a` to it with that from
/// `a` to `b`; for BatchNorm recompute the statistics on the way
/// ([`Buffers::Recompute`](crate::slice::Buffers::Recompute)).
///
/// Cost: that of [`symmetries`], two captures and six forward passes more, and three forward passes
/// over all data; on the host, for each sweep and each start, about `2 n P_g + n³` operations for a
/// group of n units whose tensors have `P_g` entries. Memory: some ten vectors of all float tensors
/// in f64, and `n²` numbers.
///
/// ```
/// use burn::nn::{Linear, LinearConfig};
/// use burn::tensor::{Device, Tensor, activation::relu};
/// use landscape::alignment::{AlignConfig, align, symmetries};
/// use landscape::{Reduction, Risk};
///
/// let device = Device::flex();
/// let a = [(2, 3), (3, 1)].map(|(from, to)| LinearConfig::new(from, to).init(&device));
/// let risk = Risk::of(
///     Tensor::<2>::ones([4, 2], &device),
///     |[first, second]: &[Linear; 2], x: &Tensor<2>| {
///         second.forward(relu(first.forward(x.clone())))
///     },
///     |outputs: Tensor<2>, _: &Tensor<2>| outputs.square().mean(),
///     Reduction::Mean,
/// );
/// // b is a with its hidden units in another order; aligned, it is a again.
/// let b = symmetries(&a, &risk)?.permute(&a, &[vec![2, 0, 1]])?;
/// let aligned = align(&a, &b, &risk, &AlignConfig::new())?;
/// assert_eq!(aligned.permutations, [[1, 2, 0]]);
/// assert!(aligned.squared_distance_before > 0.0);
/// assert_eq!(aligned.squared_distance_after, 0.0);
/// # Ok::<(), landscape::Error>(())
/// ```
///
/// # Errors
/// Models of different architecture ([`Error::AnotherModule`], [`Error::OtherFunction`]), with
/// entries or a loss that are not finite ([`Error::NonFiniteWeights`], [`Error::NonFiniteLoss`]) or
/// without hidden units that may be permuted ([`Error::NoSymmetry`]); a permuted model that
/// computes something else ([`Error::PermutedDiffers`]); no sweep; and as [`symmetries`].
///
/// # References
/// Ainsworth, Hayase, Srinivasa 2023, "Git Re-Basin: Merging Models modulo Permutation Symmetries",
/// algorithm 1. Entezari, Sedghi, Saukh, Neyshabur 2022, "The Role of Permutation Invariance in
/// Linear Mode Connectivity of Neural Networks".
pub fn align<M: Module, B: Batch>(
    a: &M,
    b: &M,
    risk: &Risk<M, B>,
    config: &AlignConfig,
) -> Result<Alignment<M>, Error> {
    if config.sweeps == 0 {
        return Err(Error::Setting {
            name: "sweeps",
            value: "0".to_owned(),
            allowed: "at least 1",
        });
    }
    let of_a = float_tensors(a)?;
    let of_b = float_tensors(b)?;
    // Both before anything is captured: what is wrong with the models is told first.
    let of_b = in_order_of(&of_a, &of_b)?;
    check_finite(&of_a, "first")?;
    check_finite(&of_b, "second")?;
    let found = symmetries(a, risk)?;
    if found.groups.is_empty() {
        return Err(no_symmetry(&found));
    }
    let risk = &risk.clone().with_statistics(Statistics::Running);
    let loss_of_b = risk.value(b)?;
    if !loss_of_b.is_finite() {
        return Err(Error::NonFiniteLoss {
            value: loss_of_b,
            place: "at the second model".to_owned(),
        });
    }
    check_function(a, &of_a, &of_b, risk, loss_of_b)?;

    let pairs = pairs(&found, &of_a, &of_b);
    let before = pairs.at(found.identities());
    let (start, best) = best(&pairs, &found, config);
    let permutations = best.matched.permutations.clone();
    let model = found.permuted_model(b, &of_b, &permutations);
    let output_difference = check_outputs(b, &model, &of_b, risk, loss_of_b)?;
    Ok(Alignment {
        model,
        groups: found.groups.clone(),
        permutations,
        squared_distance_before: pairs.squared_distance(&before),
        squared_distance_after: pairs.squared_distance(&best.matched),
        inner_product_before: pairs.total(&before),
        inner_product_after: best.inner_product,
        sweeps: best.sweeps,
        converged: best.converged,
        start,
        output_difference,
    })
}

fn no_symmetry(found: &Symmetries) -> Error {
    let reason = match found.refused.first() {
        Some(refused) => format!(
            "permuting the units of {} changed the outputs by {:.1e} of their size",
            refused.group.name, refused.difference
        ),
        None => "every axis of its parameters is joined to inputs, outputs or positions".to_owned(),
    };
    Error::NoSymmetry { reason }
}

/// Checks that a with the tensors of b is b: an activation is no tensor.
fn check_function<M: Module, B: Batch>(
    a: &M,
    of_a: &[FloatTensor],
    of_b: &[FloatTensor],
    risk: &Risk<M, B>,
    expected: f64,
) -> Result<(), Error> {
    let tensors = of_a.iter().zip(of_b);
    let values = tensors.map(|(a, b)| (a.id, b.values.clone())).collect();
    let found = risk.value(&put(copy(a), &values))?;
    check_same_function(&ParameterSpace::of(a)?.domain, 1, expected, found)
}

fn pairs<'t>(found: &'t Symmetries, of_a: &'t [FloatTensor], of_b: &'t [FloatTensor]) -> Pairs<'t> {
    let tensors = of_a.iter().zip(of_b).zip(&found.axes);
    let pairs = tensors
        .filter(|((a, _), _)| a.trainable)
        .map(|((a, b), axes)| Pair {
            a: &a.values,
            b: &b.values,
            shape: &a.shape,
            axes,
        })
        .collect();
    Pairs::new(
        pairs,
        found.groups.iter().map(|group| group.units).collect(),
    )
}

/// Returns the number of the best start and what came of it.
fn best(pairs: &Pairs<'_>, found: &Symmetries, config: &AlignConfig) -> (usize, Descent) {
    let count = found.groups.len();
    let descend = |start: usize| {
        let matched = match start {
            0 => pairs.at(found.identities()),
            1 => pairs.propagated(found.identities()),
            _ => {
                let groups = found.groups.iter().enumerate();
                let random = groups.map(|(group, of)| {
                    let stream = (2 << 32) | ((start as u64) << 16) | group as u64;
                    shuffled(config.seed, Purpose::Units.stream(stream), of.units)
                });
                pairs.at(random.collect())
            }
        };
        pairs.descend(matched, config.sweeps, |sweep| {
            let stream = (3 << 32) | ((start as u64) << 16) | sweep as u64;
            shuffled(config.seed, Purpose::Units.stream(stream), count)
        })
    };
    let mut best = (0, descend(0));
    for start in 1..config.restarts + 2 {
        let next = descend(start);
        if next.inner_product > best.1.inner_product {
            best = (start, next);
        }
    }
    best
}

/// Returns the difference that permuting made in what a model computes.
fn check_outputs<M: Module, B: Batch>(
    model: &M,
    permuted: &M,
    tensors: &[FloatTensor],
    risk: &Risk<M, B>,
    loss: f64,
) -> Result<f64, Error> {
    let recording = Recording::of(model, risk, tensors)?;
    let before = recording.evaluate(&download(&recording.loss.origin()))?;
    // The loss of a model that fits its data is a small difference of large numbers, and its
    // rounding is that of these: they show in the loss beside it.
    let beside = recording.evaluate(&recording.point_beside(tensors))?;
    let scale = before.scale().max(loss.abs()).max(beside.scale());
    let allowed = recording.allowed();
    let check = |difference: f64| {
        if difference <= allowed {
            Ok(difference)
        } else {
            Err(Error::PermutedDiffers {
                difference,
                allowed,
            })
        }
    };
    let recording = Recording::of(permuted, risk, tensors)?;
    let after = recording.evaluate(&download(&recording.loss.origin()))?;
    let difference = check(after.difference(&before, scale))?;
    let over_data = (risk.value(permuted)? - loss).abs();
    check(relative(over_data, scale))?;
    Ok(difference)
}
