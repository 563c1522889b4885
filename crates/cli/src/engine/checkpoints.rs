//! The folder of a run's checkpoints: which there are, how one is added, and how none is ever lost.
//!
//! A new checkpoint is written under another name, brought to the disk file by file, and renamed
//! when it is complete. Where its place is taken, by a damaged one say, what is there is renamed
//! aside first and removed last. At each moment between two calls of the system there is a complete
//! checkpoint, once there was one: under its own name, or under one of two other names, and
//! [`recover`] gives that one its name back. The last two are kept, or more ([`Keep`]): if the
//! newest was damaged since, the one before serves.

use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::checkpoint::{self, Checkpoint};
use super::files::{remove_file, sync_directory};
use crate::config::keep::{self, Keep};

/// The folder of the checkpoints in a run's directory.
pub(crate) const FOLDER: &str = "checkpoints";

/// A checkpoint that is being written.
const WRITING: &str = ".writing.partial";
/// The suffix of what was in the place of a new checkpoint.
const ASIDE: &str = ".aside.partial";
/// The suffix of what is being removed.
const DISCARDED: &str = ".discarded.partial";

/// Adds the checkpoint of `step`, which `write` puts into an empty folder, and removes those that
/// `keep` does not keep.
///
/// # Errors
/// When it cannot be written; the earlier ones are still there.
pub(crate) fn add(
    directory: &Path,
    step: usize,
    keep: Keep,
    write: impl FnOnce(&Path) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let folder = directory.join(FOLDER);
    let writing = folder.join(WRITING);
    let written = make(&folder, directory)
        .and_then(|()| {
            discard(&folder, &writing)?;
            // Its name need not reach the disk before its content does.
            existing(fs::create_dir(&writing))
        })
        .map_err(anyhow::Error::new)
        .and_then(|()| write(&writing))
        .and_then(|()| {
            sync_directory(&writing)?;
            put(&folder, &writing, step)?;
            Ok(())
        });
    if let Err(error) = written {
        // What is left over is worthless and takes space that may be scarce.
        let _ = discard(&folder, &writing);
        return Err(error.context(format!(
            "the checkpoint of step {step} cannot be written into {}; {}",
            folder.display(),
            way_on(directory)
        )));
    }
    prune(directory, step, keep)
}

/// Makes a folder that may be there, but not its parent: where that is gone, so is the run.
fn make(folder: &Path, parent: &Path) -> io::Result<()> {
    if folder.exists() {
        return Ok(());
    }
    existing(fs::create_dir(folder))?;
    sync_directory(parent)
}

fn existing(made: io::Result<()>) -> io::Result<()> {
    match made {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Gives a complete checkpoint the name of its step.
fn put(folder: &Path, complete: &Path, step: usize) -> io::Result<()> {
    let place = folder.join(name(step));
    let aside = folder.join(ASIDE);
    let taken = place.exists();
    if taken {
        if !checkpoint::is_ours(&place) {
            return Err(io::Error::other(format!(
                "{} is in its place and not a checkpoint of this program; move it away",
                place.display()
            )));
        }
        discard(folder, &aside)?;
        fs::rename(&place, &aside)?;
    }
    if let Err(error) = fs::rename(complete, &place) {
        if taken {
            // The error that matters is the first one.
            let _ = fs::rename(&aside, &place);
        }
        return Err(error);
    }
    sync_directory(folder)?;
    if taken {
        discard(folder, &aside)?;
    }
    Ok(())
}

/// Removes the checkpoints up to `step` that are not kept. Later ones were found damaged, and are
/// replaced in their turn.
fn prune(directory: &Path, step: usize, keep: Keep) -> anyhow::Result<()> {
    let folder = directory.join(FOLDER);
    let latest = match keep {
        Keep::All => return Ok(()),
        Keep::Best => keep::LATEST,
        Keep::Last(count) => count.get(),
    };
    let best = match keep {
        Keep::Best => best(directory)?,
        Keep::All | Keep::Last(_) => None,
    };
    let past = all(directory)?.into_iter();
    let past = past.filter(|(other, _)| *other <= step);
    for (step, old) in past.skip(latest) {
        if best.is_none_or(|(best, _)| best != step) {
            discard(&folder, &old)
                .with_context(|| format!("{} cannot be removed", old.display()))?;
        }
    }
    Ok(())
}

/// Returns the step of the checkpoint with the smallest validation loss, the earliest of equal
/// ones, and that loss; none where no checkpoint knows a loss that is a number. A damaged one knows
/// none.
///
/// # Errors
/// When the folder cannot be read.
pub(crate) fn best(directory: &Path) -> anyhow::Result<Option<(usize, f64)>> {
    let loss = |(step, path): (usize, PathBuf)| {
        let loss = checkpoint::read_state(&path).ok()?.validation_loss?.0;
        (!loss.is_nan()).then_some((step, loss))
    };
    let found = all(directory)?.into_iter().filter_map(loss);
    Ok(found.min_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0))))
}

