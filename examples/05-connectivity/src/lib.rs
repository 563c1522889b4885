//! The training and the paths of the example, which the evidence uses too.

mod training;

pub use training::{Batch, accuracy, batches, loss, risk, train};
