//! Golden numbers: what the crates compute beside float64 PyTorch, closed forms and independent
//! programs; and that measuring changes no training.
//!
//! One binary for all of them but the networks, because each binary links Burn. Run with
//! `--nocapture` to see the figures reached.
#![allow(
    clippy::print_stdout,
    reason = "the figures reached are shown with --nocapture"
)]

mod alignment;
mod critical;
mod curvature;
mod derivatives;
mod exact_claims;
mod exact_data;
mod exact_trace;
mod examples;
mod functions;
mod groups;
mod numbers;
mod paths;
mod per_example;
mod planes;
mod power_law;
mod sam;
mod sam_sharpness;
mod sam_torch;
mod second_derivatives;
mod slices;
mod spectrum;
mod stability;
mod symmetry_claims;
mod trajectory;
#[path = "../unchanged/test.rs"]
mod unchanged;
