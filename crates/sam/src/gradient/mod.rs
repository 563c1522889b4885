//! Gradients over all parameters of a model: norms, sums, and a vector that is carried along.

mod carried;
mod combine;
mod flat;
mod norm;
mod norms;
mod question;
mod scale;
mod scaled_norms;

pub use carried::Carried;
pub(crate) use combine::{combined, copy};
pub(crate) use norm::Norm;
pub(crate) use norms::Norms;
pub(crate) use question::Question;
pub use scale::Scale;
