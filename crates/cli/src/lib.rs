//! The program `landscape` as a library: a model and data of one's own get all of its commands.
//!
//! A [`Workload`] says how a model, its loss and a batch are made; [`main`] does the rest: training
//! with checkpoints, measuring while training and afterwards, pictures, comparisons over seeds,
//! TensorBoard. The settings are flags and workspace.toml, as the crate's README describes them.
//! This is a whole program:
//!
//! ```no_run
#![doc = include_str!("../../../tests/workload/src/main.rs")]
//! ```
//!
//! [`landscape()`] is the program with the bundled networks and data sets, which are workloads too.
//!
//! # Arrangement
//! Arrows point down.
//!
//! - `program`: from the command line to the exit code.
//! - `command`: the subcommands, one file each, and what they print.
//! - `comparison`: finished runs side by side. `bundled`: the bundled workloads.
//! - `engine`: training, measuring, and the files of a run, for any workload.
//! - `results`: summary.json, and what TensorBoard shows of settings and figures.
//! - `config`: workspace.toml and flags, from text to a plan with every setting decided.
//! - `report`: numbers, tables and progress for people.
//! - `workload`, `interrupt`, `failure`: the trait, Ctrl-C, exit codes.

mod bundled;
mod command;
mod comparison;
mod config;
mod engine;
mod failure;
mod interrupt;
mod panic_hook;
mod program;
mod report;
mod results;
mod workload;

#[cfg(feature = "remote")]
pub use engine::remote::remote_devices;
pub use landscape::{Batch, TensorMapper};
pub use program::{landscape, main};
pub use workload::{Part, Workload};
