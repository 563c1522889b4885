//! The client of servers of devices.
//!
//! Burn tries for a quarter of a minute to reach a server, and waits for ever for one that accepts
//! and says nothing. So each is asked for a page first, which takes it no time, and is given up
//! after a second or two.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use burn::remote::{ConnectError, RemoteHost};
use burn::tensor::Device;

use super::Address;
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

/// Returns the devices of a server.
fn devices_of(address: &Address, token: Option<&Token>) -> anyhow::Result<Vec<Device>> {
    answers(address)?;
    let mut host = RemoteHost::websocket(&address.to_string());
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

/// Checks that something at an address answers to HTTP.
fn answers(address: &Address) -> anyhow::Result<()> {
    let mut stream = reach(address)?;
    let silent = |_| {
        anyhow!(
            "{address} accepts connections and does not answer within {} s; is it a server of `landscape serve`, and does it run?",
            TO_ANSWER.as_secs()
        )
    };
    let until = Instant::now() + TO_ANSWER;
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {}:{}\r\nConnection: close\r\n\r\n",
        address.host, address.port
    );
    stream.set_write_timeout(Some(TO_ANSWER)).map_err(silent)?;
    stream.write_all(request.as_bytes()).map_err(silent)?;
    let mut answer = Vec::new();
    while answer.len() < 5 {
        let left = until.saturating_duration_since(Instant::now());
        let left = left.max(Duration::from_millis(1));
        stream.set_read_timeout(Some(left)).map_err(silent)?;
        let mut some = [0; 64];
        match stream.read(&mut some).map_err(silent)? {
            0 => break,
            count => answer.extend(&some[..count]),
        }
    }
    if answer.starts_with(b"HTTP/") {
        Ok(())
    } else {
        Err(anyhow!(
            "{address} answers, but is no server of `landscape serve`"
        ))
    }
}

fn reach(address: &Address) -> anyhow::Result<TcpStream> {
    // A resolver may take its time.
    let (sender, receiver) = mpsc::channel();
    let name = (
        address.host.trim_matches(['[', ']']).to_owned(),
        address.port,
    );
    thread::spawn(move || {
        let found = name.to_socket_addrs();
        sender.send(found.map(Iterator::collect::<Vec<_>>))
    });
    let unknown = || anyhow!("{address}: there is no such host; check the address");
    let found = receiver.recv_timeout(TO_ANSWER).map_err(|_| unknown())?;
    let found = found.map_err(|_| unknown())?;
    let mut last = unknown();
    // A name may stand for one address of each kind.
    for place in found.iter().take(2) {
        match TcpStream::connect_timeout(place, TO_ANSWER / 2) {
            Ok(stream) => return Ok(stream),
            Err(error) => {
                last = anyhow!(
                    "nobody listens on {address} ({error}); start `landscape serve` there, or check the address"
                );
            }
        }
    }
    Err(last)
}
