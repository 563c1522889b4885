//! What the weights of a model say without data: the singular values of each weight matrix, and
//! the tail of their distribution.
//!
//! A weight matrix W is a parameter that has filters ([`Block::filters`]): one row for each output
//! channel or neuron, with all its weights. A convolution `[out, in, k, k]` is one matrix of out
//! rows and `in k²` columns (other programs take `k²` matrices of out × in, whose numbers differ).
//! Biases and the scales of normalisation layers are no matrices.
//!
//! | quantity | definition |
//! |---|---|
//! | spectral norm | the largest singular value `‖W‖₂`; the layer stretches no input by more |
//! | stable rank | `‖W‖²_F / ‖W‖₂²`, from 1 to the rank: how many directions of the input matter |
//! | alpha | the exponent of the tail of the eigenvalue density of `WᵀW`, `ρ(λ) ~ λ^−α` from `x_min` on |
//!
//! Alpha is fitted as Clauset, Shalizi and Newman say: by maximum likelihood above each eigenvalue
//! as `x_min`, of which that with the smallest Kolmogorov-Smirnov distance is taken. Martin and
//! Mahoney find 2 < α < 6 in well-trained layers of large networks, and more where a layer has
//! learned little. That is an observation, not a theorem; it says little of matrices of a few dozen
//! eigenvalues, which are marked.
//!
//! # References
//! Martin, Mahoney 2021, "Implicit Self-Regularization in Deep Neural Networks: Evidence from
//! Random Matrix Theory and Implications for Learning", section 3; Clauset, Shalizi, Newman 2009,
//! "Power-Law Distributions in Empirical Data", sections 3.1 and 3.3; Rudelson, Vershynin 2007,
//! "Sampling from Large Matrices", for the stable rank.
//!
//! [`Block::filters`]: crate::Block::filters

mod power_law;
mod spectrum;

pub use power_law::{PowerLaw, power_law};
pub use spectrum::{WeightSpectrum, spectra};
