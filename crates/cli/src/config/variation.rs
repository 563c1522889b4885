//! Networks, initial weights and data that differ from the plain ones: those that make trainings
//! fail, and those that mend them.

use serde::{Deserialize, Serialize};

use super::bounded::{Bounded, Count, Finite, Portion, Positive};
use super::choice::Initialisation;
use super::limits;
use super::settings::Settings;

/// The keys, which are those of a bundled network.
pub(crate) const KEYS: [&str; 8] = [
    "initialisation",
    "init_scale",
    "init_bias",
    "rescale",
    "depth",
    "norm_momentum",
    "random_labels",
    "examples",
];

/// The differences of the network, its initial weights and its data from the plain ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Variation {
    /// Distribution of the initial weights.
    pub(crate) initialisation: Initialisation,
    /// Factor of the initial weights.
    pub(crate) init_scale: Bounded<Positive>,
    /// Initial value of the biases, if it is another than the initialisation says.
    pub(crate) init_bias: Option<Bounded<Finite>>,
    /// Factor of the first layer, by which the second is divided.
    pub(crate) rescale: Option<Bounded<Positive>>,
    /// Further convolutions.
    pub(crate) depth: Option<Count<{ limits::CONVOLUTIONS }>>,
    /// Share of a batch in the running statistics.
    pub(crate) norm_momentum: Bounded<Portion>,
    /// The differences of the data.
    #[serde(flatten)]
    pub(crate) alteration: Alteration,
}

/// The differences of the training data from those of the data set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Alteration {
    /// Share of the training examples whose labels are dealt out anew.
    pub(crate) random_labels: Bounded<Portion>,
    /// Training examples, at most.
    pub(crate) examples: Option<Count>,
}

impl Variation {
    /// Decides what is left open.
    pub(super) fn decide(settings: &Settings) -> Self {
        let plain = Self::default();
        let labels = settings.random_labels;
        Self {
            initialisation: settings.initialisation.unwrap_or_default(),
            init_scale: settings.init_scale.unwrap_or(plain.init_scale),
            init_bias: settings.init_bias,
            rescale: settings.rescale,
            depth: settings.depth,
            norm_momentum: settings.norm_momentum.unwrap_or(plain.norm_momentum),
            alteration: Alteration {
                random_labels: labels.unwrap_or(plain.alteration.random_labels),
                examples: settings.examples,
            },
        }
    }
}

impl Default for Variation {
    fn default() -> Self {
        Self {
            initialisation: Initialisation::Uniform,
            init_scale: Bounded::new(1.0).expect("1 is greater than 0"),
            init_bias: None,
            rescale: None,
            depth: None,
            norm_momentum: Bounded::new(0.1).expect("0.1 lies between 0 and 1"),
            alteration: Alteration::default(),
        }
    }
}

impl Default for Alteration {
    fn default() -> Self {
        Self {
            random_labels: Bounded::new(0.0).expect("0 is a share"),
            examples: None,
        }
    }
}
