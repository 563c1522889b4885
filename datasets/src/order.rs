//! Random orders that depend on nothing but their arguments.
//!
//! The generator is xoshiro256++ (Blackman and Vigna, 2021), seeded through `SplitMix64`; the
//! shuffle is that of Fisher and Yates. Both are written down in a few lines of any language, so an
//! order can be made again outside this crate, and it does not change when a library's `shuffle`
//! does.

use rand_xoshiro::rand_core::{Rng, SeedableRng};
use rand_xoshiro::{SplitMix64, Xoshiro256PlusPlus};

/// The purpose of a stream of random numbers; each has its own.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    /// Dividing a dataset.
    Split = 1,
    /// The order of an epoch.
    Epoch = 2,
}

/// The order in which an epoch visits `n` examples: a permutation of `0..n`.
///
/// A pure function of its three arguments, so an interrupted run goes on with the order that it
/// would have had. Cut it with [`slice::chunks`] to get the batches of an epoch.
///
/// # Examples
/// ```
/// use datasets::epoch_order;
/// let order = epoch_order(7, 3, 100);
/// assert_eq!(order, epoch_order(7, 3, 100));
/// assert_ne!(order, epoch_order(7, 4, 100));
/// ```
#[must_use]
pub fn epoch_order(seed: u64, epoch: u64, n: usize) -> Vec<usize> {
    permutation(seed, Purpose::Epoch, epoch, n)
}

/// A fixed random sample of `size` of `n` examples, or all of them if there are fewer, in a random
/// order.
///
/// A measurement over a sample is comparable with another one only over the same sample; this one
/// depends on its three arguments alone. It is the beginning of the order of an epoch that no run
/// reaches, `u64::MAX`, so a smaller sample is the beginning of a larger one, and no training
/// visits the examples in its order.
///
/// The program `landscape` measures curvature on `fixed_sample(split_seed, curvature_examples,
/// train.len())` of the training examples: see the example, which takes the settings of the
/// repository's workspace.toml.
///
/// # Examples
/// ```
/// use datasets::{Digits, SplitConfig, fixed_sample};
/// let train = Digits::load()?
///     .split(&SplitConfig::new().with_validation(0.2).with_seed(0))?
///     .train;
/// let sample = fixed_sample(0, 1024, train.len());
/// assert_eq!(train.select(&sample).len(), 1024);
/// assert_eq!(sample[..100], fixed_sample(0, 100, train.len()));
/// # Ok::<(), datasets::Error>(())
/// ```
#[must_use]
pub fn fixed_sample(seed: u64, size: usize, n: usize) -> Vec<usize> {
    let mut order = epoch_order(seed, u64::MAX, n);
    order.truncate(size);
    order
}

/// A random permutation of `0..n` from the stream of `purpose` and `index`.
pub(crate) fn permutation(seed: u64, purpose: Purpose, index: u64, n: usize) -> Vec<usize> {
    // Mixing after each word keeps (seed, index) and (seed + 1, index - 1) apart, which adding them
    // would not.
    let state = mix(mix(mix(seed) ^ purpose as u64) ^ index);
    let mut generator = Xoshiro256PlusPlus::seed_from_u64(state);
    let mut order: Vec<usize> = (0..n).collect();
    for last in (1..n).rev() {
        order.swap(last, below(&mut generator, last + 1));
    }
    order
}

/// A number below `bound`, uniform up to a bias of `bound / 2^64`.
///
/// The high word of a product (Lemire, 2019) without his rejection step: the bias is below 1e-12
/// for a dataset of ten million, far less than any experiment can see.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the high word of x * bound is smaller than bound, a usize"
)]
fn below(generator: &mut Xoshiro256PlusPlus, bound: usize) -> usize {
    ((u128::from(generator.next_u64()) * bound as u128) >> 64) as usize
}

/// The first output of `SplitMix64` seeded with `word`: a bijection that spreads every bit.
fn mix(word: u64) -> u64 {
    SplitMix64::seed_from_u64(word).next_u64()
}
