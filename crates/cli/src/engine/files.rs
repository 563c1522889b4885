//! Files that are there whole or not at all, also after a loss of power.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use anyhow::Context;

/// The suffix of unfinished files.
pub(crate) const PARTIAL: &str = ".partial";

/// Writes `bytes` beside `path` and renames them into place, so that a kill or a full disk leaves
/// the old file.
///
/// # Errors
/// When the folder cannot be written; the unfinished file is removed.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(PARTIAL);
    let partial = path.with_file_name(name);
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    let written = write(&partial, bytes)
        .and_then(|()| fs::rename(&partial, path))
        .and_then(|()| sync_directory(folder));
    if written.is_err() {
        // What is left over is worthless; the error that matters is the first one.
        let _ = fs::remove_file(&partial);
    }
    written.with_context(|| format!("{} cannot be written", path.display()))
}

/// Writes a file in one call and waits until it is on the disk.
///
/// A call that writes less than it was given has met the end of the disk or a limit on the size of
/// files. It is not repeated: the next one would raise SIGXFSZ at a limit, which ends the process.
///
/// # Errors
/// Those of the system, and a file that was not written whole.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    let written = file.write(bytes)?;
    if written < bytes.len() {
        return Err(io::Error::other(format!(
            "only {written} of {} bytes could be written; the disk is full, or there is a limit on the size of files",
            bytes.len()
        )));
    }
    file.sync_all()
}

/// Waits until the names in a folder are on the disk, where the system knows such a thing.
///
/// # Errors
/// Those of the system.
pub(crate) fn sync_directory(folder: &Path) -> io::Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    // The parent of a bare name is the empty path.
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    match File::open(folder)?.sync_all() {
        // Some network file systems have nothing to synchronise.
        Err(error)
            if !matches!(
                error.kind(),
                ErrorKind::Unsupported | ErrorKind::InvalidInput
            ) =>
        {
            Err(error)
        }
        _ => Ok(()),
    }
}

/// Removes a file; one that is not there is no error.
///
/// # Errors
/// Those of the system.
pub(crate) fn remove_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
