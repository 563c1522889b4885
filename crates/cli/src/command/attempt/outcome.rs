//! The outcome of a training: its figures, where it has any, and its diagnosis.

use std::path::{Path, PathBuf};

use anyhow::Context;
use probes::diagnosis::Diagnosis;

use crate::failure::usage;
use crate::results::diagnosis::FILE;
use crate::results::summary::Summary;

/// A training that has come to an end.
pub(super) struct Tried {
    /// Its folder.
    pub(super) folder: PathBuf,
    /// The findings.
    pub(super) diagnosis: Diagnosis,
    /// The summary; none of a run that stopped because its loss was no finite number.
    pub(super) summary: Option<Summary>,
}

impl Tried {
    /// Reads what a training has left.
    ///
    /// # Errors
    /// A usage error when it has not come to an end; a failure when a file is damaged.
    pub(super) fn read(folder: &Path, finished: bool) -> anyhow::Result<Self> {
        let path = folder.join(FILE);
        if !path.is_file() {
            let shown = folder.display();
            return Err(usage(if finished {
                format!(
                    "{shown} has no diagnosis ({FILE}): it was trained without probes or by an earlier version; train it again"
                )
            } else {
                format!(
                    "{shown} is not finished and has no findings yet; --resume of its command goes on with it"
                )
            }));
        }
        let cannot = || format!("{} cannot be read", path.display());
        let text = std::fs::read_to_string(&path).with_context(cannot)?;
        let diagnosis = serde_json::from_str(&text).with_context(cannot)?;
        Ok(Self {
            folder: folder.to_owned(),
            diagnosis,
            summary: finished.then(|| Summary::read(folder)).transpose()?,
        })
    }

    /// Returns the validation loss after the last step, if it is a number.
    pub(super) fn validation_loss(&self) -> Option<f64> {
        let summary = self.summary.as_ref()?;
        let loss = summary.figures.validation_loss.0;
        loss.is_finite().then_some(loss)
    }

    /// Returns the validation accuracy after the last step.
    pub(super) fn validation_accuracy(&self) -> Option<f64> {
        let summary = self.summary.as_ref()?;
        let accuracy = summary.figures.validation_accuracy?.0;
        (accuracy.is_finite() && self.validation_loss().is_some()).then_some(accuracy)
    }
}
