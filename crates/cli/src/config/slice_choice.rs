//! The closed lists of the commands that look at landscapes: splits, directions, normalisations,
//! formats, paths.

use clap::ValueEnum;
use serde::Serialize;

use crate::workload::Part;

/// A part of the data on which losses and accuracies are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Split {
    /// The sample of the training examples
    Training,
    /// All validation examples
    Validation,
    /// All test examples
    Test,
}

impl Split {
    /// Returns the part of the data.
    pub(crate) const fn part(self) -> Part {
        match self {
            Self::Training => Part::Training,
            Self::Validation => Part::Validation,
            Self::Test => Part::Test,
        }
    }

    /// Returns the name in tables, documents and files.
    pub(crate) const fn name(self) -> &'static str {
        self.part().name()
    }
}

/// The directions of a slice through one model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Directions {
    /// Independent N(0,1) entries
    Random,
    /// Eigenvectors of the Hessian of the largest eigenvalues
    Eigenvectors,
    /// The gradient; on a plane beside a random direction
    Gradient,
    /// SAM's ascent, rho g / |g|; on a plane beside a random direction
    Ascent,
}

/// The scale of a direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Normalisation {
    /// Each filter gets the norm of the weights' filter
    Filter,
    /// Each tensor gets the norm of the weights' tensor
    Layer,
    /// The whole direction gets norm 1
    Global,
    /// As it comes
    None,
}

/// The part of biases and of scales and shifts in a normalised direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Vectors {
    /// They do not move
    Ignore,
    /// Their direction is the weight itself
    Copy,
}

/// The running statistics of BatchNorm between models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Statistics {
    /// Computed anew at each point from the training data
    Recompute,
    /// Interpolated as the weights are
    Interpolate,
    /// Those of the first model
    Keep,
}

/// The form of a file of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Export {
    /// A line for each point
    Csv,
    /// One document
    Json,
    /// NumPy arrays
    Npy,
    /// For ParaView
    Vtk,
}

/// The colours of pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Theme {
    /// Dark on white
    Light,
    /// Light on black
    Dark,
}

/// A path between two models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PathKind {
    /// The straight line
    Line,
    /// A quadratic Bezier curve, trained
    Bezier,
    /// A polygonal chain, trained
    Chain,
}

impl PathKind {
    /// Returns the name in tables, documents and files.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::Bezier => "bezier",
            Self::Chain => "chain",
        }
    }
}
