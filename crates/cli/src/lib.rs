//! The program `landscape` as a library.

mod bundled;
mod command;
mod comparison;
mod config;
mod engine;
mod failure;
mod interrupt;
mod program;
mod report;
mod results;
mod workload;

pub use landscape::{Batch, TensorMapper};
pub use program::{landscape, main};
pub use workload::{Part, Workload};
