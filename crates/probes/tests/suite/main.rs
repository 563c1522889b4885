//! Tests of probes that can run beside each other in one process.

mod instruments;
mod recording;
mod reporting;
mod storing;
