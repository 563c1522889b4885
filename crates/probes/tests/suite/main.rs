//! Tests of probes that can run beside each other in one process.

mod diagnosis;
mod example_gradients;
mod instruments;
mod recording;
mod storing;
