//! How a training answers to its learning rate.
//!
//! Two tests, both on copies of model and optimiser:
//!
//! - [`learning_rate_test`] lets the rate grow from step to step and watches the loss (Smith 2017,
//!   section 3.3);
//! - [`learning_rate_sensitivity`] trains a short run at each of some rates and compares the ends.
//!
//! Beside both stands what the curvature says of the largest stable rate: `2 / λ₁` for gradient
//! descent, and the optimiser's own limit ([`landscape::stability`]).

mod config;
mod course;
mod descent;
mod limits;
mod picture;
mod probe;
mod result;
mod sensitivity;
mod smooth;
mod test;

pub use config::LearningRateConfig;
pub use limits::RateLimits;
pub use probe::RangeTest;
pub use result::{LearningRateTest, Rate, RateCourse};
pub use sensitivity::{
    RateOutcome, RateSensitivity, learning_rate_sensitivity, learning_rate_sensitivity_by,
};
pub use test::{learning_rate_test, learning_rate_test_by};
