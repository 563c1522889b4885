//! A checkpoint: everything a training needs to go on as if it had never stopped.
//!
//! `checkpoints/step-00000450/` holds
//!
//! - `model.bpk`: parameters with their ids, and buffers (Burn's module record);
//! - `optimiser.bpk`: the optimiser's state, keyed by the same ids (Burn's optimiser record);
//! - `method.bpk`: what a sharpness-aware method remembers from step to step, keyed by them too,
//!   where there is a method;
//! - `manifest.json`: the format's version, the [`State`], and the length and CRC-32C of the other
//!   files and of the state.
//!
//! The manifest is written last: a folder with one is complete. How folders come and go is
//! [`checkpoints`](super::checkpoints)'.
//!
//! Three things are not stored, because they follow from what is: the order of the data (seed
//! and epoch), the learning rate (step), and the moments of the probes (step). Random numbers of
//! the device (dropout) are seeded anew from the seed and the step before every step, because the
//! device's stream cannot be read back.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};
use burn::module::Module;
use burn::optim::ModuleOptimizer;
use burn::store::ModuleRecord;
use burn::tensor::Bytes;
use probes::diagnosis::Facts;
use serde::{Deserialize, Serialize};

use super::files;
use super::step::Stepper;
use crate::config::Plan;
use crate::config::choice::Method;
use crate::report::number::Number;
use crate::results::diagnosis;
use crate::results::summary::{self, DataChecksums, LastScalar};

/// The format this program writes and reads.
const FORMAT: &str = "landscape-checkpoint/2";

/// The prefix of the formats of all versions.
const FORMATS: &str = "landscape-checkpoint/";

/// All files that a checkpoint may have.
pub(crate) const FILES: [&str; 4] = [MODEL, OPTIMISER, METHOD, MANIFEST];

const MANIFEST: &str = "manifest.json";
const MODEL: &str = "model.bpk";
const OPTIMISER: &str = "optimiser.bpk";
const METHOD: &str = "method.bpk";

/// The contents of a checkpoint beside tensors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    /// Every setting, seeds included.
    pub(crate) plan: Plan,
    /// Steps done.
    pub(crate) step: usize,
    /// Epoch of the next step, from 0.
    pub(crate) epoch: usize,
    /// Batches of that epoch already taken.
    pub(crate) position: usize,
    /// The last point of every scalar tag.
    pub(crate) last_scalars: BTreeMap<String, LastScalar>,
    /// Checksums of the images that were trained on and measured.
    pub(crate) data: DataChecksums,
    /// The PNG files written so far.
    pub(crate) pictures: BTreeSet<String>,
    /// The files with the numbers of pictures written so far.
    pub(crate) numbers: BTreeSet<String>,
    /// The event files, and how many bytes of each are before this moment.
    pub(crate) events: BTreeMap<String, u64>,
    /// Seconds trained so far.
    pub(crate) seconds: f64,
    /// Seconds of them spent in probes.
    pub(crate) probe_seconds: f64,
    /// The facts on which the diagnosis rests.
    #[serde(default)]
    pub(crate) facts: Facts,
    /// The mean loss over the validation examples, where checkpoints are kept by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) validation_loss: Option<Number>,
}

impl State {
    /// Returns the files of the run that this moment knows of, beside checkpoints.
    pub(crate) fn files(&self) -> impl Iterator<Item = String> {
        let written = self
            .pictures
            .iter()
            .chain(&self.numbers)
            .chain(self.events.keys());
        let mut written: Vec<String> = written.cloned().collect();
        // Each picture is there as SVG too.
        let stems = self
            .pictures
            .iter()
            .filter_map(|name| name.strip_suffix(".png"));
        written.extend(stems.map(|stem| format!("{stem}.svg")));
        let written = written.into_iter();
        let results = [summary::FILE, diagnosis::FILE, diagnosis::FACTS];
        written.chain(results.map(str::to_owned))
    }
}

#[derive(Serialize, Deserialize)]
struct Manifest {
    format: String,
    state_crc32c: u32,
    state: serde_json::Value,
    files: BTreeMap<String, Stored>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    length: usize,
    crc32c: u32,
}

/// A checkpoint that was read and found whole.
pub(crate) struct Checkpoint {
    /// Its contents beside tensors.
    pub(crate) state: State,
    model: Vec<u8>,
    optimiser: Vec<u8>,
    /// None without a method that remembers something.
    method: Option<Vec<u8>>,
}

/// Returns the parameters with their ids and the buffers as bytes.
///
/// Through `valid()`, which takes in the statistics of the last batch; a plain visit would read
/// them one update old.
///
/// # Errors
/// When Burn cannot encode the record.
pub(crate) fn model_bytes<M: Module>(model: &M) -> anyhow::Result<Bytes> {
    let record = model.valid().into_record();
    record.into_bytes().context("the weights cannot be encoded")
}

