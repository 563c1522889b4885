//! Mode connectivity: paths between trained models, and what lies between several of them.
//!
//! [`Curve`] is a path between two models with fixed ends, [`train_curve`] moves its bends to where
//! the loss is low, and [`profile()`] measures the loss along it:
//!
//! ```text
//! barrier = max_t L(θ(t)) − ((1 − t) L(A) + t L(B))
//! ```
//!
//! The line between two trained networks usually crosses a barrier; a curve with one bend that was
//! trained often does not (Garipov et al. 2018, Draxler et al. 2018).
//!
//! | question | call | cost |
//! |---|---|---|
//! | Is there a barrier between two models? | [`Curve`] as a [`Shape::Line`], [`profile()`] | a forward pass a point |
//! | .. and the accuracy, on several splits? | [`path_quantities`] | a forward pass a point and quantity |
//! | Does a path lead around it? | [`train_curve`], then [`profile()`] | a gradient of a batch a step |
//! | .. between each two of several? | [`barriers`], [`aligned_barriers`] | a line a pair |
//! | Is their mean a good model? | [`average`], [`path_average`] | no pass; a pass |
//! | How wide is a minimum? | [`basin_width`] along a direction | some 50 forward passes |
//! | Are two minima sharp in the same directions? | [`subspace_overlap`] of their top eigenpairs | inner products |
//! | How far are they apart, seen from where? | [`distances`] | no pass |
//!
//! # References
//! Garipov et al. 2018, "Loss Surfaces, Mode Connectivity, and Fast Ensembling of DNNs"; Draxler
//! et al. 2018, "Essentially No Barriers in Neural Network Energy Landscape"; Frankle et al. 2020,
//! "Linear Mode Connectivity and the Lottery Ticket Hypothesis".

mod arc;
mod average;
mod barriers;
mod basin;
mod bend;
mod config;
mod curve;
mod distances;
mod evaluation;
mod overlap;
mod profile;
mod quantities;
mod shape;
mod train;

pub use average::{PathAverage, average, path_average, weighted_average};
pub use barriers::{Barriers, PairBarrier, aligned_barriers, barriers};
pub use basin::{BasinConfig, BasinWidth, Reach, basin_width};
pub use bend::{BendGradient, bend_gradient, times};
pub use config::CurveConfig;
pub use curve::Curve;
pub use distances::{Distances, distances};
pub use evaluation::CurveLoss;
pub use overlap::{SubspaceOverlap, overlap, subspace_overlap};
pub use profile::{PathProfile, Verdict, profile, profile_observed};
pub use quantities::{PathQuantities, path_quantities};
pub use shape::Shape;
pub use train::{CurveStep, TrainedCurve, train_curve};
