//! Probes in burn-train's learner, beside hand-written loops.
//!
//! No test but that of `unchanged` draws from the device's generator, which is one for the whole process.
#![cfg(feature = "train")]

mod checkpoints;
mod net;
#[path = "../../../sam/tests/suite/learner/quiet.rs"]
mod quiet;
mod steps;
mod unchanged;
