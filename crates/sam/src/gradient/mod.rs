//! Gradients over all parameters: their norms, their sums, and a vector that is carried along.

pub(crate) mod carried;
pub(crate) mod combine;
pub(crate) mod norm;
pub(crate) mod norms;
pub(crate) mod question;
pub(crate) mod scale;
pub(crate) mod scaled_norms;
