//! Curvature of a risk as linear operators.

mod finite_difference;
mod hessian;

pub use finite_difference::{DifferenceConfig, Precision, Step};
pub use hessian::{Hessian, Method};
