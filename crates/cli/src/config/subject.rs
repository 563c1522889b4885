//! The subject of a training: a bundled network on a bundled or downloaded data set, or the one
//! workload of the program.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::bounded::{Bounded, Count, Share};
use super::choice::{Activation, Model, Source, name};
use super::limits;
use super::variation::Variation;
use super::widths::Widths;

/// A data set as workspace.toml describes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table with `source`")]
pub(crate) struct DatasetPlan {
    /// The source of the examples.
    pub(crate) source: Source,
    /// The folder of `mnist-folder`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<PathBuf>,
    /// Classes of `mnist-folder`, if they are not ten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) classes: Option<Count<{ limits::CLASSES }>>,
    /// Share of the training examples kept for validation.
    #[serde(default = "default_share")]
    pub(crate) validation: Bounded<Share>,
    /// Seed of the split into training and validation.
    #[serde(default)]
    pub(crate) split_seed: u32,
}

fn default_share() -> Bounded<Share> {
    Bounded::new(0.2).expect("0.2 is a share")
}

/// A bundled network and the images that it classifies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct NetworkPlan {
    /// Name of the data set.
    pub(crate) dataset: String,
    /// The data set.
    pub(crate) data: DatasetPlan,
    /// Network.
    pub(crate) model: Model,
    /// Widths of the hidden layers.
    pub(crate) hidden: Widths,
    /// Activation.
    pub(crate) activation: Activation,
    /// The differences of network, initial weights and data from the plain ones.
    #[serde(flatten)]
    pub(crate) variation: Variation,
}

impl NetworkPlan {
    /// Returns whether the network is made of fully connected layers of the widths `hidden`.
    pub(crate) const fn is_dense(&self) -> bool {
        self.model.is_dense()
    }
}

/// The network and its data, or the program's workload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Subject {
    /// A bundled network on images.
    Network(NetworkPlan),
    /// The workload of the program.
    Own {
        /// Its name.
        workload: String,
    },
}

impl Subject {
    /// Returns the bundled network, if it is one.
    pub(crate) const fn network(&self) -> Option<&NetworkPlan> {
        match self {
            Self::Network(network) => Some(network),
            Self::Own { .. } => None,
        }
    }

    /// Returns the name of the data.
    pub(crate) fn data_name(&self) -> &str {
        match self {
            Self::Network(network) => &network.dataset,
            Self::Own { workload } => workload,
        }
    }

    /// Returns the seed of the split into training and validation, and of the sample for curvature.
    pub(crate) fn split_seed(&self) -> u32 {
        self.network().map_or(0, |network| network.data.split_seed)
    }

    /// Returns the network and the widths of its layers, in words.
    pub(crate) fn network_in_words(&self) -> String {
        match self {
            Self::Network(network) => format!("{} {}", name(network.model), network.hidden),
            Self::Own { workload } => workload.clone(),
        }
    }

    /// Returns what is trained on what, in a few words.
    pub(crate) fn in_words(&self) -> String {
        match self {
            Self::Network(network) => format!("{} on {}", name(network.model), network.dataset),
            Self::Own { workload } => workload.clone(),
        }
    }
}
