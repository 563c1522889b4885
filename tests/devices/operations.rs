//! The table of operations on the device of the run: in f64, on a device of f32 in f32.
//!
//! The rest of `crates/derivatives/tests/operations` is for flex alone: `random` is about
//! tolerances of f64 and needs thousands of runs, which would take a GPU in software about an hour;
//! `paths` is about names in errors, in which no device has a part.
#![allow(missing_docs, reason = "a test")]
#![allow(clippy::print_stdout, reason = "the table is shown with --nocapture")]

#[path = "../../crates/derivatives/tests/operations/activation.rs"]
mod activation;
#[path = "../../crates/derivatives/tests/operations/backward.rs"]
mod backward;
#[path = "../../crates/derivatives/tests/operations/burns.rs"]
mod burns;
#[path = "../../crates/derivatives/tests/operations/device.rs"]
mod device;
#[path = "../../crates/derivatives/tests/operations/elementwise.rs"]
mod elementwise;
#[path = "../../crates/derivatives/tests/operations/fault.rs"]
mod fault;
#[path = "../../crates/derivatives/tests/operations/harness.rs"]
mod harness;
#[path = "../../crates/derivatives/tests/operations/indexing.rs"]
mod indexing;
#[path = "../../crates/derivatives/tests/operations/layers.rs"]
mod layers;
#[path = "../../crates/derivatives/tests/operations/losses.rs"]
mod losses;
#[path = "../../crates/derivatives/tests/operations/module.rs"]
mod module;
#[path = "../../crates/derivatives/tests/operations/reduction.rs"]
mod reduction;
#[path = "../../crates/derivatives/tests/operations/refusal.rs"]
mod refusal;
#[path = "../../crates/derivatives/tests/operations/sampling.rs"]
mod sampling;
#[path = "../../crates/derivatives/tests/operations/sequence.rs"]
mod sequence;
#[path = "../../crates/derivatives/tests/operations/shape.rs"]
mod shape;
#[path = "../../crates/derivatives/tests/operations/stateless.rs"]
mod stateless;
#[path = "../../crates/derivatives/tests/operations/table.rs"]
mod table;
#[path = "../../crates/derivatives/tests/operations/valued.rs"]
mod valued;
#[path = "../../crates/derivatives/tests/operations/weighted.rs"]
mod weighted;
