//! The settings of a slice, every one decided.

use serde::Serialize;

use crate::config::reach::Reach;
use crate::config::slice_choice::{Directions, Normalisation, Split, Statistics, Vectors};

/// The place of a slice: through one model, or between several.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub(crate) enum Place {
    /// Along directions from one model.
    Along {
        /// The directions.
        directions: Directions,
        /// Their scale.
        normalisation: Normalisation,
        /// Biases, and scales and shifts of norm layers.
        vectors: Vectors,
        /// Whether the second is made orthogonal to the first.
        orthogonal: bool,
        /// The radius of SAM's ascent.
        rho: f64,
        /// Seed of random directions and of start vectors.
        seed: u64,
    },
    /// Through as many models as it has directions, and one.
    Through {
        /// The running statistics of BatchNorm.
        statistics: Statistics,
    },
}

/// The settings of a slice along D directions.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct SliceSettings {
    /// The place.
    pub(crate) place: Place,
    /// The parts of the data.
    pub(crate) splits: Vec<Split>,
    /// Whether accuracies are measured where the workload has them.
    pub(crate) accuracy: bool,
    /// The coordinates, in multiples of the directions; none where they are adapted.
    pub(crate) reach: Option<Reach>,
    /// The factor by which the loss has risen where the adapted coordinates end.
    pub(crate) adapt: Option<f64>,
    /// The points along each side.
    pub(crate) points: Vec<usize>,
    /// The error of the picture that is refined for, as a share of the range of its values.
    pub(crate) refine: Option<f64>,
}
