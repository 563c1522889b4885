//! Running a graph on a device: a plan of steps, some of which do a chain of operations at once.

mod captured_data;
mod chain;
mod convolution;
mod plan;
mod planning;
mod profile;
mod sparse;
mod step;
mod value;
mod workers;

pub(crate) use captured_data::{CapturedData, PlanValues};
pub(crate) use plan::Plan;
pub(crate) use profile::Profile;
pub(crate) use value::Value;

pub use workers::Workers;
