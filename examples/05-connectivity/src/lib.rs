//! The training and the paths of the example, which the evidence uses too.

mod paths;
mod training;

pub use paths::{Data, Path, Paths, distance_of_copy, paths};
pub use training::{Batch, train};
