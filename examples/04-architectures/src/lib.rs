//! The networks, the training and the surfaces of the example, which the evidence uses too.

mod comparison;
mod network;
mod outcome;
mod training;

pub use comparison::{Comparison, comparisons};
pub use network::{Architecture, Network};
pub use outcome::{Outcome, Plan, RISE, outcome, share_above};
