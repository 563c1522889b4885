//! The methods inside burn-train's learner, beside hand-written loops.
//!
//! No test draws from the device's generator, which is one for the whole process: numbers come
//! from `nets::Host`.

mod accumulation;
mod checkpoint;
mod loops;
mod mistakes;
mod model;
mod quiet;
mod radius;
mod refused;
#[cfg(feature = "train")]
mod with_sam;
