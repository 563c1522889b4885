//! The program `landscape` as a library.

mod command;
mod comparison;
mod config;
mod engine;
mod failure;
mod interrupt;
mod program;
mod report;
mod results;

pub use program::landscape;
