//! The direction from one model to another.

use burn::module::Module;
use burn::tensor::Tensor;

use crate::ParameterSpace;

/// `to - from`, `[P]`: a line along it passes `from` at 0 and `to` at 1.
///
/// # Panics
/// If either module does not have the space's parameters (a clone trained further has).
#[must_use]
pub fn between<M: Module>(space: &ParameterSpace, from: &M, to: &M) -> Tensor<1> {
    space.flatten(to) - space.flatten(from)
}
