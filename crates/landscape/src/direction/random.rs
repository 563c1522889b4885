//! Random directions.

use burn::tensor::Tensor;

use crate::parameters::ParameterSpace;
use crate::vector::random::{Purpose, normal};

/// Returns a direction `[P]` of independent N(0,1) entries, a function of the seed alone.
///
/// Drawn on the host in f64 by Xoshiro256++ and rounded to the space's float type.
///
/// # References
/// Li et al. 2018, "Visualizing the Loss Landscape of Neural Nets", section 4.
#[must_use]
pub fn random_direction(space: &ParameterSpace, seed: u64) -> Tensor<1> {
    direction(space, seed, 0)
}

/// Returns two independent directions as of [`random_direction`], from one seed; the first is
/// `random_direction(space, seed)`.
#[must_use]
pub fn random_directions(space: &ParameterSpace, seed: u64) -> [Tensor<1>; 2] {
    [direction(space, seed, 0), direction(space, seed, 1)]
}

/// Returns direction `index` of a seed.
pub(super) fn direction(space: &ParameterSpace, seed: u64, index: u64) -> Tensor<1> {
    let entries = normal(seed, Purpose::Direction.stream(index), space.dim());
    space
        .domain
        .upload(&entries)
        .expect("as many entries as the space has coordinates")
}
