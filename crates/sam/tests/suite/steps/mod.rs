//! The promises of the sharpness-aware methods, each a test named after it.
//!
//! No test draws from the device's generator, which is one for the whole process: numbers come
//! from `nets::Host`.

mod adaptive;
mod autodiff;
mod batch_norm;
mod frozen;
mod mistakes;
pub(crate) mod nets;
mod radius;
mod rejected;
mod weight_decay;
mod zero_radius;
