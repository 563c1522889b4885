//! Passes over one parameter in plain loops, where a device's own operations are measured to be
//! slow.
//!
//! Each function gives `None` where it does not apply, and the operations that every device has are
//! taken instead.

pub(crate) use flex_kernels::{climbed, sums};
