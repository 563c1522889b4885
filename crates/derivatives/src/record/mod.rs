//! Recording what a closure does: a recording device, what is marked on it, and what Burn says.

mod batch_norm;
mod device;
mod ids;
mod marker;
mod outputs;
mod panics;
mod paths;
mod stop_gradient;
mod trial;

pub(crate) use batch_norm::normalising_by_batch;
pub(crate) use device::RecordingDevice;
pub(crate) use marker::{Marker, input_gradient};
pub(crate) use outputs::id_of;
pub(crate) use panics::error_of_panic;
pub(crate) use paths::Paths;

pub use ids::check_ids;
pub use outputs::Outputs;
pub use stop_gradient::stop_gradient;
pub use trial::{attempt, in_trial};
