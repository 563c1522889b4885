//! How much an analysis measures.

use std::fmt;
use std::str::FromStr;

use landscape::critical::CriticalConfig;
use landscape::sharpness::{
    AscentConfig, AverageConfig, Ball, RandomBallConfig, Scale, SharpnessConfig,
};
use landscape::slice::linspace;
use landscape::stability::Optimiser;
use landscape::{DensityConfig, Grid, LanczosConfig, TraceConfig};
use serde::{Deserialize, Serialize};

use crate::Error;

/// The depth of an analysis: what is measured, how exactly, and the seconds that it may take.
///
/// | | `Quick` | `Standard` | `Thorough` |
/// |---|---|---|---|
/// | time limit, seconds | 5 | 30 | 300 |
/// | largest eigenvalues, tolerance | 1, 1e-2 | 3, 1e-3 | 10, 1e-5 |
/// | probes of the trace, where it is not exact | 16 | 64 | 256 |
/// | density, starts and steps | 1, 20 | 2, 40 | 10, 80 |
/// | balls, directions of each, starts and gradients of ascent | 1, 10, none | 4, 30, 1 and 20 | 4, 100, 2 and 50 |
/// | averages, pairs of each | 1, 10 | 2, 25 | 2, 50 |
/// | line and plane, points | 21, 9 × 9 | 41, 21 × 21 | 101, 51 × 51 |
/// | verdict: coordinates up to which all eigenvalues are computed | 200 | 500 | 1,000 |
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Depth {
    /// Some seconds.
    Quick,
    /// Half a minute at most.
    #[default]
    Standard,
    /// Some minutes.
    Thorough,
}

impl Depth {
    /// Returns the name, in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Standard => "standard",
            Self::Thorough => "thorough",
        }
    }

    /// Returns the seconds that an analysis of this depth may take.
    #[must_use]
    pub const fn seconds(self) -> f64 {
        match self {
            Self::Quick => 5.0,
            Self::Standard => 30.0,
            Self::Thorough => 300.0,
        }
    }

    /// Returns this depth with another time limit, in seconds.
    #[must_use]
    pub fn with_seconds(self, seconds: f64) -> AnalyzeConfig {
        AnalyzeConfig::of(self).with_seconds(seconds)
    }

    /// Returns the settings of this depth, with one seed for all that is random.
    #[must_use]
    pub fn settings(self, seed: u64) -> Settings {
        let by_depth = |values: [usize; 3]| values[self as usize];
        let tolerance = [1e-2, 1e-3, 1e-5][self as usize];
        let critical = CriticalConfig::new().with_seed(seed);
        let sharpness = SharpnessConfig::new()
            .with_curvature(None)
            .with_random(RandomBallConfig::new().with_directions(by_depth([10, 30, 100])));
        let average = AverageConfig::new().with_pairs(by_depth([10, 25, 50]));
        let invariant = average.with_sigma(0.1).with_scale(Scale::INVARIANT);
        Settings {
            eigenvalues: by_depth([1, 3, 10]),
            lanczos: LanczosConfig::new()
                .with_seed(seed)
                .with_tolerance(tolerance)
                .with_max_steps(by_depth([40, 80, 150])),
            trace: TraceConfig::new()
                .with_seed(seed)
                .with_relative_error(0.0)
                .with_max_probes(by_depth([16, 64, 256])),
            density: DensityConfig::new()
                .with_seed(seed)
                .with_starts(by_depth([1, 2, 10]))
                .with_steps(by_depth([20, 40, 80])),
            sharpness: match self {
                Self::Quick => sharpness
                    .with_balls(vec![Ball::l2(0.05)])
                    .with_ascent(None)
                    .with_averages(vec![average]),
                Self::Standard => sharpness
                    .with_ascent(Some(
                        AscentConfig::new()
                            .with_random_starts(0)
                            .with_max_gradients(20),
                    ))
                    .with_averages(vec![average, invariant]),
                Self::Thorough => sharpness.with_averages(vec![average, invariant]),
            }
            .seeded(seed),
            critical: match self {
                Self::Quick => critical
                    .with_dense_limit(200)
                    .with_max_steps(40)
                    .with_tolerance(1e-3)
                    .with_starts(2)
                    .with_steps(20),
                Self::Standard => critical
                    .with_dense_limit(500)
                    .with_max_steps(60)
                    .with_tolerance(1e-4)
                    .with_starts(4)
                    .with_steps(40),
                Self::Thorough => critical,
            },
            line: linspace(-1.0..=1.0, by_depth([21, 41, 101])),
            plane: Grid::square(-1.0..=1.0, by_depth([9, 21, 51])),
            slice_seed: seed,
        }
    }
}

