//! Measuring a training run without changing it, and showing it while it runs.
//!
//! [`Probes`] holds things that measure ([`Probe`], ready-made in [`instrument`]), each with a [`Schedule`], and hands typed [`Record`]s to
//! [sinks](sink): TensorBoard, JSON lines, memory. The training loop calls [`Probes::observe`] and does not know what is measured. Pictures are drawn in
//! [`render`], from plain slices.
//!
//! In burn-train's learner, which has the loop, `learner::WithProbes` around the model does the same and counts the steps, and the learner's own metrics go
//! to the same sinks (feature `train`).
//!
//! Measuring never changes training: weights, BatchNorm statistics and random streams are bit for bit the same with and without probes.

pub mod instrument;
#[cfg(feature = "train")]
pub mod learner;
pub mod render;
pub mod show;
pub mod sink;
pub mod tag;

mod background;
mod budget;
mod caught;
mod core;
mod delivery;
mod entry;
mod error;
mod finding;
mod message;
mod moment;
mod observation;
mod probe;
mod probes;
mod record;
mod schedule;
mod workload;

pub use budget::{Budget, Cost, Spent};
pub use error::Error;
pub use finding::{Eigenvalue, Eigenvalues, Finding, Trace};
pub use message::{At, Message};
pub use moment::Moment;
pub use observation::{Measured, Observation, Summary, Tally};
pub use probe::Probe;
pub use probes::Probes;
pub use record::{Bin, Histogram, Record, Records, Value, json_number, json_numbers};
pub use schedule::Schedule;
pub use workload::{Curvature, Products};
