//! The result of an analysis.

use std::fmt;

use burn::tensor::DType;
use landscape::critical::CriticalPoint;
use landscape::curvature::ExactTrace;
use landscape::sharpness::SharpnessReport;
use landscape::spectrum::{Density, EigenPair, Trace};
use landscape::stability::Optimiser;
use landscape::{Line, Surface};

use super::AnalyzeConfig;
use crate::diagnosis::Diagnosis;
use crate::workload::Products;

/// Everything that [`analyze`](super::analyze) found out about a model.
///
/// Its [`Display`](fmt::Display) is a summary of ten lines of at most 80 columns. A part that was
/// not measured is none, and [`omitted`](Self::omitted) says why.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Analysis {
    /// The settings, with those that the time allowed in place of those that were asked for.
    pub config: AnalyzeConfig,
    /// Number of trainable parameters P.
    pub parameters: usize,
    /// Float type of the parameters.
    pub dtype: DType,
    /// Euclidean norm of the parameters.
    pub parameter_norm: f64,
    /// Examples that were measured.
    pub examples: usize,
    /// Examples that were given: more, where the time limit allowed a sample only.
    pub examples_given: usize,
    /// The mean loss; NaN or infinite where it is, and then nothing else is measured.
    pub loss: f64,
    /// The gradient.
    pub gradient: Option<Gradient>,
    /// The largest eigenvalues of the Hessian with their vectors, descending.
    pub largest: Vec<EigenPair>,
    /// The smallest eigenvalue with its vector.
    pub smallest: Option<EigenPair>,
    /// The way in which Hessian products were made.
    pub products: Option<Products>,
    /// The trace, exact where it can be.
    pub exact_trace: Option<ExactTrace>,
    /// The trace by Hutchinson's estimate, where the outputs are not known.
    pub estimated_trace: Option<Trace>,
    /// The verdict on the point, with its index and the way down.
    pub critical: Option<CriticalPoint>,
    /// The stability of the optimiser that was told.
    pub stability: Option<StabilityRatio>,
    /// The loss along the first random direction.
    pub line: Option<Line>,
    /// The loss on the plane of two random directions.
    pub surface: Option<Surface>,
    /// The sharpness suite.
    pub sharpness: Option<SharpnessReport>,
    /// The spectral density.
    pub density: Option<Density>,
    /// What the numbers say is wrong, and what to try.
    pub diagnosis: Option<Diagnosis>,
    /// The parts that were not measured, or measured with less effort.
    pub omitted: Vec<Omission>,
    /// Whether the caller stopped it.
    pub interrupted: bool,
    /// Seconds of each part, in the order in which they were made.
    pub times: Vec<(Part, f64)>,
    /// Seconds in all.
    pub seconds: f64,
}

/// The gradient of the mean loss.
#[derive(Debug, Clone, PartialEq)]
pub struct Gradient {
    /// Its Euclidean norm.
    pub norm: f64,
    /// Path and norm for each layer, as of [`GradientNorm`](crate::instrument::GradientNorm):
    /// their squares add up to that of the whole.
    pub layers: Vec<(String, f64)>,
}

/// The largest eigenvalue beside the optimiser's threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StabilityRatio {
    /// The optimiser.
    pub optimiser: Optimiser,
    /// Its learning rate.
    pub learning_rate: f64,
    /// The curvature above which its steps grow.
    pub threshold: f64,
    /// `λ₁` over the threshold.
    pub ratio: f64,
}

/// The parts of an analysis, in the order in which they are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Part {
    /// Loss and gradient.
    Gradient,
    /// Eigenvalues at both ends.
    Eigenvalues,
    /// The trace.
    Trace,
    /// The verdict on the point.
    CriticalPoint,
    /// The loss along a line.
    Line,
    /// The loss on a plane.
    Plane,
    /// The sharpness suite.
    Sharpness,
    /// The spectral density.
    Density,
    /// The stability of the optimiser.
    Stability,
}

impl Part {
    /// All parts, in the order in which they are made.
    pub(super) const ALL: [Self; 9] = [
        Self::Gradient,
        Self::Eigenvalues,
        Self::Stability,
        Self::Trace,
        Self::CriticalPoint,
        Self::Line,
        Self::Plane,
        Self::Sharpness,
        Self::Density,
    ];

    /// Returns the name for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gradient => "gradient",
            Self::Eigenvalues => "eigenvalues",
            Self::Trace => "trace",
            Self::CriticalPoint => "verdict",
            Self::Line => "line",
            Self::Plane => "plane",
            Self::Sharpness => "sharpness",
            Self::Density => "density",
            Self::Stability => "stability",
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A part that was not measured as it was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Omission {
    /// The part.
    pub part: Part,
    /// The reason.
    pub why: Why,
}

/// The reason of an [`Omission`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Why {
    /// It would have taken longer than there was time for.
    NoTime,
    /// It was made with the settings of [`Depth::Quick`](super::Depth::Quick) for want of time.
    Smaller,
    /// It was measured in another way than asked for, or not at all, for this reason.
    Because(String),
    /// The caller stopped.
    Stopped,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTime => f.pad("there was no time for it"),
            Self::Smaller => f.pad("for want of time it was made with the settings of quick"),
            Self::Because(why) => f.pad(why),
            Self::Stopped => f.pad("it was stopped"),
        }
    }
}

impl Analysis {
    /// Returns an analysis in which nothing has been measured.
    pub(super) const fn empty(config: AnalyzeConfig) -> Self {
        Self {
            config,
            parameters: 0,
            dtype: DType::F32,
            parameter_norm: 0.0,
            examples: 0,
            examples_given: 0,
            loss: f64::NAN,
            gradient: None,
            largest: Vec::new(),
            smallest: None,
            products: None,
            exact_trace: None,
            estimated_trace: None,
            critical: None,
            stability: None,
            line: None,
            surface: None,
            sharpness: None,
            density: None,
            diagnosis: None,
            omitted: Vec::new(),
            interrupted: false,
            times: Vec::new(),
            seconds: 0.0,
        }
    }

    /// Returns the trace of the Hessian and its standard error, zero where it is exact.
    #[must_use]
    pub fn trace(&self) -> Option<(f64, f64)> {
        let exact = self.exact_trace.as_ref();
        let estimated = self.estimated_trace.as_ref().map(|trace| {
            let estimate = &trace.estimate;
            (estimate.mean, estimate.standard_error)
        });
        exact
            .map(|trace| (trace.value, trace.exactness.standard_error()))
            .or(estimated)
    }

    /// Returns why `part` was not measured as it was asked for, if so.
    #[must_use]
    pub fn omission(&self, part: Part) -> Option<&Why> {
        let omission = self.omitted.iter().find(|omission| omission.part == part);
        omission.map(|omission| &omission.why)
    }
}
