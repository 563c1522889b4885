//! Recording what a closure does: a recording device, what is marked on it, and what Burn says.

mod batch_norm;
pub mod burn_names;
mod device;
mod ids;
mod marker;
mod nonlinearities;
mod outputs;
mod panics;
mod parameters;
mod paths;
mod recording;
mod stop_gradient;
mod trial;

pub(crate) use batch_norm::normalising_by_batch;
pub(crate) use marker::{Marker, input_gradient};
pub(crate) use nonlinearities::nonlinearities;
pub(crate) use parameters::{common_device, trainable};
pub(crate) use paths::Paths;
pub(crate) use recording::{Found, recorded};

pub use ids::check_ids;
pub use outputs::Outputs;
pub use stop_gradient::stop_gradient;
pub use trial::{attempt, in_trial};
