//! Measuring a training run without changing it, and showing it while it runs.

mod error;
pub mod render;

pub use error::Error;
