//! The quantities at a point of a slice: the loss and the accuracy of each split.

use serde::Serialize;

use crate::config::slice_choice::Split;

/// The quantity that is measured on a split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Figure {
    /// The mean loss.
    Loss,
    /// The share of examples that are classified right.
    Accuracy,
}

impl Figure {
    /// Returns the name in tables and on axes.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::Accuracy => "accuracy",
        }
    }
}

/// A quantity on a split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Column {
    /// The split.
    pub(crate) split: Split,
    /// The quantity.
    pub(crate) figure: Figure,
}

impl Column {
    /// Returns the columns of some splits: the losses, then the accuracies where there are any.
    pub(crate) fn of(splits: &[Split], accuracy: bool) -> Vec<Self> {
        let figures = [Some(Figure::Loss), accuracy.then_some(Figure::Accuracy)];
        let figures = figures.into_iter().flatten();
        let column = |figure| splits.iter().map(move |&split| Self { split, figure });
        figures.flat_map(column).collect()
    }

    /// Returns the name in tables and legends: "training loss".
    pub(crate) fn name(self) -> String {
        format!("{} {}", self.split.name(), self.figure.name())
    }

    /// Returns the name in names of files and keys: "training-loss".
    pub(crate) fn key(self) -> String {
        format!("{}-{}", self.split.name(), self.figure.name())
    }
}
