//! Directions in parameter space: random, normalised, orthogonalised, between two models.

mod between;
mod normalize;
mod orthogonal;
mod random;

pub use between::between;
pub use normalize::{
    Normalization, NormalizeConfig, VectorParameters, filter_normalize, normalize,
};
pub use orthogonal::orthogonalize;
pub use random::{random_direction, random_directions};
