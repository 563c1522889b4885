//! Tests of probes that can run beside each other in one process.

mod analysis;
mod course;
mod diagnosis;
mod example_gradients;
mod instruments;
mod learning_rate;
mod recording;
mod reporting;
mod storing;
mod units;
