//! Flat vectors: where they live, their norms on the host, and random ones.

mod domain;
mod downloads;
mod norm;
pub(crate) mod random;

pub use domain::Domain;
pub(crate) use domain::checked;
pub use downloads::{Downloads, download};
pub use norm::norm;
pub(crate) use norm::{
    add_scaled, dot, largest_magnitude, norm_of, normalize, relative_change, remove_along,
};
