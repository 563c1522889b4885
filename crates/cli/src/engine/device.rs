//! From the settings to a device, of those compiled in.

use burn::tensor::Device;
#[cfg(any(feature = "wgpu", feature = "cuda"))]
use burn::tensor::DeviceType;

use crate::config::choice::{DeviceKind, name};

/// Returns all devices of a kind that this machine has, without autodiff.
///
/// # Errors
/// As [`autodiff`].
pub(crate) fn all(kind: DeviceKind) -> Result<Vec<Device>, String> {
    match kind {
        #[cfg(feature = "wgpu")]
        DeviceKind::Wgpu => Ok(Device::enumerate(DeviceType::Wgpu).into_iter().collect()),
        #[cfg(feature = "cuda")]
        DeviceKind::Cuda => Ok(Device::enumerate(DeviceType::Cuda).into_iter().collect()),
        kind => Ok(vec![autodiff(kind)?.inner()]),
    }
}

/// Returns the autodiff device of that kind.
///
/// # Errors
/// A sentence when the kind is not compiled in; it names those that are.
pub(crate) fn autodiff(kind: DeviceKind) -> Result<Device, String> {
    let device = match kind {
        #[cfg(feature = "flex")]
        DeviceKind::Flex => Device::flex(),
        #[cfg(feature = "ndarray")]
        #[expect(deprecated, reason = "offered for comparison as long as Burn has it")]
        DeviceKind::Ndarray => Device::ndarray(),
        #[cfg(feature = "wgpu")]
        DeviceKind::Wgpu => Device::wgpu(burn::tensor::DeviceKind::DefaultDevice),
        #[cfg(feature = "cuda")]
        DeviceKind::Cuda => Device::cuda(0),
        #[allow(unreachable_patterns, reason = "reached unless every feature is on")]
        other => {
            let name = name(other);
            return Err(format!(
                "`{name}` is not compiled in; allowed: {}; or build with --features {name}",
                DeviceKind::compiled_in().join(", ")
            ));
        }
    };
    Ok(device.autodiff())
}
