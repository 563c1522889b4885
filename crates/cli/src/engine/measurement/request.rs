//! The request to measure a checkpoint, every setting decided.

use std::path::PathBuf;

use landscape::{LanczosConfig, TraceConfig};
use serde::Serialize;

use crate::config::choice::DeviceKind;
use crate::engine::estimators;

/// Which parts of the data losses are measured on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Parts {
    /// Training and validation: the test examples are for the last step.
    WithoutTest,
    /// All three.
    All,
}

/// The quantities to measure, with their settings.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Request {
    /// Losses and accuracies.
    pub(crate) losses: Option<Parts>,
    /// So many of the largest eigenvalues.
    pub(crate) eigenvalues: Option<usize>,
    /// The smallest eigenvalue.
    pub(crate) smallest: bool,
    /// Tolerance of the eigenvalues.
    pub(crate) tolerance: f64,
    /// Most Lanczos steps.
    pub(crate) max_steps: usize,
    /// The trace.
    pub(crate) trace: bool,
    /// Standard error of the trace, relative to it.
    pub(crate) trace_error: f64,
    /// Most products of the trace.
    pub(crate) max_probes: usize,
    /// SAM sharpness with this radius.
    pub(crate) sharpness: Option<f64>,
    /// The spectral density, from so many start vectors.
    pub(crate) density: Option<usize>,
    /// Lanczos steps from each of them.
    pub(crate) density_steps: usize,
    /// The loss along a direction, or between two runs, at so many points.
    pub(crate) line: Option<usize>,
    /// The loss over a plane, at so many points along a side.
    pub(crate) surface: Option<usize>,
    /// The reach of line and surface, in multiples of the directions.
    pub(crate) range: f64,
    /// Seed of start vectors and directions.
    pub(crate) seed: u64,
    /// Training examples of the sample; otherwise as many as the run's.
    pub(crate) examples: Option<usize>,
    /// Device; otherwise the run's.
    pub(crate) device: Option<DeviceKind>,
    /// The folder of the results.
    #[serde(skip)]
    pub(crate) output: PathBuf,
}

impl Request {
    /// Returns the settings of eigenvalues.
    pub(crate) fn lanczos(&self) -> LanczosConfig {
        estimators::lanczos(self.seed, self.tolerance, self.max_steps)
    }

    /// Returns the settings of the trace.
    pub(crate) fn trace(&self) -> TraceConfig {
        estimators::trace(self.seed, self.trace_error, self.max_probes)
    }
}
