//! The networks, the training and the surfaces of the example, which the evidence uses too.

mod network;
mod outcome;
mod training;

pub use network::{Architecture, Network};
pub use outcome::{HALF_WIDTH, Outcome, Plan, RISE, outcome, share_above};
