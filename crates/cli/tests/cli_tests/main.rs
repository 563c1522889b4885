//! The program as its users meet it: each test runs it as a process, in a folder of its own.

#![allow(clippy::unwrap_used, reason = "what fails in a test fails the test")]

mod analysis;
mod attempt;
mod bad_input;
#[cfg(unix)]
mod broken_output;
mod comparison;
mod diagnosis;
#[cfg(unix)]
mod directory;
mod explain;
mod measure;
mod methods;
mod output;
mod paths;
mod program;
mod report;
mod resume;
mod slices;
mod trajectory;
mod variation;
mod workload;
