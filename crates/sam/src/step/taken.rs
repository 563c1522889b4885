//! A step that was taken, or that was not.

use crate::error::Error;
use crate::step::Measures;

/// A step that was taken.
#[derive(Debug, Clone)]
pub struct Step<M, T = ()> {
    /// The model after the step.
    pub model: M,
    /// The output of the closure beside the loss in the first pass, at the weights before the
    /// step; `()` where the closure gave the loss alone.
    pub output: T,
    /// The quantities that were measured on the way.
    pub measured: Measures,
}

/// A step that was not taken.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the step was not taken: {reason}")]
pub struct Rejected<M> {
    /// The model as it was before the step, weights and running statistics.
    pub model: M,
    /// The reason; its sentence is part of this error's own.
    pub reason: Error,
}
