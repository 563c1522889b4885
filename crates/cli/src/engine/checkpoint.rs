//! Checkpoints: everything a training needs to go on as if it had never stopped.
//!
//! `checkpoints/step-00000450/` holds
//!
//! - `model.bpk`: parameters with their ids, and buffers (Burn's module record);
//! - `optimiser.bpk`: the optimiser's state, keyed by the same ids (Burn's optimiser record);
//! - `method.bpk`: what a sharpness-aware method remembers from step to step, keyed by them too, where there is a method;
//! - `manifest.json`: the format's version, the [`State`], and the length and CRC-32C of the other files and of the state.
//!
//! The folder is written under another name and renamed when it is complete, so a kill or a full disk never leaves half a
//! checkpoint under a valid name. The last two are kept: if the newest was damaged since, the one before serves.
//!
//! What is not stored because it is a pure function of what is stored: the order of the data (seed and epoch), the learning
//! rate (step), and the moments of the probes (step). Random numbers of the device (dropout) are seeded anew from the seed and
//! the step before every step, because the device's stream cannot be read back.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use burn::module::Module;
use burn::optim::ModuleOptimizer;
use burn::store::ModuleRecord;
use burn::tensor::Bytes;
use serde::{Deserialize, Serialize};

use super::files;
use super::step::Stepper;
use crate::config::Plan;
use crate::config::choice::Method;
use crate::report::summary::LastScalar;

/// The folder of the checkpoints in a run's directory.
pub(crate) const FOLDER: &str = "checkpoints";

/// The format this program writes and reads.
const FORMAT: &str = "landscape-checkpoint/1";

/// How many checkpoints are kept.
const KEPT: usize = 2;

const MANIFEST: &str = "manifest.json";
const MODEL: &str = "model.bpk";
const OPTIMISER: &str = "optimiser.bpk";
const METHOD: &str = "method.bpk";

/// What a checkpoint remembers beside tensors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// The PNG files written so far.
    pub(crate) pictures: BTreeSet<String>,
    /// Seconds trained so far.
    pub(crate) seconds: f64,
    /// Seconds of them spent in probes.
    pub(crate) probe_seconds: f64,
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
    /// What it remembers beside tensors.
    pub(crate) state: State,
    model: Vec<u8>,
    optimiser: Vec<u8>,
    /// None without a method that remembers something.
    method: Option<Vec<u8>>,
}

/// The parameters with their ids and the buffers as bytes.
///
/// Through `valid()`, which takes in the statistics of the last batch; a plain visit would read them one update old.
///
/// # Errors
///
/// When Burn cannot encode the record.
pub(crate) fn model_bytes<M: Module>(model: &M) -> anyhow::Result<Bytes> {
    let record = model.valid().into_record();
    record.into_bytes().context("the weights cannot be encoded")
}

/// Writes a checkpoint into a run's directory, and removes all but the last two.
///
/// # Errors
///
/// When it cannot be written; the earlier ones are still there.
pub(crate) fn save<M: Module>(
    directory: &Path,
    model: &M,
    optimiser: &ModuleOptimizer,
    stepper: &Stepper,
    state: &State,
) -> anyhow::Result<()> {
    let folder = directory.join(FOLDER);
    let writing = folder.join(".writing.partial");
    let written = fill(&writing, model, optimiser, stepper, state).and_then(|()| {
        let place = folder.join(format!("step-{:08}", state.step));
        if place.exists() {
            fs::remove_dir_all(&place)?;
        }
        fs::rename(&writing, &place)?;
        Ok(())
    });
    if let Err(error) = written {
        // What is left over is worthless and takes space that may be scarce.
        let _ = fs::remove_dir_all(&writing);
        return Err(error.context(format!(
            "the checkpoint of step {} cannot be written into {}; {}",
            state.step,
            folder.display(),
            way_on(directory)
        )));
    }
    for (_, old) in all(directory)?.into_iter().skip(KEPT) {
        fs::remove_dir_all(&old).with_context(|| format!("{} cannot be removed", old.display()))?;
    }
    Ok(())
}

/// How a run that had to stop can go on, as the end of a sentence.
pub(crate) fn way_on(directory: &Path) -> String {
    match all(directory).ok().and_then(|all| all.into_iter().next()) {
        Some((step, _)) => format!("the run can be resumed from step {step} with --resume"),
        None => "there is no earlier one".to_owned(),
    }
}

fn fill<M: Module>(
    folder: &Path,
    model: &M,
    optimiser: &ModuleOptimizer,
    stepper: &Stepper,
    state: &State,
) -> anyhow::Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
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

/// The latest checkpoint that is whole, and a sentence about each newer one that is not. `None` when the run was stopped
/// before its first checkpoint.
///
/// # Errors
///
/// When there are checkpoints and all are damaged.
pub(crate) fn latest(directory: &Path) -> anyhow::Result<(Option<Checkpoint>, Vec<String>)> {
    let mut damaged = Vec::new();
    for (_, path) in all(directory)? {
        match read(&path) {
            Ok(checkpoint) => return Ok((Some(checkpoint), damaged)),
            Err(error) => damaged.push(format!("{} is damaged: {error:#}", path.display())),
        }
    }
    if damaged.is_empty() {
        return Ok((None, damaged));
    }
    bail!(
        "no checkpoint can be used: {}; --overwrite begins again",
        damaged.join("; ")
    )
}

/// All checkpoints of a run, the newest first.
fn all(directory: &Path) -> anyhow::Result<Vec<(usize, PathBuf)>> {
    let folder = directory.join(FOLDER);
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let cannot = || format!("{} cannot be read", folder.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(&folder).with_context(cannot)? {
        let path = entry.with_context(cannot)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let step = name.strip_prefix("step-").and_then(|n| n.parse().ok());
        if let Some(step) = step {
            found.push((step, path));
        }
    }
    found.sort();
    found.reverse();
    Ok(found)
}

fn read(folder: &Path) -> anyhow::Result<Checkpoint> {
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
    let state: State = serde_json::from_value(manifest.state)
        .with_context(|| format!("the state in {MANIFEST} does not follow {FORMAT}"))?;
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
    // Without one: plain, and SAM and ASAM from programs that saved nothing of them, for nothing of it matters.
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
    /// `model`, `optimiser` and `stepper` as they were. Parameters get the ids they had, so the optimiser finds its state.
    ///
    /// # Errors
    ///
    /// When the model has another shape than the one that was saved.
    pub(crate) fn restore<M: Module>(
        self,
        model: M,
        optimiser: ModuleOptimizer,
        stepper: &mut Stepper,
    ) -> anyhow::Result<(M, ModuleOptimizer)> {
        let record = ModuleRecord::from_bytes(Bytes::from_bytes_vec(self.model))?;
        let model = model
            .try_load_record(record)
            .context("the checkpoint does not fit the network")?;
        let optimiser = optimiser
            .from_bytes(Bytes::from_bytes_vec(self.optimiser))
            .context("the checkpoint's optimiser state cannot be read")?;
        if let Some(method) = self.method {
            stepper.remember(method)?;
        }
        Ok((model, optimiser))
    }
}
