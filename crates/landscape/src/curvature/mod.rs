//! Curvature of a risk as linear operators.

mod comparison;
mod difference_config;
mod differences;
mod exact_products;
mod fisher;
mod gauss_newton;
mod hessian;
mod matrix;
mod noise;
mod product_config;
mod two_sided;

pub use comparison::compare_with_differences;
pub use difference_config::{DifferenceConfig, DifferenceStep, Precision};
pub use fisher::Fisher;
pub use gauss_newton::GaussNewton;
pub use hessian::{Hessian, Method};
pub use product_config::ProductConfig;
