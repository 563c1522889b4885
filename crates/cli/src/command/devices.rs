//! The flags that spread a measurement over devices.

use clap::Args;

use crate::engine::spread::{SpreadOver, Token};
use crate::failure::usage;

const SPREAD: &str = "Several devices";

/// The flags that spread a measurement over devices.
#[derive(Args)]
pub(super) struct DeviceFlags {
    /// Devices that share the data, with commas between them: servers of `landscape serve`, as
    /// ws://HOST:PORT, and kinds of this machine's, each with all devices of its kind
    #[arg(
        long,
        value_name = "DEVICE,DEVICE",
        value_delimiter = ',',
        help_heading = SPREAD
    )]
    devices: Vec<String>,
    /// What the servers ask for, if they do
    #[arg(
        long,
        value_name = "TOKEN",
        requires = "devices",
        env = "LANDSCAPE_TOKEN",
        hide_env_values = true,
        help_heading = SPREAD
    )]
    token: Option<Token>,
}

impl DeviceFlags {
    /// Connects the devices; none where none are named.
    ///
    /// # Errors
    /// A usage error for one that is no device, and a failure for a server that is not there, all
    /// within seconds.
    pub(super) fn connect(&self) -> anyhow::Result<Option<SpreadOver>> {
        if self.devices.is_empty() {
            return Ok(None);
        }
        if self.devices.iter().any(|device| device.trim().is_empty()) {
            return Err(usage(
                "--devices: a name is empty; write ws://HOST:PORT or a kind of device, with commas between them",
            ));
        }
        SpreadOver::connect(&self.devices, self.token.as_ref()).map(Some)
    }
}