/// Writes a checkpoint into an empty folder, the manifest last.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn write<M: Module>(
    folder: &Path,
    model: &M,
    optimiser: &ModuleOptimizer,
    stepper: &Stepper,
    state: &State,
) -> anyhow::Result<()> {
    let optimiser = optimiser
        .into_bytes()
        .context("the optimiser's state cannot be encoded")?;
    let mut stored = BTreeMap::new();
    let mut parts = vec![(MODEL, model_bytes(model)?), (OPTIMISER, optimiser)];
    parts.extend(stepper.to_bytes()?.map(|bytes| (METHOD, bytes)));
    for (name, bytes) in parts {
        files::write(&folder.join(name), &bytes)?;
        stored.insert(
            name.to_owned(),
            Stored {
                length: bytes.len(),
                crc32c: crc32c::crc32c(&bytes),
            },
        );
    }
    let state = serde_json::to_value(state)?;
    let manifest = Manifest {
        format: FORMAT.to_owned(),
        state_crc32c: crc32c::crc32c(state.to_string().as_bytes()),
        state,
        files: stored,
    };
    let text = serde_json::to_string_pretty(&manifest)?;
    files::write(&folder.join(MANIFEST), text.as_bytes())?;
    Ok(())
}

/// Returns whether a folder is a checkpoint of this program, whole or not: it has a manifest of
/// this kind, or nothing but files of these names.
pub(crate) fn is_ours(folder: &Path) -> bool {
    let manifest: Option<serde_json::Value> = fs::read(folder.join(MANIFEST))
        .ok()
        .and_then(|text| serde_json::from_slice(&text).ok());
    let format = manifest
        .as_ref()
        .and_then(|manifest| manifest.get("format"));
    if let Some(format) = format.and_then(serde_json::Value::as_str) {
        return format.starts_with(FORMATS);
    }
    let Ok(entries) = fs::read_dir(folder) else {
        return false;
    };
    let ours = |entry: std::io::Result<fs::DirEntry>| {
        entry.is_ok_and(|entry| FILES.iter().any(|file| entry.file_name() == *file))
    };
    entries.into_iter().all(ours)
}

/// Reads the manifest of a checkpoint, and what it remembers beside tensors.
fn manifest(folder: &Path) -> anyhow::Result<(Manifest, State)> {
    let text = fs::read(folder.join(MANIFEST)).with_context(|| MANIFEST.to_owned())?;
    let manifest: Manifest =
        serde_json::from_slice(&text).with_context(|| format!("{MANIFEST} is not complete"))?;
    ensure!(
        manifest.format == FORMAT,
        "{MANIFEST} has the format {:?}, and this program reads {FORMAT:?}",
        manifest.format
    );
    ensure!(
        crc32c::crc32c(manifest.state.to_string().as_bytes()) == manifest.state_crc32c,
        "the state in {MANIFEST} does not have its checksum"
    );
    let state = serde_json::from_value(manifest.state.clone())
        .with_context(|| format!("the state in {MANIFEST} does not follow {FORMAT}"))?;
    Ok((manifest, state))
}

/// Reads what a checkpoint remembers beside tensors, without looking at these.
///
/// # Errors
/// When its manifest is missing, damaged or of another format.
pub(crate) fn read_state(folder: &Path) -> anyhow::Result<State> {
    manifest(folder).map(|(_, state)| state)
}

/// Reads a checkpoint.
///
/// # Errors
/// When it is not whole: a file or the manifest is missing, damaged or of another format.
pub(crate) fn read(folder: &Path) -> anyhow::Result<Checkpoint> {
    let (manifest, state) = manifest(folder)?;
    let file = |name: &str| -> anyhow::Result<Vec<u8>> {
        let stored = manifest.files.get(name);
        let stored = stored.with_context(|| format!("{MANIFEST} does not list {name}"))?;
        let bytes = fs::read(folder.join(name)).with_context(|| name.to_owned())?;
        ensure!(
            bytes.len() == stored.length,
            "{name} has {} bytes instead of {}",
            bytes.len(),
            stored.length
        );
        ensure!(
            crc32c::crc32c(&bytes) == stored.crc32c,
            "{name} does not have its checksum"
        );
        Ok(bytes)
    };
    // Without one: plain, and SAM and ASAM from programs that saved nothing of them, for nothing of
    // it matters.
    let method = match state.plan.method {
        Method::Plain | Method::Sam | Method::Asam if !manifest.files.contains_key(METHOD) => None,
        _ => Some(file(METHOD)?),
    };
    Ok(Checkpoint {
        state,
        model: file(MODEL)?,
        optimiser: file(OPTIMISER)?,
        method,
    })
}

impl Checkpoint {
    /// Returns `model` with the weights and buffers as they were.
    ///
    /// # Errors
    /// When the model has another shape than the one that was saved.
    pub(crate) fn restore_model<M: Module>(&self, model: M) -> anyhow::Result<M> {
        let record = ModuleRecord::from_bytes(Bytes::from_bytes_vec(self.model.clone()))?;
        model
            .try_load_record(record)
            .context("the checkpoint does not fit the network")
    }

    /// Returns `model`, `optimiser` and `stepper` as they were. Parameters get the ids they had, so
    /// the optimiser finds its state.
    ///
    /// # Errors
    /// When the model has another shape than the one that was saved.
    pub(crate) fn restore<M: Module>(
        self,
        model: M,
        optimiser: ModuleOptimizer,
        stepper: &mut Stepper,
    ) -> anyhow::Result<(M, ModuleOptimizer)> {
        let model = self.restore_model(model)?;
        let optimiser = optimiser
            .from_bytes(Bytes::from_bytes_vec(self.optimiser))
            .context("the checkpoint's optimiser state cannot be read")?;
        if let Some(method) = self.method {
            stepper.remember(method)?;
        }
        Ok((model, optimiser))
    }
}
