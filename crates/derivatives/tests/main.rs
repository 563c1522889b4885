//! The tests of the crate, in one binary.

mod closed_forms;
mod examples;
mod guide;
mod operations;
mod plane;
mod sparse;
mod workers;

use burn::tensor::Device;

/// The device of all tests, on which tensors are created in f64 unless told otherwise: the first
/// use in a process chooses.
fn device() -> Device {
    operations::flex()
}
