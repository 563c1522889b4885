//! The devices on which losses are recorded.

use std::sync::{Mutex, PoisonError};

use burn::tensor::{Device, DeviceConfig};

use crate::Error;

/// Recording devices that no capture uses. Burn never gives one back, and has 65,536 of them.
static IDLE: Mutex<Vec<(String, Device)>> = Mutex::new(Vec::new());

/// A recording device, used by one capture at a time.
pub(crate) struct RecordingDevice {
    pub(crate) device: Device,
    settings: String,
}

impl RecordingDevice {
    /// Returns a recording device on which tensors are created with the types of `device`.
    ///
    /// # Errors
    /// Types that cannot be chosen.
    pub(crate) fn like(device: &Device) -> Result<Self, Error> {
        let of = device.settings();
        let settings = format!(
            "{:?} {:?} {:?}",
            of.float_dtype, of.int_dtype, of.bool_dtype
        );
        let mut idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner);
        let known = idle.iter().position(|(known, _)| *known == settings);
        if let Some(position) = known {
            let (settings, device) = idle.swap_remove(position);
            return Ok(Self { device, settings });
        }
        let device = Device::capture();
        let config = DeviceConfig::new(
            Some(of.float_dtype),
            Some(of.int_dtype),
            Some(of.bool_dtype),
        );
        // A recording device knows its types inside a scope only.
        let mut chosen = Ok(());
        let scope = device.capture_scope(|scope| {
            chosen = device.clone().configure(config);
            scope.complete([], [])
        });
        let capture = |message| Error::Capture { message };
        scope.map_err(|error| capture(error.to_string()))?;
        chosen.map_err(|error| capture(error.to_string()))?;
        Ok(Self { device, settings })
    }
}

impl Drop for RecordingDevice {
    fn drop(&mut self) {
        let mut idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push((std::mem::take(&mut self.settings), self.device.clone()));
    }
}
