//! Mode connectivity: paths between trained models, and what lies between several of them.
//!
//! [`Curve`] is a path between two models with fixed ends, [`train_curve`] moves its bends to where
//! the loss is low, and [`profile()`] measures the loss along it. The line between two trained
//! networks usually crosses a barrier; a curve with one bend that was trained often does not
//! (Garipov et al. 2018, Draxler et al. 2018).
//!
//! ```text
//! barrier = max_t L(θ(t)) − ((1 − t) L(A) + t L(B))
//! ```
//!
//! # References
//! Garipov et al. 2018, "Loss Surfaces, Mode Connectivity, and Fast Ensembling of DNNs"; Draxler
//! et al. 2018, "Essentially No Barriers in Neural Network Energy Landscape"; Frankle et al. 2020,
//! "Linear Mode Connectivity and the Lottery Ticket Hypothesis".

mod arc;
mod bend;
mod curve;
mod ends;
mod profile;
mod shape;
mod train;

pub use bend::{BendGradient, bend_gradient, times};
pub use curve::Curve;
pub use profile::{PathProfile, Verdict, profile, profile_observed};
pub use shape::Shape;
pub use train::{CurveConfig, CurveLoss, CurveStep, TrainedCurve, train_curve};
