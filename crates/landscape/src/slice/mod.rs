//! Losses and accuracies on lines and planes, through a model or between several.
//!
//! A [`Slice`] has several [`Quantity`]s at any points; [`line()`], [`plane()`], [`line_between`]
//! and [`plane_between`] are the loss alone on a line or a grid. [`adaptive_range`] finds how far
//! a picture should reach, [`refine`] evaluates it where its interpolation asks for it, and
//! [`curvature_map`] has the extreme eigenvalues over a plane.
//!
//! What is not finite stays as it is everywhere, marked by [`f64::is_finite`].

mod between;
mod curvature_map;
mod directions;
mod evaluation;
mod extent;
mod grid;
mod line;
mod models;
mod plane;
mod prepared;
mod quantity;
mod range;
mod refine;
mod search;
mod source;

pub use between::{
    Buffers, line_between, line_between_observed, plane_between, plane_between_observed,
};
pub use curvature_map::{CurvatureMap, PointCurvature, curvature_map};
pub use derivatives::Slopes;
pub use evaluation::Evaluation;
pub use grid::{Grid, linspace};
pub use line::{Line, line, line_observed};
pub use plane::{Surface, plane, plane_observed};
pub use prepared::Slice;
pub use quantity::Quantity;
pub use range::{AdaptiveRange, RangeConfig, RangeEnd, Rise, adaptive_range};
pub use refine::{RefineConfig, Refined, Scale, refine, refine_with};
pub(crate) use search::Search;