impl fmt::Display for Depth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Depth {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        [Self::Quick, Self::Standard, Self::Thorough]
            .into_iter()
            .find(|depth| depth.name() == text)
            .ok_or_else(|| Error::Slice {
                name: "the depth of the analysis",
                value: format!("{text:?}"),
                allowed: "quick, standard or thorough",
            })
    }
}

/// The settings of each part of an analysis: those of the functions of `landscape` that it calls.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Number of largest eigenvalues.
    pub eigenvalues: usize,
    /// Lanczos runs for the eigenvalues at both ends.
    pub lanczos: LanczosConfig,
    /// Probes for what is not exact of the trace.
    pub trace: TraceConfig,
    /// The spectral density.
    pub density: DensityConfig,
    /// The sharpness suite.
    pub sharpness: SharpnessConfig,
    /// The verdict on the point.
    pub critical: CriticalConfig,
    /// Multiples of the direction of the line.
    pub line: Vec<f64>,
    /// Multiples of the directions of the plane.
    pub plane: Grid,
    /// Seed of the directions of line and plane, as of [`landscape::random_directions`]; the line
    /// follows the first.
    pub slice_seed: u64,
}

/// The settings of [`analyze`](super::analyze). A [`Depth`] is turned into one.
#[derive(Debug, Clone, PartialEq)]
pub struct AnalyzeConfig {
    /// The depth.
    pub depth: Depth,
    /// Seconds that it may take; none for no limit, in which case nothing depends on a clock.
    pub seconds: Option<f64>,
    /// Examples to measure on; none for as many as there is time for.
    pub examples: Option<usize>,
    /// The step that the records get.
    pub step: u64,
    /// The optimiser and its learning rate, for the stability ratio.
    pub optimiser: Option<(Optimiser, f64)>,
    /// Settings of the parts.
    pub settings: Settings,
}

impl From<Depth> for AnalyzeConfig {
    fn from(depth: Depth) -> Self {
        Self::of(depth)
    }
}

impl AnalyzeConfig {
    /// Returns the settings of `depth`, with its time limit and seed 0.
    #[must_use]
    pub fn of(depth: Depth) -> Self {
        Self {
            depth,
            seconds: Some(depth.seconds()),
            examples: None,
            step: 0,
            optimiser: None,
            settings: depth.settings(0),
        }
    }

    /// Sets the time limit, in seconds. A part that does not fit is made smaller or left out.
    #[must_use]
    pub fn with_seconds(self, seconds: f64) -> Self {
        Self {
            seconds: Some(seconds),
            ..self
        }
    }

    /// Takes the time that it takes: everything over all examples, whatever the clock says.
    #[must_use]
    pub fn without_limit(self) -> Self {
        Self {
            seconds: None,
            ..self
        }
    }

    /// Sets the number of examples to measure on: the first ones of every batch, of each the same
    /// part.
    #[must_use]
    pub fn with_examples(self, examples: usize) -> Self {
        Self {
            examples: Some(examples),
            ..self
        }
    }

    /// Sets the step that the records get.
    #[must_use]
    pub fn with_step(self, step: u64) -> Self {
        Self { step, ..self }
    }

    /// Adds the stability ratio of `optimiser` at `learning_rate`.
    #[must_use]
    pub fn with_optimiser(self, optimiser: Optimiser, learning_rate: f64) -> Self {
        Self {
            optimiser: Some((optimiser, learning_rate)),
            ..self
        }
    }

    /// Sets the seed of all that is random, and the parts to what the depth says.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        let settings = self.depth.settings(seed);
        Self { settings, ..self }
    }

    /// Sets the settings of the parts.
    #[must_use]
    pub fn with_settings(self, settings: Settings) -> Self {
        Self { settings, ..self }
    }

    /// Checks the settings that are not those of a function of `landscape`.
    ///
    /// # Errors
    /// A time limit that is not positive, no examples.
    pub(super) fn check(&self) -> Result<(), Error> {
        if let Some(seconds) = self.seconds
            && (seconds.is_nan() || seconds <= 0.0)
        {
            return Err(Error::Setting {
                name: "the time limit of the analysis",
                value: seconds,
                allowed: "it must be a positive number of seconds",
            });
        }
        if self.examples == Some(0) {
            return Err(Error::Setting {
                name: "the number of examples to measure on",
                value: 0.0,
                allowed: "it must be at least 1",
            });
        }
        Ok(())
    }
}
