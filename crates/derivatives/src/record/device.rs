//! The devices on which losses are recorded.

use std::sync::{Mutex, PoisonError};

use burn::tensor::{Device, DeviceConfig};

/// Recording devices are never given back by Burn, so they are used again. One is used by one
/// capture at a time.
static IDLE: Mutex<Vec<(String, Device)>> = Mutex::new(Vec::new());

pub(crate) struct RecordingDevice {
    pub(crate) device: Device,
    settings: String,
}

impl RecordingDevice {
    /// A recording device on which tensors are created with the types of `device`.
    pub(crate) fn like(device: &Device) -> Self {
        let of = device.settings();
        let settings = format!(
            "{:?} {:?} {:?}",
            of.float_dtype, of.int_dtype, of.bool_dtype
        );
        let mut idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner);
        let known = idle.iter().position(|(known, _)| *known == settings);
        if let Some(position) = known {
            let (settings, device) = idle.swap_remove(position);
            return Self { device, settings };
        }
        let device = Device::capture();
        let config = DeviceConfig::new(
            Some(of.float_dtype),
            Some(of.int_dtype),
            Some(of.bool_dtype),
        );
        // A recording device knows its types inside a scope only. If they cannot be chosen, it
        // keeps its own.
        let _ = device.capture_scope(|scope| {
            let _ = device.clone().configure(config);
            scope.complete([], [])
        });
        Self { device, settings }
    }
}

impl Drop for RecordingDevice {
    fn drop(&mut self) {
        let mut idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push((std::mem::take(&mut self.settings), self.device.clone()));
    }
}
