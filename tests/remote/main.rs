//! Measurements over devices that `landscape serve` lends, in processes of their own.

#![allow(clippy::unwrap_used, reason = "what fails in a test fails the test")]

mod bad_input;
mod costs;
mod failing;
mod hanging;
mod numbers;
#[path = "../../crates/cli/src/engine/remote/page.rs"]
mod page;
mod program;
mod proxy;
#[path = "../../crates/cli/src/engine/remote/relay.rs"]
mod relay;
mod server;
mod subject;
