//! The client of servers of devices.
//!
//! Burn tries for a quarter of a minute to reach a server, and waits for ever for one that accepts
//! and says nothing. So each is asked for a page first, which takes it no time, and is given up
//! after a second or two; and stands behind a relay that goes on asking.

use std::error::Error;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use burn::remote::{ConnectError, RemoteHost};
use burn::tensor::Device;

use super::Address;
use super::page::page;
use super::relay::relay;
use crate::engine::spread::Token;

/// The time for a server to accept and to answer a page.
const TO_ANSWER: Duration = Duration::from_secs(2);

/// The time for it to open a session, after that.
const TO_CONNECT: Duration = Duration::from_millis(2500);

/// Connects servers, all at once, and returns the devices of each.
///
/// # Errors
/// That of the first server that is not there, does not answer, or refuses.
pub(crate) fn connect<'a>(
    addresses: impl Iterator<Item = &'a Address>,
    token: Option<&Token>,
) -> anyhow::Result<Vec<Vec<Device>>> {
    let start = |address: &Address| {
        let (address, token) = (address.clone(), token.cloned());
        thread::spawn(move || devices_of(&address, token.as_ref()))
    };
    let threads: Vec<_> = addresses.map(start).collect();
    let found: Vec<_> = threads
        .into_iter()
        .map(|thread| thread.join().map_err(|_| anyhow!("a connection failed")))
        .collect();
    found.into_iter().flatten().collect()
}

/// Connects a server of `landscape serve` at `ws://HOST:PORT`, and returns its devices, for
/// [`Risk::on_devices`](landscape::Risk::on_devices).
///
/// They are Burn's own remote devices, behind a relay of this process that asks a silent server for
/// signs of life: one that hangs fails like one that is gone, after at most ten seconds. Burn alone
/// would wait for it.
///
/// ```no_run
/// use landscape::Risk;
/// # use burn::{nn::Linear, tensor::Tensor};
///
/// # let data = Tensor::<2>::ones([4, 1], &Default::default());
/// # let risk = Risk::mean(data, |model: &Linear, x: &Tensor<2>| model.forward(x.clone()).mean());
/// let mut devices = cli::remote_devices("ws://a:3000", Some("secret"))?;
/// devices.extend(cli::remote_devices("ws://b:3000", Some("secret"))?);
/// let risk = risk.on_devices(&devices)?;
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
///
/// # Errors
/// An address where nobody listens or something else does, a server that does not answer, refuses
/// the token or speaks another version of Burn's protocol: a sentence, within five seconds.
pub fn remote_devices(
    address: &str,
    token: Option<&str>,
) -> Result<Vec<Device>, Box<dyn Error + Send + Sync>> {
    let address = Address::parse(address)?;
    let token = token.map(|token| Token::from(token.to_owned()));
    Ok(devices_of(&address, token.as_ref())?)
}

/// Returns the devices of a server.
fn devices_of(address: &Address, token: Option<&Token>) -> anyhow::Result<Vec<Device>> {
    let relay = relay(place_of(address)?, address.page_host())
        .with_context(|| format!("no relay can be put in front of {address}"))?;
    let mut host = RemoteHost::websocket(&format!("ws://{relay}"));
    if let Some(token) = token {
        host = host.with_credential(token.reveal());
    }
    let (sender, receiver) = mpsc::channel();
    // It may wait for ever, and is left to itself then.
    thread::spawn(move || sender.send(host.devices()));
    let found = receiver.recv_timeout(TO_CONNECT).map_err(|_| {
        anyhow!("{address} accepts connections and opens no session; is it a server of `landscape serve`?")
    })?;
    match found {
        Ok(devices) => Ok(devices.into_iter().collect()),
        Err(error) => Err(anyhow!(refusal(address, token, &error))),
    }
}

fn refusal(address: &Address, token: Option<&Token>, error: &ConnectError) -> String {
    match error {
        ConnectError::Unauthorized if token.is_some() => {
            format!(
                "{address} refuses the token; give it the one that `landscape serve` was started with"
            )
        }
        ConnectError::Unauthorized => {
            format!("{address} asks for a token; give it by --token or in LANDSCAPE_TOKEN")
        }
        ConnectError::IncompatibleProtocol {
            client_version,
            server_version,
        } => format!(
            "{address} speaks version {server_version} of Burn's protocol and this program version {client_version}; build both with the same Burn"
        ),
        error => format!("{address} cannot be used: {error}"),
    }
}

/// Returns the place of a server, after it has answered to HTTP there.
fn place_of(address: &Address) -> anyhow::Result<SocketAddr> {
    let mut found = Err(anyhow!(
        "{address}: there is no such host; check the address"
    ));
    for place in places(address)? {
        found = TcpStream::connect_timeout(&place, TO_ANSWER / 2)
            .map(|stream| (place, stream))
            .map_err(|error| {
                anyhow!(
                    "nobody listens on {address} ({error}); start `landscape serve` there, or check the address"
                )
            });
        if found.is_ok() {
            break;
        }
    }
    let (place, stream) = found?;
    match page(stream, &address.page_host(), TO_ANSWER) {
        Ok(true) => Ok(place),
        Ok(false) => Err(anyhow!(
            "{address} answers, but is no server of `landscape serve`"
        )),
        Err(_) => Err(anyhow!(
            "{address} accepts connections and does not answer within {} s; is it a server of `landscape serve`, and does it run?",
            TO_ANSWER.as_secs()
        )),
    }
}

/// Returns what the host's name stands for: one place of each kind, at most.
fn places(address: &Address) -> anyhow::Result<Vec<SocketAddr>> {
    let (sender, receiver) = mpsc::channel();
    let name = (
        address.host.trim_matches(['[', ']']).to_owned(),
        address.port,
    );
    // A resolver may take its time.
    thread::spawn(move || {
        let found = name.to_socket_addrs();
        sender.send(found.map(|places| places.take(2).collect::<Vec<_>>()))
    });
    match receiver.recv_timeout(TO_ANSWER) {
        Ok(Ok(places)) => Ok(places),
        _ => Err(anyhow!(
            "{address}: there is no such host; check the address"
        )),
    }
}