/// Returns the steps of the checkpoints of a run, whole or not, the earliest first.
///
/// # Errors
/// When the folder cannot be read.
pub(crate) fn steps(directory: &Path) -> anyhow::Result<Vec<usize>> {
    let mut steps: Vec<usize> = all(directory)?.into_iter().map(|(step, _)| step).collect();
    steps.reverse();
    Ok(steps)
}

/// Returns the checkpoint of `step`; none if there is none of that step.
///
/// # Errors
/// When it is damaged.
pub(crate) fn at(directory: &Path, step: usize) -> anyhow::Result<Option<Checkpoint>> {
    let Some((_, path)) = all(directory)?
        .into_iter()
        .find(|(other, _)| *other == step)
    else {
        return Ok(None);
    };
    let found =
        checkpoint::read(&path).with_context(|| format!("{} is damaged", path.display()))?;
    Ok(Some(found))
}

/// Removes a checkpoint, if it is one of this program's. It loses its name first, so that a kill
/// leaves no half of one under a valid name.
fn discard(folder: &Path, checkpoint: &Path) -> io::Result<()> {
    let discarded = folder.join(DISCARDED);
    if discarded.exists() {
        clear(&discarded)?;
    }
    if checkpoint.exists() && checkpoint::is_ours(checkpoint) {
        fs::rename(checkpoint, &discarded)?;
        clear(&discarded)?;
    }
    Ok(())
}

/// Removes the files of a checkpoint and its folder; the folder stays if somebody put something
/// else into it.
fn clear(folder: &Path) -> io::Result<()> {
    for file in checkpoint::FILES {
        remove_file(&folder.join(file))?;
    }
    match fs::remove_dir(folder) {
        Err(error)
            if !matches!(
                error.kind(),
                ErrorKind::NotFound | ErrorKind::DirectoryNotEmpty | ErrorKind::NotADirectory
            ) =>
        {
            Err(error)
        }
        _ => Ok(()),
    }
}

/// Removes all checkpoints of a run, and the folder unless somebody put something else into it.
///
/// # Errors
/// When one cannot be removed.
pub(crate) fn remove_all(directory: &Path) -> anyhow::Result<()> {
    let folder = directory.join(FOLDER);
    let mut old: Vec<PathBuf> = all(directory)?.into_iter().map(|(_, path)| path).collect();
    old.extend([WRITING, ASIDE].map(|name| folder.join(name)));
    for path in old {
        discard(&folder, &path).with_context(|| format!("{} cannot be removed", path.display()))?;
    }
    clear(&folder).with_context(|| format!("{} cannot be removed", folder.display()))
}

/// Returns how a run that had to stop can go on, as the end of a sentence.
pub(crate) fn way_on(directory: &Path) -> String {
    match all(directory).ok().and_then(|all| all.into_iter().next()) {
        Some((step, _)) => format!("the run can be resumed from step {step} with --resume"),
        None => "there is no earlier one".to_owned(),
    }
}

/// Returns the latest checkpoint that is whole, under whatever name, and a sentence about each
/// newer one that is not. `None` when the run was stopped before its first checkpoint.
///
/// # Errors
/// When there are checkpoints and all are damaged.
pub(crate) fn latest(directory: &Path) -> anyhow::Result<(Option<Checkpoint>, Vec<String>)> {
    let (found, damaged) = search(directory)?;
    Ok((found.map(|(_, checkpoint)| checkpoint), damaged))
}

