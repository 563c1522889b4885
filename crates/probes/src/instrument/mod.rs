//! Ready-made probes.
//!
//! | probe | tags | cost in gradients over the data |
//! |---|---|---|
//! | [`LossProbe`] | as given | a third (one forward pass) |
//! | [`Accuracy`] | as given | a third |
//! | [`GradientNorm`] | `gradient/norm`, `gradient/values/..` | 1 |
//! | [`TopEigenvalues`] | `curvature/lambda_1`.., `curvature/lambda_min`; `stability/sharpness_ratio`, `stability/threshold` | 1.5 for each Lanczos step, 10 to 30 of them |
//! | [`HessianTrace`] | `curvature/trace` | 1.5 for each of 16 probe vectors |
//! | [`SpectralDensity`] | `curvature/density_picture`, `curvature/density_data` | 1.5 for each of 60 products |
//! | [`SamSharpness`] | `sharpness/sam` | 1.3 |
//! | [`LossLine`] | `landscape/line`, `landscape/line_data` | a third for each point |
//! | [`LossSurface`] | `landscape/surface`, `landscape/surface_data` | a third for each point |
//!
//! What tells how good a number is (residuals, standard errors, products) stands under `curvature_check`. The Hessian of a step is made once for each
//! risk, whoever asks, and costs some five gradients.
//!
//! Two probes of one kind, for example for training and for validation data, would use the same tags: [`Suffixed`] tells them apart.
//!
//! All of them measure through [`landscape::Risk`] or a copy made by `valid`, so that weights, BatchNorm statistics and random streams stay as they are. A probe draws
//! its random numbers on the host from the seed it was given, and measures the same when the same model is seen twice.

mod accuracy;
mod density;
mod eigenvalues;
mod gradient;
mod line;
mod loss;
mod sharpness;
mod stability;
mod suffixed;
mod surface;
mod trace;

pub use accuracy::Accuracy;
pub use density::SpectralDensity;
pub use eigenvalues::TopEigenvalues;
pub use gradient::GradientNorm;
pub use line::{Direction, LossLine};
pub use loss::LossProbe;
pub use sharpness::SamSharpness;
pub use stability::Optimiser;
pub use suffixed::Suffixed;
pub use surface::LossSurface;
pub use trace::HessianTrace;
