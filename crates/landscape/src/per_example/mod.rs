//! The noise of the gradient, from the gradients of single examples.
//!
//! [`statistics`] goes through the data once and keeps what is needed of the gradients `gₙ =
//! ∇ℓₙ(θ)` of the N loss terms: their mean g, the variance of each coordinate, their norms and
//! their products with g. What the literature makes of these is a method of [`GradientStatistics`]:
//!
//! | quantity | definition | says |
//! |---|---|---|
//! | [`total_variance`](GradientStatistics::total_variance) | `tr Σ = Σᵢ σᵢ²` | noise of a batch of one |
//! | [`signal_to_noise`](GradientStatistics::signal_to_noise) | `gᵢ² / σᵢ²` | how much of a coordinate is common to the examples |
//! | [`noise_scale`](GradientStatistics::noise_scale) | `tr Σ / ‖g‖²` | batch size at which noise and gradient are equal |
//! | [`batch_tests`](GradientStatistics::batch_tests) | norm, inner-product, orthogonality test | whether a batch of b shows the way down |
//! | [`cabs_batch_size`](GradientStatistics::cabs_batch_size) | `η tr Σ / L` | batch size for the learning rate |
//! | [`early_stopping`](GradientStatistics::early_stopping) | `1 − N/D Σᵢ gᵢ² / σᵢ²` | positive: the gradient is no larger than its noise |
//! | [`tic_trace`](GradientStatistics::tic_trace), [`tic_diagonal`](GradientStatistics::tic_diagonal) | `tr C / tr H`, `Σᵢ Cᵢᵢ / Hᵢᵢ` | generalisation gap times N, near a minimum |
//!
//! [`gradient_histogram`] counts all N P entries of the example gradients, and
//! [`gradients_and_weights`] counts them beside the weights that they belong to.
//!
//! # Conventions
//!
//! The data are taken for a sample of independent examples, and every variance is the unbiased one
//! of that sample:
//!
//! ```text
//! g = 1/N Σₙ gₙ        σᵢ² = 1/(N−1) Σₙ (gₙᵢ − gᵢ)²        C = 1/N Σₙ gₙ gₙᵀ
//! ```
//!
//! C, which the information criterion takes, is not centred. Where the risk weights its batches
//! ([`Risk::with_weights`](crate::Risk::with_weights)), `gₙ` is the gradient of weight times loss
//! term, whose plain mean is L. Gradients are taken in the model's float type; sums, means and what
//! follows are f64.
//!
//! # Resolution
//!
//! In a float type with unit roundoff u, a coordinate whose root mean square over the examples is
//! below 16 u of that of the whole gradient is not resolved: where a gradient vanishes by symmetry
//! (a bias before BatchNorm) just that is left of it. A standard deviation below 8 u of the
//! coordinate's root mean square is zero. Such coordinates have no ratio; [`SignalToNoise`] counts
//! them.
//!
//! # References
//! Schneider, Dangel, Hennig 2021, "Cockpit: A Practical Debugging Tool for the Training of Deep
//! Neural Networks", appendix C, collects most of these quantities. Where its program takes another
//! normalisation, the method says so.

mod batch_size;
mod counts;
mod histogram;
mod information;
mod noise;
mod rows;
mod statistics;
mod weights;

pub use batch_size::BatchTests;
pub use histogram::{
    GradientHistogram, HistogramBin, gradient_histogram, gradient_histogram_observed,
};
pub use information::TicDiagonal;
pub use noise::SignalToNoise;
pub use statistics::{GradientStatistics, statistics, statistics_observed};
pub use weights::{GradientsAndWeights, gradients_and_weights, gradients_and_weights_observed};
