//! Files that are there whole or not at all.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use anyhow::Context;

/// Writes `bytes` beside `path` and renames them into place, so that a kill or a full disk leaves the old file.
///
/// # Errors
///
/// When the folder cannot be written; the unfinished file is removed.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    let partial = path.with_file_name(name);
    let written = write(&partial, bytes).and_then(|()| std::fs::rename(&partial, path));
    if written.is_err() {
        // What is left over is worthless; the error that matters is the first one.
        let _ = std::fs::remove_file(&partial);
    }
    written.with_context(|| format!("{} cannot be written", path.display()))
}

/// Writes a file in one call and waits until it is on the disk.
///
/// A call that writes less than it was given has met the end of the disk or a limit on the size of files. It is not repeated:
/// the next one would raise SIGXFSZ at a limit, which ends the process.
///
/// # Errors
///
/// Those of the system, and a file that was not written whole.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    let written = file.write(bytes)?;
    if written < bytes.len() {
        return Err(std::io::Error::other(format!(
            "only {written} of {} bytes could be written; the disk is full, or there is a limit on the size of files",
            bytes.len()
        )));
    }
    file.sync_all()
}
