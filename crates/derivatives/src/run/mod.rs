//! Running a graph on a device: a plan of steps, some of which do a chain of operations at once.

mod captured_data;
mod chain;
mod plan;
mod profile;
mod step;
mod workers;

pub(crate) use captured_data::{CapturedData, PlanValues};
pub(crate) use plan::Plan;
pub(crate) use profile::Profile;

pub use workers::Workers;
