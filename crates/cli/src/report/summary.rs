//! summary.json: everything a finished run found out, in the schema `landscape-summary/1`.
//!
//! | key | meaning |
//! |---|---|
//! | `schema` | `"landscape-summary/1"`; a change that would break a reader gets another number |
//! | `name`, `status` | the training, and `"finished"` |
//! | `steps`, `parameters` | optimiser steps, and the number of trained parameters |
//! | `weights_crc32c` | CRC-32C of the final parameters and buffers in visit order, little-endian |
//! | `config` | every setting, under the names of workspace.toml |
//! | `seeds` | the seed of each purpose |
//! | `data` | how many examples each part of the data set has |
//! | `hessian` | `method` of the Hessian products, the `examples` they run over, and how many `unresolved_products` at the last step may be wrong, because a kink of the loss lies too close |
//! | `figures` | the figures of the table (below) |
//! | `versions` | of this program, of its library and of Burn |
//! | `last_scalars` | the last point of every scalar tag in the event file but `cost/*`: `{tag: {step, value}}` |
//! | `pictures` | PNG files beside this one |
//! | `times` | seconds; the only object that differs between two runs of one seed and build. Its `last_scalars` has the tags `cost/*` |
//!
//! `figures` has `training_loss`, `training_accuracy`, `validation_loss`, `validation_accuracy`, `test_loss`, `test_accuracy`,
//! `lambda_1 {value, residual, converged}`, `trace {value, standard_error}` and `sam_sharpness {value, rho}`.
//! Losses are means of the cross-entropy in nats over all examples of the part; curvature and sharpness are those of the mean
//! loss over the `hessian.examples`. A figure that could not be measured is NaN. A number that is not finite is written as `"NaN"`, `"inf"` or `"-inf"`.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::number::Number;
use crate::config::Plan;
use crate::engine::files::write_atomically;

/// The schema this program writes and reads.
pub(crate) const SCHEMA: &str = "landscape-summary/1";

/// The name of the file in a run's directory.
pub(crate) const FILE: &str = "summary.json";

/// The content of summary.json.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Summary {
    /// [`SCHEMA`].
    pub(crate) schema: String,
    /// Name of the training.
    pub(crate) name: String,
    /// `finished`.
    pub(crate) status: String,
    /// Optimiser steps.
    pub(crate) steps: usize,
    /// Trained parameters.
    pub(crate) parameters: usize,
    /// CRC-32C of the final parameters and buffers.
    pub(crate) weights_crc32c: u32,
    /// Every setting.
    pub(crate) config: Plan,
    /// The seed of each purpose.
    pub(crate) seeds: BTreeMap<String, u64>,
    /// Numbers of examples.
    pub(crate) data: DataSizes,
    /// How Hessian products are made.
    pub(crate) hessian: HessianNote,
    /// The figures of the table.
    pub(crate) figures: Figures,
    /// Versions.
    pub(crate) versions: Versions,
    /// The last point of every scalar tag but `cost/*`.
    pub(crate) last_scalars: BTreeMap<String, LastScalar>,
    /// PNG files beside this one.
    pub(crate) pictures: Vec<String>,
    /// What differs between two runs of one seed and build.
    pub(crate) times: Times,
}

/// Numbers of examples of each part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DataSizes {
    /// Training examples.
    pub(crate) training: usize,
    /// Validation examples.
    pub(crate) validation: usize,
    /// Test examples.
    pub(crate) test: usize,
}

/// How Hessian products are made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HessianNote {
    /// The method in words.
    pub(crate) method: String,
    /// Training examples of the loss whose Hessian it is.
    pub(crate) examples: usize,
    /// Products at the last step that may be wrong, because a kink of the loss lies too close.
    pub(crate) unresolved_products: u64,
}

/// The figures of the table.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// Mean loss over the training examples.
    pub(crate) training_loss: Number,
    /// Share of training examples classified right.
    pub(crate) training_accuracy: Number,
    /// Mean loss over the validation examples.
    pub(crate) validation_loss: Number,
    /// Share of validation examples classified right.
    pub(crate) validation_accuracy: Number,
    /// Mean loss over the test examples.
    pub(crate) test_loss: Number,
    /// Share of test examples classified right.
    pub(crate) test_accuracy: Number,
    /// Largest eigenvalue of the Hessian.
    pub(crate) lambda_1: Eigenvalue,
    /// Trace of the Hessian.
    pub(crate) trace: TraceFigure,
    /// L(w + rho g / |g|) - L(w).
    pub(crate) sam_sharpness: Sharpness,
}

/// An eigenvalue and how well it is known.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Eigenvalue {
    /// The Ritz value.
    pub(crate) value: Number,
    /// |Hv - lambda v|: an eigenvalue lies at most this far away.
    pub(crate) residual: Number,
    /// Whether the residual reached the tolerance.
    pub(crate) converged: bool,
}

/// A trace and how well it is known.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct TraceFigure {
    /// The mean of the estimates.
    pub(crate) value: Number,
    /// Standard error of the mean.
    pub(crate) standard_error: Number,
}

/// SAM sharpness and its radius.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sharpness {
    /// The rise of the loss.
    pub(crate) value: Number,
    /// The radius.
    pub(crate) rho: Number,
}

/// Versions of what computed the figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Versions {
    /// This program and the crates of its workspace.
    pub(crate) landscape: String,
    /// Burn.
    pub(crate) burn: String,
}

/// The last point of a scalar tag.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct LastScalar {
    /// Its step.
    pub(crate) step: u64,
    /// Its value; the event file has it rounded to f32.
    pub(crate) value: Number,
}

/// What the clock said.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Times {
    /// Seconds of the whole training, probes and final figures included, over all resumptions.
    pub(crate) seconds: f64,
    /// Seconds spent in probes while training and in the final figures.
    pub(crate) probe_seconds: f64,
    /// `probe_seconds / seconds`.
    pub(crate) probe_fraction: f64,
    /// The last point of every scalar tag `cost/*`.
    pub(crate) last_scalars: BTreeMap<String, LastScalar>,
}

impl Summary {
    /// Writes summary.json into a run's directory, whole or not at all.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub(crate) fn write(&self, directory: &Path) -> anyhow::Result<()> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        write_atomically(&directory.join(FILE), text.as_bytes())
    }

    /// Reads summary.json from a run's directory.
    ///
    /// # Errors
    ///
    /// When it is not there, damaged, or of another schema.
    pub(crate) fn read(directory: &Path) -> anyhow::Result<Self> {
        let path = directory.join(FILE);
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        let value: serde_json::Value = serde_json::from_str(&text)
            .with_context(|| format!("{} is not complete JSON", path.display()))?;
        let schema = value.get("schema").and_then(serde_json::Value::as_str);
        if schema != Some(SCHEMA) {
            anyhow::bail!(
                "{} has the schema {}, and this program reads \"{SCHEMA}\"",
                path.display(),
                schema.map_or_else(
                    || "of another program".to_owned(),
                    |name| format!("\"{name}\"")
                )
            );
        }
        serde_json::from_value(value)
            .with_context(|| format!("{} does not follow {SCHEMA}", path.display()))
    }
}
