//! The analysis of a model that somebody already has.
//!
//! [`analyze`] calls the functions of `landscape` one after another with the settings of a
//! [`Depth`], keeps to a time limit, and says what it left out. Each number is that of the single
//! function with the same settings.

mod clock;
mod depth;
mod measure;
mod parts;
mod probe;
mod records;
mod result;
mod summary;

pub use depth::{AnalyzeConfig, Depth, Settings};
pub use measure::{Progress, analyze, analyze_observed};
pub use probe::Analyze;
pub use result::{Analysis, Gradient, Omission, Part, StabilityRatio, Why};
pub(crate) use summary::{short, with_error};
