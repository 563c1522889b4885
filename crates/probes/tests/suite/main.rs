//! Tests of probes that can run beside each other in one process.

mod course;
mod instruments;
mod recording;
mod storing;
