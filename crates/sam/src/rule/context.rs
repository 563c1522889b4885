//! The step that a rule takes part in: what it may read, and what it may change.

use crate::gradient::Carried;

/// The step that a [`Rule`](crate::Rule) takes part in.
#[derive(Debug)]
#[non_exhaustive]
pub struct StepContext<'a, M> {
    /// The model at the weights `w`.
    pub model: &'a M,
    /// The number of the step, counted from 0; steps that were refused are left out.
    pub step: u64,
    /// The radius of the step.
    pub rho: f64,
    /// The vector over the parameters that the method carries from step to step. What a rule
    /// changes here is kept if the step is taken, and forgotten if it is refused.
    pub carried: &'a mut Carried,
}
