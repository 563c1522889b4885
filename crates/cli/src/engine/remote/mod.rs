//! Devices of other machines, which `landscape serve` hosts there.

#[cfg(not(feature = "remote"))]
mod absent;
#[cfg(feature = "remote")]
mod client;
#[cfg(feature = "remote")]
mod page;
#[cfg(feature = "remote")]
mod relay;

use std::fmt;

#[cfg(not(feature = "remote"))]
pub(crate) use absent::connect;
#[cfg(feature = "remote")]
pub(crate) use client::connect;
#[cfg(feature = "remote")]
pub use client::remote_devices;

/// The address of a server, `ws://HOST:PORT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    host: String,
    port: u16,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ws://{}:{}", self.host, self.port)
    }
}

impl Address {
    /// Returns the host as a request for a page names it.
    #[cfg(feature = "remote")]
    fn page_host(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// Reads an address.
    ///
    /// # Errors
    /// A sentence for anything but `ws://HOST:PORT`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let refused = || format!("`{text}` is no address of a server; write ws://HOST:PORT");
        let rest = text.strip_prefix("ws://").ok_or_else(refused)?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = rest.rsplit_once(':').ok_or_else(refused)?;
        let port = port.parse().map_err(|_| refused())?;
        let is_host = !host.is_empty()
            && port != 0
            && !host.contains(['/', '@', '?', '#'])
            && !host.contains(char::is_whitespace)
            && (!host.contains(':') || (host.starts_with('[') && host.ends_with(']')));
        if is_host {
            Ok(Self {
                host: host.to_owned(),
                port,
            })
        } else {
            Err(refused())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_a_port() {
        for text in ["ws://a:3000", "ws://127.0.0.1:1", "ws://[::1]:65535"] {
            assert_eq!(Address::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(
            Address::parse("ws://a:3000/").unwrap().to_string(),
            "ws://a:3000"
        );
        for text in [
            "a:3000",
            "wss://a:3000",
            "http://a:3000",
            "ws://a",
            "ws://:3000",
            "ws://a:0",
            "ws://a:70000",
            "ws://a:3000/path",
            "ws://user@a:3000",
            "ws://::1:3000",
            "ws://a b:3000",
        ] {
            let error = Address::parse(text).unwrap_err();
            assert!(error.contains("write ws://HOST:PORT"), "{error}");
        }
    }
}
