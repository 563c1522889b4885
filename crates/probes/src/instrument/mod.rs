//! Ready-made probes.
//!
//! | probe | tags | cost in gradients over the data |
//! |---|---|---|
//! | [`LossProbe`] | as given | a third (one forward pass) |
//! | [`Accuracy`] | as given | a third |
//! | [`GradientNorm`] | `gradient/norm`, `gradient/values/..` | 1 |
//! | [`TopEigenvalues`] | `curvature/lambda_1`.., `curvature/lambda_min`, each with `_residual`; `stability/sharpness_ratio`, `stability/threshold` | 2 for each Lanczos step, some tens |
//! | [`HessianTrace`] | `curvature/trace`, `curvature/trace_standard_error` | 2 for each probe vector |
//! | [`SpectralDensity`] | `curvature/density`, `curvature/density_picture`, `curvature/density_data` | 2 for each start and Lanczos step |
//! | [`SamSharpness`] | `sharpness/sam` | 1.3 |
//! | [`LossLine`] | `landscape/line`, `landscape/line_data` | a third for each point |
//! | [`LossSurface`] | `landscape/surface`, `landscape/surface_data` | a third for each point |
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
