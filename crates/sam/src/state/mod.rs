//! The memory of a method from one step to the next.

mod record;

pub use record::StateRecord;

use crate::gradient::Carried;

/// The state of a method: the number of its steps, the last learning rate it has seen, and the
/// vector over the parameters that some methods carry along.
///
/// It is saved with [`SharpnessAware::to_record`](crate::SharpnessAware::to_record).
#[derive(Debug, Clone, Default)]
pub struct State {
    pub(crate) steps: u64,
    pub(crate) learning_rate: Option<f64>,
    pub(crate) carried: Carried,
}

impl State {
    /// Returns the number of steps taken so far, those that were refused left out.
    #[must_use]
    pub const fn steps(&self) -> u64 {
        self.steps
    }

    /// Returns the learning rate that the radius follows, if one has been seen.
    #[must_use]
    pub const fn learning_rate(&self) -> Option<f64> {
        self.learning_rate
    }
}
