//! The output directory of a training: what may be begun in it, and what of it may be removed.

use std::path::{Path, PathBuf};

use anyhow::Context;

use tensorboard::{Error, EventWriter};

use super::checkpoint;
use crate::failure::usage;
use crate::report::summary;

/// What to do with a directory that holds a run already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Existing {
    /// Refuse.
    Keep,
    /// Go on with it.
    Resume,
    /// Remove it and begin again.
    Overwrite,
}

/// What a directory holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    Nothing,
    Unfinished,
    Finished,
    /// Files, none of which are ours.
    Foreign,
}

/// How a training begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
///
/// A usage error when there is a run already and neither `--resume` nor `--overwrite` was given, or when the directory
/// holds something else.
pub(crate) fn inspect(directory: &Path, existing: Existing) -> anyhow::Result<Beginning> {
    let shown = directory.display();
    match (content(directory)?, existing) {
        (Content::Nothing, _) | (Content::Unfinished | Content::Finished, Existing::Overwrite) => {
            Ok(Beginning::Fresh)
        }
        (Content::Unfinished, Existing::Resume) => Ok(Beginning::Resumed),
        (Content::Finished, Existing::Resume) => Ok(Beginning::Done),
        (Content::Finished, Existing::Keep) => Err(usage(format!(
            "{shown} holds a finished run; --overwrite trains again, --resume only shows it, --output DIR writes elsewhere"
        ))),
        (Content::Unfinished, Existing::Keep) => Err(usage(format!(
            "{shown} holds an unfinished run; --resume goes on with it, --overwrite begins again, --output DIR writes elsewhere"
        ))),
        (Content::Foreign, _) => Err(usage(format!(
            "{shown} holds files that are not a run's; choose another directory with --output DIR"
        ))),
    }
}

/// Makes the directory, and empties it of an earlier run if the training begins afresh.
///
/// # Errors
///
/// When the directory cannot be made, emptied or written.
pub(crate) fn prepare(directory: &Path, beginning: Beginning) -> anyhow::Result<()> {
    std::fs::create_dir_all(directory).with_context(|| {
        format!(
            "the output directory {} cannot be made",
            directory.display()
        )
    })?;
    if beginning == Beginning::Fresh {
        let ours = ours(directory)?;
        if !ours.is_empty()
            && let Err(busy @ Error::Busy { .. }) = EventWriter::resume(directory, None)
        {
            return Err(busy.into());
        }
        // The list is made again, because asking for the lock made a file.
        for path in self::ours(directory)? {
            let removed = if path.is_dir() {
                std::fs::remove_dir_all(&path)
            } else {
                std::fs::remove_file(&path)
            };
            removed.with_context(|| format!("{} cannot be removed", path.display()))?;
        }
    }
    // A directory that cannot be written is found out now and not after an hour of training.
    let probe = directory.join(".write-test");
    std::fs::write(&probe, b"landscape")
        .and_then(|()| std::fs::remove_file(&probe))
        .with_context(|| {
            let _ = std::fs::remove_file(&probe);
            format!(
                "the output directory {} cannot be written",
                directory.display()
            )
        })
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
    if directory.join(summary::FILE).exists() {
        return Ok(Content::Finished);
    }
    let any = std::fs::read_dir(directory)
        .with_context(|| format!("{} cannot be read", directory.display()))?
        .next()
        .is_some();
    Ok(match (ours(directory)?.is_empty(), any) {
        (false, _) => Content::Unfinished,
        (true, true) => Content::Foreign,
        (true, false) => Content::Nothing,
    })
}

/// The entries of a directory that a run writes; nothing else is ever removed.
fn ours(directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(directory)
        .with_context(|| format!("{} cannot be read", directory.display()))?;
    let mut ours = Vec::new();
    for entry in entries {
        let path = entry
            .with_context(|| format!("{} cannot be read", directory.display()))?
            .path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let mut prefixes = super::pictures::PREFIXES.iter();
        let picture = name.ends_with(".png") && prefixes.any(|prefix| name.starts_with(prefix));
        if name == summary::FILE
            || name == checkpoint::FOLDER
            || name.starts_with("events.out.tfevents.")
            || (name.starts_with('.') && name.ends_with(".lock"))
            || name.ends_with(".partial")
            || picture
        {
            ours.push(path);
        }
    }
    Ok(ours)
}
