//! Curvature of a risk as linear operators.

mod difference_config;
mod differences;
mod exact_products;
mod fisher;
mod gauss_newton;
mod hessian;
mod noise;
mod product_config;

pub use difference_config::{DifferenceConfig, Precision, Step};
pub use fisher::Fisher;
pub use gauss_newton::GaussNewton;
pub use hessian::{Hessian, Method};
pub use product_config::ProductConfig;
