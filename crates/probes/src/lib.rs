//! Measuring a training run without changing it, and showing it while it runs.
//!
//! [`Probes`] holds instruments that measure ([`Probe`], ready-made in [`instrument`]), each with a
//! [`Schedule`], and hands typed [`Record`]s to [sinks](sink): TensorBoard, JSON lines, a folder,
//! memory. The training loop calls [`Probes::observe`] and does not know what is measured.
//!
//! In burn-train's learner, which has the loop, `learner::WithProbes` around the model does the
//! same and counts the steps, and the learner's own metrics go to the same sinks (feature `train`).
//!
//! Measuring never changes training: weights, BatchNorm statistics and random streams are bit for
//! bit the same with and without probes.
//!
//! Slices of many points are measured into a file that survives a kill: [`store`]; [`export`]
//! writes them for other programs.
//!
//! [`report`] writes what was recorded, by one run or by several, as one page of HTML.
//!
//! Results of `landscape` that were not measured by a probe are drawn by [`show`]:
//! `show::contour(&surface, "Training loss")?.save("surface.svg")?`.

pub mod diagnosis;
pub mod export;
pub mod instrument;
#[cfg(feature = "train")]
pub mod learner;
pub mod report;
pub mod sink;
pub mod store;

mod analysis;
mod budget;
mod disk;
mod error;
mod learning_rate;
mod probe;
mod record;
mod run;
mod schedule;
mod workload;

pub use analysis::{
    Analysis, Analyze, AnalyzeConfig, Depth, Gradient, Omission, Part, Progress, Settings,
    StabilityRatio, Why, analyze, analyze_observed,
};
pub use budget::{Budget, MeasuringCost, Spent};
pub use error::Error;
pub use learning_rate::{
    LearningRateConfig, LearningRateTest, RangeTest, Rate, RateCourse, RateLimits, RateOutcome,
    RateSensitivity, learning_rate_sensitivity, learning_rate_sensitivity_by, learning_rate_test,
    learning_rate_test_by,
};
pub use probe::{Moment, Probe};
pub use record::{
    Bin, Eigenvalue, Eigenvalues, Finding, Histogram, Mesh, Record, Records, Value, json_number,
    json_numbers, show, tag,
};
pub use run::{At, Measured, Message, Observation, Probes, Summary, Tally};
pub use schedule::Schedule;
pub use workload::{Curvature, Products};
