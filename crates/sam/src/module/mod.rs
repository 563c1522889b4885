//! A module and what it holds: places of parameters, their autodiff state, running statistics.

mod batch_norm;
mod burn_names;
mod context;
mod finite;
mod places;

pub use batch_norm::BatchNormStatistics;
pub(crate) use batch_norm::{first_of, peak_of, restore_buffers, separated, with_own_statistics};
pub(crate) use burn_names::{is_norm_layer, is_of_a_used_graph};
pub(crate) use context::Context;
pub(crate) use finite::check_weights;
pub use places::tie;
pub(crate) use places::{Once, check_leaves, check_places, tied};
