//! `landscape serve`: lends the devices of this machine to the `--devices` of others.

use std::net::IpAddr;

use clap::Args;

use crate::config::choice::DeviceKind;
use crate::config::settings::device_help;
use crate::engine::spread::Token;
use crate::failure::usage;

pub(super) const EXAMPLE: &str = "Example:
  landscape serve --device flex --port 3000
  landscape spectrum runs/quickstart/sgd --devices ws://127.0.0.1:3000,flex
  LANDSCAPE_TOKEN=secret landscape serve --device cuda --host 0.0.0.0

The protocol is Burn's own and is not encrypted: a token keeps strangers out, and hides
nothing from those who see the traffic. It takes a program built with --features remote,
of the same version of Burn on both sides. Ctrl-C ends it.";

/// The arguments of the command.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Device; all of its kind are lent
    #[arg(long, value_enum, hide_possible_values = true, default_value = "flex", help = device_help())]
    device: DeviceKind,
    /// Port; 0 for one that is free, which is printed
    #[arg(long, value_name = "PORT", default_value_t = 3000)]
    port: u16,
    /// Address of this machine on which it listens; any but a loopback address needs a token
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    host: IpAddr,
    /// What clients have to give
    #[arg(
        long,
        value_name = "TOKEN",
        env = "LANDSCAPE_TOKEN",
        hide_env_values = true
    )]
    token: Option<Token>,
}

/// Serves until it is told to stop. Returns the exit code.
///
/// # Errors
/// A usage error for an address that others reach and no token, and an empty token; a failure where
/// the port is taken.
pub(super) fn carry_out(arguments: &Arguments) -> anyhow::Result<u8> {
    let token = arguments.token.as_ref();
    if token.is_some_and(|token| token.reveal().is_empty()) {
        return Err(usage("--token: it is empty; give one, or leave it out"));
    }
    if !arguments.host.is_loopback() && token.is_none() {
        return Err(usage(format!(
            "--host: {} is reached by other machines, which could then use this one; give a token by --token or in LANDSCAPE_TOKEN",
            arguments.host
        )));
    }
    serve(arguments)
}

#[cfg(not(feature = "remote"))]
fn serve(_: &Arguments) -> anyhow::Result<u8> {
    Err(usage(
        "this program was built without servers of devices; build it with --features remote",
    ))
}

#[cfg(feature = "remote")]
fn serve(arguments: &Arguments) -> anyhow::Result<u8> {
    use std::net::TcpListener;

    use anyhow::Context as _;
    use burn::server::{RemoteServer, TokenAuthorizer, WebSocketTransport};

    use crate::engine::device;
    use crate::failure::SUCCESS;
    use crate::report::output::print;

    let devices =
        device::all(arguments.device).map_err(|message| usage(format!("--device: {message}")))?;
    let place = (arguments.host, arguments.port);
    let listener = TcpListener::bind(place).with_context(|| {
        format!(
            "cannot listen on {} port {}; another program may have it: give another --port",
            arguments.host, arguments.port
        )
    })?;
    let address = listener.local_addr().context("the port is not known")?;
    let count = devices.len();
    let mut server = RemoteServer::new(devices);
    if let Some(token) = &arguments.token {
        let authorizer = TokenAuthorizer::new(token.reveal());
        server = server.with_authorizer(authorizer.context("the token cannot be used")?);
    }
    let devices = if count == 1 { "device" } else { "devices" };
    print(&format!("{count} {devices} at ws://{address}"))?;
    server
        .serve(WebSocketTransport::from_listener(listener))
        .context("the server failed")?;
    Ok(SUCCESS)
}
