//! Geometry and curvature of the loss of any Burn module.

pub mod operator;

mod error;

pub use error::Error;
pub use operator::LinearOperator;
