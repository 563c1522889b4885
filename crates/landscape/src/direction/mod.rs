//! Directions in parameter space: random, gradient, SAM's ascent, eigenvectors, between models;
//! normalised, orthogonalised.
//!
//! A direction is a vector d, `[P]`; slices move the model by multiples of it. A [`Direction`] is
//! one that carries the record of how it was made ([`DirectionInfo`]), which a picture needs to be
//! read: its kind with the seed, and what was done to it, in order.
//!
//! | direction | function | norm | cost |
//! |---|---|---|---|
//! | random, N(0,1) | [`random_direction`], [`Direction::random`] | about `√P` | none |
//! | gradient, uphill | [`gradient_direction`] | 1 | one gradient |
//! | SAM's step to its peak | [`ascent_direction`] | that of the step | one gradient, one forward pass |
//! | eigenvectors of a Hessian | [`eigenvector_directions`] | 1 | that of [`top_eigenpairs`] |
//! | from one model to another | [`between`] | their distance | none |
//! | the plane through three models | [`plane_of`] | distances, or 1 | none |
//! | principal directions of a training | [`principal_plane`] | 1 | loads of checkpoints |
//!
//! [`normalize`] scales a direction to the weights, filter by filter ([what a filter
//! is](crate::Block#filters)), and [`orthogonalize`] makes one orthogonal to another. The order
//! matters and is the caller's: a direction that is orthogonalised after it was normalised has
//! filters of other norms, one that is normalised after it was orthogonalised is orthogonal no
//! more.
//!
//! [`top_eigenpairs`]: crate::top_eigenpairs
//! [`principal_plane`]: crate::trajectory::principal_plane

mod between;
mod described;
mod eigenvector;
mod gradient;
mod normalize;
mod orthogonal;
mod plane;
mod random;

pub use between::between;
pub use described::{Direction, DirectionInfo, DirectionKind, DirectionStep};
pub use eigenvector::eigenvector_directions;
pub use gradient::{ascent_direction, gradient_direction};
pub use normalize::{
    Normalization, NormalizeConfig, VectorParameters, filter_normalize, normalize,
};
pub use orthogonal::orthogonalize;
pub use plane::{ModelPlane, PlaneBasis, plane_of};
pub use random::{random_direction, random_directions};
