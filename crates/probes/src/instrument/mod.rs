//! Ready-made probes.
//!
//! | probe | tags | cost in gradients over the data |
//! |---|---|---|
//! | [`MeanLoss`] | as given | a third (one forward pass) |
//! | [`Accuracy`] | as given | a third |
//! | [`GradientNorm`] | `gradient/norm`, `gradient/layer/..`, `gradient/values/..` | 1 |
//! | [`GradientNoise`] | `gradient/noise_scale`, `gradient/signal_to_noise`, `gradient/norm_test`.. | 10 and more, see there |
//! | [`GradientHistogram`] | `gradient/example_values` | the same |
//! | [`GradientsAndWeights`] | `gradient/values_and_weights`, `gradient/values_and_weights_data` | the same |
//! | [`TakeuchiCriterion`] | `curvature/tic_trace`, `curvature/tic_diagonal` | the same, and 1 to 3 for each output |
//! | [`TopEigenvalues`] | `curvature/lambda_1`.., `curvature/lambda_min`; `stability/sharpness_ratio`, `stability/threshold` | 1.5 for each Lanczos step, 10 to 30 of them |
//! | [`HessianTrace`] | `curvature/trace` | 1.5 for each of 16 probe vectors |
//! | [`HessianDensity`] | `curvature/density_picture`, `curvature/density_over_time`, both with `_data` | 1.5 for each of 60 products |
//! | [`AscentSharpness`] | `sharpness/sam` | 1.3 |
//! | [`LayerCurvature`] | `curvature/trace/{layer}`, `curvature/lambda_1/{layer}` | 1.5 for each of 16 probe vectors, and some 15 for each layer |
//! | [`SharpnessSuite`] | `sharpness/sam`, `sharpness/asam`, `sharpness/worst_ball`, `sharpness/random_ball`, `sharpness/average`.. | some 80 |
//! | [`StabilityMonitor`] | `stability/sharpness_ratio`, `stability/threshold`, `stability/warning` | 1, and a Lanczos run where `TopEigenvalues` has made none |
//! | [`LossLine`] | `landscape/line`, `landscape/line_data` | a third for each point |
//! | [`LossSurface`] | `landscape/surface`, `landscape/surface_data` | a third for each point |
//! | [`Trajectory`] | `trajectory/plane`, `trajectory/plane_data` | a third for each of 441 points, at the end |
//! | [`Interpolation`] | `landscape/interpolation_from_start`, `landscape/interpolation_from_last`, with `_data`; `landscape/barrier_from_start`, `landscape/barrier_from_last` | a third for each of 21 points of both lines |
//! | [`Activations`] | `activation/..` | 1 at most (one forward pass, recorded) |
//! | [`BatchNormGap`] | `batch_norm/loss_gap` | two thirds |
//! | [`WeightSpectra`] | `weights/..` | no data; singular values of each weight matrix |
//! | [`Updates`] | `parameters/norm`, `parameters/distance_from_start`, `parameters/update_norm`, `parameters/relative_update` | no data; two vectors are kept |
//!
//! The quality of a number (residuals, standard errors, products) stands under
//! `curvature_check`. The Hessian of a step is made once for each risk, whoever asks, and costs
//! some five gradients.
//!
//! Two probes of one kind, for example for training and for validation data, would use the same
//! tags: [`Suffixed`] tells them apart.
//!
//! All of them measure through [`landscape::Risk`] or a copy made by `valid`, so that weights,
//! BatchNorm statistics and random streams stay as they are. A probe draws its random numbers on
//! the host from the seed it was given, and measures the same when the same model is seen twice.

mod accuracy;
mod activations;
mod ascent_sharpness;
mod batch_norm_gap;
mod density_history;
mod divergence;
mod example_sample;
mod gradient_histogram;
mod gradient_noise;
mod gradient_norm;
mod gradients_and_weights;
mod hessian_density;
mod hessian_trace;
mod interpolation;
mod layer_curvature;
mod loss_line;
mod loss_surface;
mod mean_loss;
mod sharpness_suite;
mod stability_monitor;
mod suffixed;
mod takeuchi_criterion;
mod top_eigenvalues;
mod trajectory;
mod updates;
mod weight_spectra;

pub use accuracy::Accuracy;
pub use activations::Activations;
pub use ascent_sharpness::AscentSharpness;
pub use batch_norm_gap::BatchNormGap;
pub use divergence::{DivergenceRule, DivergenceWarning, StabilitySeen};
pub use gradient_histogram::GradientHistogram;
pub use gradient_noise::GradientNoise;
pub use gradient_norm::GradientNorm;
pub(crate) use gradient_norm::layers;
pub use gradients_and_weights::GradientsAndWeights;
pub use hessian_density::HessianDensity;
pub use hessian_trace::HessianTrace;
pub use interpolation::Interpolation;
pub use landscape::stability::{Optimiser, OptimiserSettings};
pub use layer_curvature::LayerCurvature;
pub use loss_line::{LineDirection, LossLine};
pub use loss_surface::{LossSurface, SurfaceScale};
pub use mean_loss::MeanLoss;
pub use sharpness_suite::SharpnessSuite;
pub use stability_monitor::StabilityMonitor;
pub use suffixed::Suffixed;
pub use takeuchi_criterion::TakeuchiCriterion;
pub use top_eigenvalues::TopEigenvalues;
pub use trajectory::Trajectory;
pub use updates::Updates;
pub use weight_spectra::WeightSpectra;
