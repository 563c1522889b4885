//! summary.json: everything a finished run found out, in the schema `landscape-summary/2`.
//!
//! | key | meaning |
//! |---|---|
//! | `schema` | `"landscape-summary/2"`; a change that would break a reader gets another number |
//! | `name`, `status` | the training, and `"finished"`, or `"diverged"` if the loss after the last update is no finite number |
//! | `steps`, `parameters` | optimiser steps, and the number of trained parameters |
//! | `weights_crc32c` | CRC-32C of the final parameters and buffers in visit order, little-endian |
//! | `config` | every setting, under the names of workspace.toml |
//! | `seeds` | the seed of each purpose |
//! | `data` | how many examples each part of the data set has, and `crc32c` of the images and labels of each |
//! | `hessian` | `method` of the Hessian products, the `examples` they run over, and how many `unresolved_products` at the last step may be wrong, because a kink of the loss lies too close |
//! | `figures` | the figures of the table (below) |
//! | `findings` | the findings of the diagnosis, the most severe first: `symptom`, `severity`, `confidence`, `evidence`, `meaning`, `remedies`; diagnosis.json has what was not looked at too |
//! | `versions` | of this program, of its library and of Burn |
//! | `last_scalars` | the last point of every scalar tag in the event file but `cost/*`: `{tag: {step, value}}` |
//! | `pictures`, `numbers` | PNG files beside this one, and files with the numbers that they show |
//! | `times` | seconds; the only object that differs between two runs of one seed and build. Its `last_scalars` has the tags `cost/*` |
//! | `crc32c` | CRC-32C of all the rest but `times`, which has its own, as compact JSON: a file that was changed is noticed |
//!
//! `figures` has `training_loss`, `training_accuracy`, `validation_loss`, `validation_accuracy`,
//! `test_loss`, `test_accuracy`, `lambda_1 {value, residual, converged}`,
//! `trace {value, standard_error}` and `sam_sharpness {value, rho}`. Losses are means of the
//! cross-entropy in nats over all examples of the part; curvature and sharpness are those of the
//! mean loss over the `hessian.examples`. A figure that could not be measured is NaN; a run without
//! probes (`--no-probes`) has no `lambda_1`, `trace` and `sam_sharpness`, and its `hessian.method`
//! is "not measured". A number that is not finite is written as `"NaN"`, `"inf"` or `"-inf"`.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use probes::diagnosis::Finding;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::Plan;
use crate::report::number::Number;

/// The schema this program writes and reads.
pub(crate) const SCHEMA: &str = "landscape-summary/2";

/// The status of a run whose loss stayed finite.
pub(crate) const FINISHED: &str = "finished";

/// The status of a run whose loss after the last update is no finite number.
pub(crate) const DIVERGED: &str = "diverged";

/// The entry for a figure that was not asked for.
pub(crate) const NOT_MEASURED: &str = "not measured";

/// The key of a checksum.
const CHECKSUM: &str = "crc32c";

/// The key of what differs between two runs of one seed.
const TIMES: &str = "times";

/// The name of the file in a run's directory.
pub(crate) const FILE: &str = "summary.json";

/// The content of summary.json.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Summary {
    /// [`SCHEMA`].
    pub(crate) schema: String,
    /// Name of the training.
    pub(crate) name: String,
    /// [`FINISHED`] or [`DIVERGED`].
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
    /// The method of Hessian products.
    pub(crate) hessian: HessianNote,
    /// The figures of the table.
    pub(crate) figures: Figures,
    /// The findings of the diagnosis.
    #[serde(default)]
    pub(crate) findings: Vec<Finding>,
    /// Versions.
    pub(crate) versions: Versions,
    /// The last point of every scalar tag but `cost/*`.
    pub(crate) last_scalars: BTreeMap<String, LastScalar>,
    /// PNG files beside this one.
    pub(crate) pictures: Vec<String>,
    /// Files with the numbers behind them.
    pub(crate) numbers: Vec<String>,
    /// The part that differs between two runs of one seed and build.
    pub(crate) times: Times,
    /// Checksum of all but the times; filled in by [`to_bytes`](Self::to_bytes).
    #[serde(default)]
    pub(crate) crc32c: u32,
}

/// Numbers of examples of each part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DataSizes {
    /// Training examples.
    pub(crate) training: usize,
    /// Validation examples.
    pub(crate) validation: usize,
    /// Test examples.
    pub(crate) test: usize,
    /// Checksums of each part.
    pub(crate) crc32c: DataChecksums,
}

/// CRC-32C of the images and labels of each part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DataChecksums {
    /// Training examples.
    pub(crate) training: u32,
    /// Validation examples.
    pub(crate) validation: u32,
    /// Test examples.
    pub(crate) test: u32,
}

/// The method of Hessian products.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HessianNote {
    /// The method in words.
    pub(crate) method: String,
    /// Training examples of the loss whose Hessian it is.
    pub(crate) examples: usize,
    /// Products at the last step that may be wrong, because a kink of the loss lies too close.
    pub(crate) unresolved_products: u64,
}

