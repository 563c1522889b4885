//! A case: a model, batches and a loss, and what is peculiar about them.

use std::collections::BTreeSet;
use std::fmt;

use super::node::{Net, Normalising};
use super::scene::{Data, Recipe};

/// The features of a case that may matter for its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Feature {
    Adapters,
    BatchNorm,
    BatchNormOnData,
    BatchStatistics,
    Buffers,
    Detached,
    Dropout,
    EqualIds,
    Frozen,
    FrozenCopy,
    InnerDerivative,
    Large,
    Outside,
    ReadsActivation,
    ReadsData,
    ReadsParameter,
    Ragged,
    Repeated,
    Several,
    Single,
    SinglePrecision,
    Streamed,
    Summed,
    SwallowedRead,
    TimeFirst,
    TimeFirstUncounted,
    Tokens,
    Torn,
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// Whether the case tells outputs and loss apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Together,
    Apart,
}

/// A case.
pub(super) struct Case {
    pub(super) seed: u64,
    /// On the autodiff device.
    pub(super) net: Net,
    pub(super) recipe: Recipe,
    pub(super) batches: Vec<Data>,
    pub(super) form: Form,
    pub(super) features: BTreeSet<Feature>,
    /// Rank of the outputs.
    pub(super) rank: usize,
}

impl Case {
    pub(super) fn has(&self, feature: Feature) -> bool {
        self.features.contains(&feature)
    }

    pub(super) fn normalising(&self) -> Normalising {
        if self.has(Feature::BatchStatistics) {
            Normalising::WrittenOut
        } else {
            Normalising::AsBurn
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sizes: Vec<String> = self
            .batches
            .iter()
            .map(|data| format!("{:?}", data.x.dims()))
            .collect();
        let features: Vec<String> = self.features.iter().map(Feature::to_string).collect();
        writeln!(
            f,
            "    {:?}, batches {}; {}",
            self.form,
            sizes.join(" "),
            features.join(", ")
        )?;
        write!(f, "{}", self.recipe)
    }
}
