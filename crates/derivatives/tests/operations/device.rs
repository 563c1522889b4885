//! The device of the run and its float type.

use burn::tensor::{DType, Device};

/// Burn's default device: flex in the workspace; elsewhere the variable `BURN_DEVICE` chooses among
/// the devices compiled in.
pub(crate) fn device() -> Device {
    Device::default()
}

/// What `BURN_DEVICE` calls the device.
pub(crate) fn name() -> String {
    std::env::var("BURN_DEVICE").unwrap_or_else(|_| "flex".to_owned())
}

/// f64, but on wgpu f32: its shader language has no functions of f64.
pub(crate) fn float_type() -> DType {
    if name() == "wgpu" {
        DType::F32
    } else {
        DType::F64
    }
}
