//! Curvature of a risk as linear operators.

mod comparison;
mod difference_config;
mod differences;
mod exact_diagonal;
mod exact_products;
mod exact_trace;
mod fisher;
mod gauss_newton;
mod gauss_newton_squares;
mod hessian;
mod matrix;
mod noise;
mod output_roots;
mod product_config;
mod remainder;
mod spread_products;
mod two_sided;

pub use comparison::compare_with_differences;
pub use difference_config::{DifferenceConfig, DifferenceStep, Precision};
pub use exact_diagonal::{BlockDiagonal, ExactDiagonal, exact_diagonal, exact_diagonal_with};
pub use exact_trace::{ExactBlock, ExactTrace, Exactness, exact_trace, exact_trace_with};
pub use fisher::Fisher;
pub use gauss_newton::GaussNewton;
pub use hessian::{Hessian, Method};
pub use product_config::ProductConfig;
