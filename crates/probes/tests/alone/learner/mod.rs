//! Probes in burn-train's learner, beside hand-written loops.
//!
//! No test here but that of `unchanged` draws from the device's generator.

mod checkpoints;
mod net;
mod quiet;
mod steps;
mod unchanged;
