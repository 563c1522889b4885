//! A module and what it holds: places of parameters, their autodiff state, running statistics.

pub(crate) mod batch_norm;
pub(crate) mod context;
pub(crate) mod places;
pub(crate) mod weights;
