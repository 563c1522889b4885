//! Flat vectors: where they live, their norms on the host, and random ones.

mod domain;
mod norm;
pub(crate) mod random;

pub use domain::{Domain, download};
pub(crate) use norm::{norm, relative_change};
