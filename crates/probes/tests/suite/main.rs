//! Tests of probes that can run beside each other in one process.

mod analysis;
mod diagnosis;
mod instruments;
mod learning_rate;
mod recording;
mod storing;
