//! Tests of probes that can run beside each other in one process.

mod diagnosis;
mod course;
mod instruments;
mod recording;
mod storing;
mod units;