impl HessianNote {
    /// Returns the note of a run without probes, which has looked at no Hessian.
    pub(crate) fn none(examples: usize) -> Self {
        Self {
            method: NOT_MEASURED.to_owned(),
            examples,
            unresolved_products: 0,
        }
    }
}

/// The figures of the table.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// Mean loss over the training examples.
    pub(crate) training_loss: Number,
    /// Share of training examples classified right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) training_accuracy: Option<Number>,
    /// Mean loss over the validation examples.
    pub(crate) validation_loss: Number,
    /// Share of validation examples classified right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) validation_accuracy: Option<Number>,
    /// Mean loss over the test examples.
    pub(crate) test_loss: Number,
    /// Share of test examples classified right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) test_accuracy: Option<Number>,
    /// Largest eigenvalue of the Hessian; none without probes, as the two below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) lambda_1: Option<Eigenvalue>,
    /// Trace of the Hessian.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) trace: Option<TraceFigure>,
    /// L(w + rho g / |g|) - L(w).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sam_sharpness: Option<Sharpness>,
}

/// An eigenvalue and how well it is known.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Eigenvalue {
    /// The Ritz value.
    pub(crate) value: Number,
    /// |Hv - lambda v|: an eigenvalue lies at most this far away.
    pub(crate) residual: Number,
    /// Whether the residual reached the tolerance.
    pub(crate) converged: bool,
}

/// A trace and how well it is known.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct TraceFigure {
    /// The mean of the estimates.
    pub(crate) value: Number,
    /// Standard error of the mean.
    pub(crate) standard_error: Number,
}

/// SAM sharpness and its radius.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sharpness {
    /// The rise of the loss.
    pub(crate) value: Number,
    /// The radius.
    pub(crate) rho: Number,
}

/// Versions of what computed the figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Versions {
    /// This program and the crates of its workspace.
    pub(crate) landscape: String,
    /// Burn.
    pub(crate) burn: String,
}

/// The last point of a scalar tag.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct LastScalar {
    /// Its step.
    pub(crate) step: u64,
    /// Its value; the event file has it rounded to f32.
    pub(crate) value: Number,
}

/// Times by the clock.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Times {
    /// Seconds of the whole training, probes and final figures included, over all resumptions.
    pub(crate) seconds: f64,
    /// Seconds spent in probes while training and in the final figures.
    pub(crate) probe_seconds: f64,
    /// The share of probes in the whole time, as in `cost/probe_fraction` and in a budget:
    /// `probe_seconds / seconds`.
    pub(crate) probe_fraction: f64,
    /// The last point of every scalar tag `cost/*`.
    pub(crate) last_scalars: BTreeMap<String, LastScalar>,
    /// Checksum of the times; filled in by [`Summary::to_bytes`].
    #[serde(default)]
    pub(crate) crc32c: u32,
}

impl Summary {
    /// Returns the content of summary.json.
    ///
    /// # Errors
    /// When it cannot be encoded.
    pub(crate) fn to_bytes(&self) -> anyhow::Result<Vec<u8>> {
        let mut sealed = self.clone();
        (sealed.crc32c, sealed.times.crc32c) = checksums_of(&serde_json::to_value(self)?);
        let mut text = serde_json::to_string_pretty(&sealed)?;
        text.push('\n');
        Ok(text.into_bytes())
    }

    /// Reads summary.json from a run's directory.
    ///
    /// # Errors
    /// When it is not there, damaged, or of another schema.
    pub(crate) fn read(directory: &Path) -> anyhow::Result<Self> {
        let path = directory.join(FILE);
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        let value: Value = serde_json::from_str(&text)
            .with_context(|| format!("{} is not complete JSON", path.display()))?;
        let schema = value.get("schema").and_then(Value::as_str);
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
        let (all, times) = checksums_of(&value);
        if value.get(CHECKSUM) != Some(&all.into())
            || value.get(TIMES).and_then(|times| times.get(CHECKSUM)) != Some(&times.into())
        {
            anyhow::bail!(
                "{} was changed since it was written: it does not have its checksum",
                path.display()
            );
        }
        serde_json::from_value(value)
            .with_context(|| format!("{} does not follow {SCHEMA}", path.display()))
    }
}

/// Returns CRC-32C of a summary without its times, and of its times, as compact JSON; the checksums
/// themselves are left out.
fn checksums_of(document: &Value) -> (u32, u32) {
    let mut document = document.clone();
    let mut taken = |key: &str| document.as_object_mut().and_then(|all| all.remove(key));
    let mut times = taken(TIMES).unwrap_or_default();
    taken(CHECKSUM);
    if let Some(times) = times.as_object_mut() {
        times.remove(CHECKSUM);
    }
    let of = |value: &Value| crc32c::crc32c(value.to_string().as_bytes());
    (of(&document), of(&times))
}
