//! A proxy that counts the bytes in both directions.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// A proxy in front of a server.
pub(crate) struct Proxy {
    pub(crate) address: String,
    sent: Arc<AtomicU64>,
    received: Arc<AtomicU64>,
}

impl Proxy {
    /// Starts one; its threads end with their connections, and with the process.
    pub(crate) fn before(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("ws://{}", listener.local_addr().unwrap());
        let target = server.trim_start_matches("ws://").to_owned();
        let (sent, received) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let counts = (Arc::clone(&sent), Arc::clone(&received));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let server = TcpStream::connect(&target).unwrap();
                for stream in [&client, &server] {
                    stream.set_nodelay(true).unwrap();
                }
                let (sent, received) = (Arc::clone(&counts.0), Arc::clone(&counts.1));
                let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                thread::spawn(move || copy(from, to, &sent));
                thread::spawn(move || copy(server, client, &received));
            }
        });
        Self {
            address,
            sent,
            received,
        }
    }

    /// Returns the bytes since the last call, to the server and from it.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let take = |count: &AtomicU64| count.swap(0, Ordering::SeqCst);
        (take(&self.sent), take(&self.received))
    }
}

fn copy(mut from: TcpStream, mut to: TcpStream, count: &AtomicU64) {
    let mut some = vec![0; 1 << 16];
    while let Ok(length @ 1..) = from.read(&mut some) {
        count.fetch_add(length as u64, Ordering::SeqCst);
        if to.write_all(&some[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}
