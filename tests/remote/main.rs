//! Measurements over devices that `landscape serve` lends, in processes of their own.

#![allow(clippy::unwrap_used, reason = "what fails in a test fails the test")]

mod bad_input;
mod costs;
mod failing;
mod numbers;
mod program;
mod proxy;
mod server;
mod subject;
