//! Probes in burn-train's learner, beside hand-written loops.
//!
//! No test here but that of `unchanged` draws from the device's generator.

mod checkpoints;
mod net;
#[path = "../../../../sam/tests/suite/learner/quiet.rs"]
mod quiet;
mod steps;
mod unchanged;
