//! Tests that set what is one for the whole process: the device's generator and its float type.

#[allow(dead_code, reason = "the other target uses the rest")]
#[path = "../suite/methods.rs"]
mod methods;
mod resumed_float64;
mod same_masks;

use std::sync::LazyLock;

use burn::tensor::{Device, FloatDType};

/// Returns the device, whose floats are float64 unless a tensor says something else: that can be
/// set once in a process, before its first tensor.
fn device() -> Device {
    static DEVICE: LazyLock<Device> = LazyLock::new(|| {
        let mut device = Device::flex();
        let configured = device.configure(FloatDType::F64);
        configured.expect("nothing has been made on the device");
        device.autodiff()
    });
    DEVICE.clone()
}
