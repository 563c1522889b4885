//! The networks, the training and the measurements of the example, which the evidence uses too.

mod network;
mod outcome;
mod training;

pub use network::{Architecture, Network};
pub use outcome::{accuracy, centre, risk, share_above, surface};
pub use training::{Batch, loss, train};
