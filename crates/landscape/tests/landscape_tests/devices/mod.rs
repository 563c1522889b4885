//! One operator, one estimator and one surface over several devices.

#![allow(clippy::unwrap_used, reason = "what fails in a test fails the test")]

mod failing;
mod loader;
mod numbers;
mod subject;
