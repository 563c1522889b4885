//! A diagnosis of a training from its records: what goes wrong, how sure that is, what it means on
//! the loss landscape, and what to try.

mod facts;
mod finding;
mod judge;
mod number;
mod remedy;
mod report;
mod series;
mod slices;
mod words;

pub use facts::Facts;
pub use finding::{Confidence, Evidence, Finding, Severity, Symptom};
pub use remedy::{ActivationFunction, InitialisationScheme, OptimiserKind, Remedy};
pub use report::{Diagnosis, NotLookedAt};
