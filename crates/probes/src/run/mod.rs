//! The course of a run: who is due, what the budget allows, what is found, and where it goes.

mod allow;
mod background;
mod delivery;
mod demand;
mod diagnosing;
mod entry;
mod measure;
mod measurer;
mod message;
mod observation;
mod probes;
mod tell;
mod thread;

pub use message::{At, Message};
pub use observation::{Measured, Observation, Summary, Tally};
pub use probes::Probes;
