//! A relay in front of a server, which hangs up when the server no longer answers.
//!
//! Burn waits for ever for a server that holds its connection and computes no more: a process that
//! was stopped, a machine without power. A slow product looks the same on that connection, so a
//! server that says nothing is asked for a page on another one. It answers from other threads than
//! those that compute, so one that is busy does answer. After some unanswered questions the relay
//! closes the connections, which Burn reports at once.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::page::page;

/// The time between two looks at what the server has said.
const BETWEEN: Duration = Duration::from_secs(1);

/// The time for it to accept and to answer a question.
const TO_ANSWER: Duration = Duration::from_secs(2);

/// Questions without an answer, one after the other, after which it is given up. Counted, and not
/// timed: a client that was suspended finds a long silence and a server that answers.
const UNANSWERED: usize = 3;

/// Bytes that are passed on at once.
const BUFFER: usize = 1 << 16;

/// The state of the relay in front of one server.
#[derive(Default)]
struct Relay {
    /// Bytes from the server on all connections.
    heard: AtomicU64,
    connections: Mutex<Connections>,
}

/// The connections of both sides.
#[derive(Default)]
struct Connections {
    /// Each end that is open; its number is a name for it.
    open: Vec<(u64, TcpStream)>,
    named: u64,
    given_up: bool,
}

/// Starts a relay in front of the server at this address, and returns its own address, on this
/// machine. It ends with the process.
///
/// # Errors
/// A machine without a free port, or threads.
pub(super) fn relay(server: SocketAddr, host: String) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let relay = Arc::new(Relay::default());
    let watching = Arc::clone(&relay);
    let start = |name: &str| thread::Builder::new().name(name.to_owned());
    start("watch").spawn(move || watching.watch(server, &host))?;
    start("relay").spawn(move || {
        for client in listener.incoming().flatten() {
            // Dropped where there is no connection to the server: the client sees that.
            let _ = relay.connect(client, server);
        }
    })?;
    Ok(address)
}

impl Relay {
    /// Connects a client with the server, until one of both closes.
    fn connect(self: &Arc<Self>, client: TcpStream, server: SocketAddr) -> io::Result<()> {
        let server = TcpStream::connect_timeout(&server, TO_ANSWER)?;
        for end in [&client, &server] {
            end.set_nodelay(true)?;
        }
        for (from, to, is_server) in [(&client, &server, false), (&server, &client, true)] {
            let (mut from, mut to) = (from.try_clone()?, to.try_clone()?);
            let Some(name) = self.open(from.try_clone()?) else {
                return Ok(());
            };
            let relay = Arc::clone(self);
            thread::Builder::new()
                .name("relay".to_owned())
                .spawn(move || {
                    relay.pass_on(&mut from, &mut to, is_server);
                    for end in [from, to] {
                        let _ = end.shutdown(Shutdown::Both);
                    }
                    relay.connections().open.retain(|(open, _)| *open != name);
                })?;
        }
        Ok(())
    }

    /// Copies what comes from one end to the other, until one of both closes.
    fn pass_on(&self, from: &mut TcpStream, to: &mut TcpStream, is_server: bool) {
        let mut buffer = vec![0; BUFFER];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            if is_server {
                self.heard.fetch_add(length as u64, Ordering::Relaxed);
            }
            if to.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
    }

    /// Notes an end as open and names it; none where the server has been given up.
    fn open(&self, end: TcpStream) -> Option<u64> {
        let mut connections = self.connections();
        if connections.given_up {
            return None;
        }
        connections.named += 1;
        let name = connections.named;
        connections.open.push((name, end));
        Some(name)
    }

    /// Asks a silent server for pages, and closes all connections when it no longer answers.
    fn watch(&self, server: SocketAddr, host: &str) {
        let (mut heard, mut unanswered) = (0, 0);
        while unanswered < UNANSWERED {
            thread::sleep(BETWEEN);
            let now = self.heard.load(Ordering::Relaxed);
            let spoke = now != heard || self.connections().open.is_empty();
            heard = now;
            let answers = spoke
                || TcpStream::connect_timeout(&server, TO_ANSWER)
                    .and_then(|stream| page(stream, host, TO_ANSWER))
                    .is_ok();
            unanswered = if answers { 0 } else { unanswered + 1 };
        }
        let mut connections = self.connections();
        connections.given_up = true;
        for (_, end) in connections.open.drain(..) {
            let _ = end.shutdown(Shutdown::Both);
        }
    }

    fn connections(&self) -> MutexGuard<'_, Connections> {
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
