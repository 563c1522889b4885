//! A program without servers of devices.

use burn::tensor::Device;

use super::Address;
use crate::engine::spread::Token;
use crate::failure::usage;

/// Connects no server, and returns nothing where none is named.
///
/// # Errors
/// A usage error where any server is named.
pub(crate) fn connect<'a>(
    mut addresses: impl Iterator<Item = &'a Address>,
    _token: Option<&Token>,
) -> anyhow::Result<Vec<Vec<Device>>> {
    match addresses.next() {
        None => Ok(Vec::new()),
        Some(address) => Err(usage(format!(
            "--devices: {address} is a server, and this program was built without them; build it with --features remote"
        ))),
    }
}