/// Returns what [`latest`] does, for the process that goes on with the run: a checkpoint that a
/// kill has left under another name gets its
///
/// # Errors
/// As [`latest`], and when the folder cannot be written.
pub(crate) fn recover(directory: &Path) -> anyhow::Result<(Option<Checkpoint>, Vec<String>)> {
    let (found, damaged) = search(directory)?;
    let folder = directory.join(FOLDER);
    let Some((path, checkpoint)) = found else {
        clear_up(&folder)?;
        return Ok((None, damaged));
    };
    let place = folder.join(name(checkpoint.state.step));
    if path != place {
        let renamed = discard(&folder, &place)
            .and_then(|()| fs::rename(&path, &place))
            .and_then(|()| sync_directory(&folder));
        renamed.with_context(|| format!("{} cannot be renamed", path.display()))?;
    }
    clear_up(&folder)?;
    Ok((Some(checkpoint), damaged))
}

/// Removes what a kill has left under other names, once the latest whole checkpoint has its own.
fn clear_up(folder: &Path) -> anyhow::Result<()> {
    for name in [WRITING, ASIDE] {
        let left = folder.join(name);
        let cleared = discard(folder, &left);
        cleared.with_context(|| format!("{} cannot be removed", left.display()))?;
    }
    Ok(())
}

/// A checkpoint and where it lies.
type Placed = (PathBuf, Checkpoint);

/// Returns where the latest whole checkpoint is and what it holds, and what is wrong with newer
/// ones.
fn search(directory: &Path) -> anyhow::Result<(Option<Placed>, Vec<String>)> {
    let mut damaged = Vec::new();
    let mut found: Option<Placed> = None;
    for (step, path) in all(directory)? {
        let read = checkpoint::read(&path).and_then(|checkpoint| {
            let stored = checkpoint.state.step;
            anyhow::ensure!(stored == step, "it holds the state of step {stored}");
            Ok(checkpoint)
        });
        match read {
            Ok(checkpoint) => {
                found = Some((path, checkpoint));
                break;
            }
            Err(error) => damaged.push(format!("{} is damaged: {error:#}", path.display())),
        }
    }
    for name in [WRITING, ASIDE] {
        let path = directory.join(FOLDER).join(name);
        if let Ok(checkpoint) = checkpoint::read(&path) {
            let newer = found
                .as_ref()
                .is_none_or(|(_, best)| best.state.step < checkpoint.state.step);
            if newer {
                found = Some((path, checkpoint));
            }
        }
    }
    if found.is_none() && !damaged.is_empty() {
        bail!(
            "no checkpoint can be used: {}; --overwrite begins again",
            damaged.join("; ")
        );
    }
    Ok((found, damaged))
}

/// Returns all checkpoints of a run, the newest first. A folder of another program is none,
/// whatever its name.
fn all(directory: &Path) -> anyhow::Result<Vec<(usize, PathBuf)>> {
    let folder = directory.join(FOLDER);
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let cannot = || format!("{} cannot be read", folder.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(&folder).with_context(cannot)? {
        let entry = entry.with_context(cannot)?;
        let step = step_of(&entry.file_name());
        let ours = step.filter(|_| checkpoint::is_ours(&entry.path()));
        found.extend(ours.map(|step| (step, entry.path())));
    }
    found.sort();
    found.reverse();
    Ok(found)
}

fn name(step: usize) -> String {
    format!("step-{step:08}")
}

/// Returns the step in a checkpoint's name, if it is exactly one.
fn step_of(file: &OsString) -> Option<usize> {
    let file = file.to_str()?;
    let step = file.strip_prefix("step-")?.parse().ok()?;
    (file == name(step)).then_some(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_others_are_no_checkpoints() {
        for name in ["step-1", "step-00000001.bak", "step-+0000001", "best"] {
            assert_eq!(step_of(&name.into()), None, "{name}");
        }
        assert_eq!(step_of(&"step-00000450".into()), Some(450));
        assert_eq!(step_of(&name(123_456_789).into()), Some(123_456_789));
    }
}
