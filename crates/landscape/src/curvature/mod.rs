//! Curvature of a risk as linear operators.

mod captured;
mod differences;
mod finite_difference;
mod fisher;
mod gauss_newton;
mod hessian;
mod noise;
mod product;

pub use finite_difference::{DifferenceConfig, Precision, Step};
pub use fisher::Fisher;
pub use gauss_newton::GaussNewton;
pub use hessian::{Hessian, Method};
pub use product::ProductConfig;
