//! The devices over which a measurement is spread, by their names on the command line.

use std::fmt;

use anyhow::anyhow;
use burn::tensor::Device;
use clap::ValueEnum;
use landscape::Devices;

use super::{device, remote};
use crate::config::choice::DeviceKind;
use crate::failure::usage;
use crate::report::output::{printable, say};

/// What a server asks of those who use its devices. It is never shown.
#[derive(Clone)]
pub(crate) struct Token(String);

impl Token {
    /// Returns it, to be sent.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

impl From<String> for Token {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// Devices with their names.
pub(crate) struct SpreadOver {
    names: Vec<String>,
    devices: Devices,
}

impl SpreadOver {
    /// Finds devices of this machine and connects those of servers, all at once.
    ///
    /// # Errors
    /// A usage error for a name that is none, and a failure for a server that is not there, does
    /// not answer in time, refuses the token or speaks another version of Burn's protocol.
    pub(crate) fn connect(given: &[String], token: Option<&Token>) -> anyhow::Result<Self> {
        let servers = given.iter().map(|name| name.trim()).map(|name| {
            let is_server = name.contains("://") || name.contains(':');
            let server = is_server.then(|| remote::Address::parse(name)).transpose();
            server.map_err(|refused| usage(format!("--devices: {refused}")))
        });
        let servers: Vec<Option<remote::Address>> = servers.collect::<Result<_, _>>()?;
        let mut connected = remote::connect(servers.iter().flatten(), token)?.into_iter();
        let (mut names, mut devices) = (Vec::new(), Vec::new());
        for (name, server) in given.iter().map(|name| name.trim()).zip(servers) {
            let found = match server {
                Some(_) => connected.next().expect("every server was connected"),
                None => of_this_machine(name)?,
            };
            let several = found.len() > 1;
            for (index, device) in found.into_iter().enumerate() {
                names.push(if several {
                    format!("device {index} of {name}")
                } else {
                    name.to_owned()
                });
                devices.push(device);
            }
        }
        let devices = Devices::new(&devices).map_err(|error| {
            let list = names.join(", ");
            anyhow!("--devices: {error} (they are, in order, {list})")
        })?;
        Ok(Self { names, devices })
    }

    /// Returns the devices.
    pub(crate) const fn devices(&self) -> &Devices {
        &self.devices
    }

    /// Says which devices have failed, if any has.
    pub(crate) fn tell_lost(&self) {
        for lost in self.devices.lost_devices() {
            let name = &self.names[lost.position];
            say(&printable(&format!(
                "note: {name} (device {} of {}) failed and was not used any more: {}",
                lost.position + 1,
                self.names.len(),
                lost.reason
            )));
        }
    }
}

/// Returns all devices of a kind.
fn of_this_machine(name: &str) -> anyhow::Result<Vec<Device>> {
    let refused = |message: &str| {
        usage(format!(
            "--devices: {message}; a server of `landscape serve` is written ws://HOST:PORT"
        ))
    };
    let kind = DeviceKind::from_str(name, false).map_err(|_| {
        let kinds = DeviceKind::compiled_in().join(", ");
        refused(&format!("`{name}` is no device; there are {kinds}"))
    })?;
    device::all(kind).map_err(|message| refused(&message))
}
