//! A server that lends this machine's device, and its devices.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use burn::remote::RemoteHost;
use burn::tensor::Device;

/// A process of `landscape serve`, killed when the test ends.
pub(crate) struct Server {
    process: Mutex<Child>,
    pub(crate) address: String,
}

impl Server {
    /// Starts one on a free port of the loopback address.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_landscape"))
            .args(["serve", "--device", "flex", "--port", "0"])
            .args(arguments)
            .env("RUST_LOG", "error")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let said = process.stdout.take().unwrap();
        BufReader::new(said).read_line(&mut line).unwrap();
        let address = line.trim().rsplit(' ').next().unwrap().to_owned();
        assert!(address.starts_with("ws://127.0.0.1:"), "{line:?}");
        Self {
            process: Mutex::new(process),
            address,
        }
    }

    /// Starts some.
    pub(crate) fn several(count: usize) -> Vec<Self> {
        (0..count).map(|_| Self::start(&[])).collect()
    }

    /// Kills it, as a machine that loses its power.
    pub(crate) fn kill(&self) {
        let mut process = self.process.lock().unwrap();
        let _ = process.kill();
        let _ = process.wait();
    }

    /// Stops its process, which keeps its connections.
    pub(crate) fn stop(&self) {
        self.signal("-STOP");
    }

    /// Lets it run again.
    pub(crate) fn go_on(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let id = self.process.lock().unwrap().id().to_string();
        let sent = Command::new("kill").args([signal, &id]).status().unwrap();
        assert!(sent.success());
    }

    /// Returns its device.
    pub(crate) fn device(&self) -> Device {
        device_at(&self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Returns the device of the server at an address.
pub(crate) fn device_at(address: &str) -> Device {
    let host = RemoteHost::websocket(address);
    Device::remote_options(&host).init().unwrap()
}

/// Returns what `work` gives, which must take no longer.
#[track_caller]
pub(crate) fn within<T>(seconds: f64, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let done = work();
    let took = start.elapsed();
    assert!(took < Duration::from_secs_f64(seconds), "{took:?}");
    done
}
