//! The output directory of a training: what may be begun in it, and what of it may be removed.
//!
//! A directory is a run's by its list of files, [`manifest`]. The lock of the event file's writer
//! is taken before the directory is looked at and held until the training has ended, so that no
//! other process decides over it in between.

use std::io::ErrorKind;
use std::path::Path;

use anyhow::Context;
use tensorboard::{EventWriter, RunLock, existing_event_files};

use super::checkpoints;
use super::files::{PARTIAL, remove_file, sync_directory, write_atomically};
use super::manifest::{self, Manifest};
use crate::config::folder;
use crate::failure::usage;
use crate::results::summary;

/// The lock of the event file's writer.
const LOCK: &str = ".writer.lock";

/// The rule for a directory that holds a run already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existing {
    /// Refuse.
    Keep,
    /// Go on with it.
    Resume,
    /// Remove it and begin again.
    Overwrite,
}

/// The content of a directory.
enum Content {
    Nothing,
    Unfinished(Manifest),
    Finished(Manifest),
    /// Files, and no list that says that they are a run's.
    Foreign,
}

/// The way in which a training begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beginning {
    /// From the initial weights.
    Fresh,
    /// From the latest checkpoint.
    Resumed,
    /// Not at all: it is finished.
    Done,
}

/// Decides how a training begins in `directory`, without touching anything.
///
/// # Errors
/// A usage error when there is a run already and neither `--resume` nor `--overwrite` was given, or
/// when the directory holds something else.
pub(crate) fn inspect(directory: &Path, existing: Existing) -> anyhow::Result<Beginning> {
    decide(directory, existing).map(|(beginning, _)| beginning)
}

fn decide(directory: &Path, existing: Existing) -> anyhow::Result<(Beginning, Option<Manifest>)> {
    let shown = directory.display();
    match (content(directory)?, existing) {
        (Content::Nothing, _) => Ok((Beginning::Fresh, None)),
        (Content::Unfinished(ours) | Content::Finished(ours), Existing::Overwrite) => {
            no_foreign_events(directory, &ours)?;
            Ok((Beginning::Fresh, Some(ours)))
        }
        (Content::Unfinished(ours), Existing::Resume) => Ok((Beginning::Resumed, Some(ours))),
        (Content::Finished(ours), Existing::Resume) => Ok((Beginning::Done, Some(ours))),
        (Content::Finished(_), Existing::Keep) => Err(usage(format!(
            "{shown} holds a finished run; --overwrite trains again, --resume only shows it, --output DIR writes elsewhere"
        ))),
        (Content::Unfinished(_), Existing::Keep) => Err(usage(format!(
            "{shown} holds an unfinished run; --resume goes on with it, --overwrite begins again, --output DIR writes elsewhere"
        ))),
        (Content::Foreign, _) if seeds_lie_in(directory) => Err(usage(format!(
            "{shown} holds the runs of several seeds; --seeds N --resume goes on with them, --output DIR writes elsewhere"
        ))),
        (Content::Foreign, _) => Err(usage(format!(
            "{shown} holds files that are not a run's (there is no {}); choose another directory with --output DIR",
            manifest::FILE
        ))),
    }
}

fn content(directory: &Path) -> anyhow::Result<Content> {
    if directory.is_file() {
        return Err(usage(format!(
            "{} is a file; choose another directory with --output DIR",
            directory.display()
        )));
    }
    if !directory.is_dir() {
        return Ok(Content::Nothing);
    }
    let cannot = || format!("{} cannot be read", directory.display());
    // What a kill at the very beginning leaves.
    let beginnings = [LOCK.to_owned(), format!("{}{PARTIAL}", manifest::FILE)];
    let mut empty = true;
    for entry in std::fs::read_dir(directory).with_context(cannot)? {
        let name = entry.with_context(cannot)?.file_name();
        empty &= beginnings
            .iter()
            .any(|beginning| name == beginning.as_str());
    }
    if empty {
        return Ok(Content::Nothing);
    }
    let manifest = match Manifest::read(directory) {
        Ok(Some(manifest)) => manifest,
        // The list is lost, but a checkpoint knows the files too.
        Ok(None) | Err(_) => match checkpoints::latest(directory) {
            Ok((Some(checkpoint), _)) => Manifest::of(directory, checkpoint.state.files()),
            _ => return Ok(Content::Foreign),
        },
    };
    if directory.join(summary::FILE).exists() {
        return Ok(Content::Finished(manifest));
    }
    Ok(Content::Unfinished(manifest))
}

/// Refuses event files of somebody else: TensorBoard would draw them and those of the new run as
/// one run.
fn no_foreign_events(directory: &Path, ours: &Manifest) -> anyhow::Result<()> {
    let foreign = existing_event_files(directory)?.into_iter().find(|file| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        !ours.has(&name)
    });
    match foreign {
        Some(file) => Err(usage(format!(
            "{} is an event file that is not the run's; move it away, or choose another directory with --output DIR",
            file.display()
        ))),
        None => Ok(()),
    }
}

