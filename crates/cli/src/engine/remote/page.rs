//! The page that a server answers with while it lives, whatever it computes.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// The first bytes of every answer to HTTP.
const HTTP: &[u8] = b"HTTP/";

/// Asks for a page, and returns whether the answer is HTTP.
///
/// # Errors
/// No answer within that time, or a connection that breaks.
pub(super) fn page(mut stream: TcpStream, host: &str, within: Duration) -> io::Result<bool> {
    let until = Instant::now() + within;
    let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.set_write_timeout(Some(within))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    while answer.len() < HTTP.len() {
        let left = until.saturating_duration_since(Instant::now());
        stream.set_read_timeout(Some(left.max(Duration::from_millis(1))))?;
        let mut some = [0; 64];
        match stream.read(&mut some)? {
            0 => break,
            count => answer.extend(&some[..count]),
        }
    }
    Ok(answer.starts_with(HTTP))
}
