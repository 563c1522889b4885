//! The coordinates of theta: which entries of which tensors, in which order.

mod block;
mod copy;
mod flatten;
mod locate;
mod pattern;
mod replace;
mod rest;
mod space;
mod survey;
mod weights;

pub use block::Block;
pub use copy::snapshot;
pub(crate) use copy::{copy, tracked};
pub(crate) use flatten::{gradient, gradient_of_params};
pub use replace::cast;
pub(crate) use replace::{cast_owned, place, put};
pub(crate) use rest::Rest;
pub use space::ParameterSpace;
pub(crate) use weights::weights;