/// A directory under lock, ready for a training or with a finished one in it.
pub(crate) struct RunDir {
    lock: RunLock,
    manifest: Manifest,
    beginning: Beginning,
}

impl RunDir {
    /// Makes the directory, takes its lock, decides how the training begins, and if it begins
    /// afresh removes the run before it.
    ///
    /// # Errors
    /// As [`inspect`] says, when another process has the lock, or when the directory cannot be
    /// made, emptied or written.
    pub(crate) fn take(directory: &Path, existing: Existing) -> anyhow::Result<Self> {
        let lock = RunLock::take(directory).map_err(|error| {
            let busy = matches!(error, tensorboard::Error::Busy { .. });
            let error = anyhow::Error::new(error);
            if busy {
                error
            } else {
                error.context(format!(
                    "the output directory {} cannot be made or written",
                    directory.display()
                ))
            }
        })?;
        let (beginning, before) = decide(directory, existing)?;
        let manifest = match (beginning, before) {
            (Beginning::Done | Beginning::Resumed, Some(manifest)) => manifest,
            (_, before) => {
                if let Some(before) = before {
                    empty(directory, &before)?;
                }
                Manifest::of(directory, [summary::FILE.to_owned()])
            }
        };
        if beginning != Beginning::Done {
            // A directory that cannot be written is found out now and not after an hour of
            // training.
            manifest.write().with_context(|| {
                let shown = directory.display();
                format!("the output directory {shown} cannot be written")
            })?;
        }
        Ok(Self {
            lock,
            manifest,
            beginning,
        })
    }

    /// Returns how the training begins.
    pub(crate) const fn beginning(&self) -> Beginning {
        self.beginning
    }

    /// Returns where it lies.
    pub(crate) fn path(&self) -> &Path {
        self.lock.directory()
    }

    /// Begins a new event file, which says that the run starts, or starts again, at `start`.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub(crate) fn begin_events(&mut self, start: i64) -> anyhow::Result<EventWriter> {
        let file = self.lock.next_event_file()?;
        self.manifest.claim(&name_of(&file))?;
        Ok(EventWriter::begin(self.lock.clone(), file, Some(start))?)
    }

    /// Writes a file of the run, over the one before it.
    ///
    /// # Errors
    /// When the directory is not the run's any more, when there is a file of that name which is not
    /// the run's, or when it cannot be written.
    pub(crate) fn write(&mut self, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
        self.check_in_place()?;
        self.manifest.claim(name)?;
        write_atomically(&self.path().join(name), bytes)
    }

    /// Returns whether the directory is still the one that was taken.
    ///
    /// # Errors
    /// When it was removed, moved or replaced; what is there now is somebody else's.
    pub(crate) fn check_in_place(&self) -> anyhow::Result<()> {
        self.lock.check_in_place().with_context(|| {
            format!(
                "the output directory {} was removed, moved or replaced while the run was going on; what the run did is no longer there",
                self.path().display()
            )
        })
    }
}

/// Removes a run from a directory in which others will lie.
///
/// # Errors
/// When something else lies there too that would be taken for a part of the run, another process
/// has its lock, or it cannot be removed.
pub(crate) fn remove(directory: &Path) -> anyhow::Result<()> {
    RunDir::take(directory, Existing::Overwrite)?;
    let list = directory.join(manifest::FILE);
    remove_file(&list).with_context(|| format!("{} cannot be removed", list.display()))
}

/// Removes the files of a run, in an order in which a kill in between leaves something that can be
/// resumed or overwritten.
fn empty(directory: &Path, ours: &Manifest) -> anyhow::Result<()> {
    let remove = |name: &str| {
        let path = directory.join(name);
        match remove_file(&path) {
            // Somebody put a folder in the place of the file; it is not ours.
            Err(error) if error.kind() == ErrorKind::IsADirectory || path.is_dir() => Ok(()),
            removed => removed.with_context(|| format!("{} cannot be removed", path.display())),
        }
    };
    // With its summary gone the run is an unfinished one, and without checkpoints one that begins
    // at step 0.
    remove(summary::FILE)?;
    let shown = directory.display();
    sync_directory(directory).with_context(|| format!("{shown} cannot be written"))?;
    checkpoints::remove_all(directory)?;
    for name in ours.files() {
        remove(name)?;
        remove(&format!("{name}{PARTIAL}"))?;
    }
    Ok(())
}

/// Returns whether runs of seeds lie in a directory.
fn seeds_lie_in(directory: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return false;
    };
    entries.flatten().any(|entry| {
        let name = entry.file_name();
        name.to_str().is_some_and(folder::is_of_seed) && entry.path().join(manifest::FILE).exists()
    })
}

/// Returns the name of a file that was made in a directory.
pub(crate) fn name_of(file: &Path) -> String {
    let name = file.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}
