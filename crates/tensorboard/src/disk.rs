//! Requests to the operating system: that files reach the disk, and whether they are still in
//! their place.

use crate::Error;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::Path;

/// Waits until the data of a file are on the disk.
pub(crate) fn sync(file: &File) -> io::Result<()> {
    match file.sync_all() {
        // Pipes and some network file systems have nothing to synchronise.
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

/// Waits until the names in a directory are on the disk, where the system knows such a thing.
pub(crate) fn sync_directory(directory: &Path) -> io::Result<()> {
    if cfg!(unix) {
        sync(&File::open(directory)?)?;
    }
    Ok(())
}

/// Checks that the file at `path` is still the one that is open.
pub(crate) fn check_in_place(file: &File, path: &Path) -> Result<(), Error> {
    match is_in_place(file, path) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Error::Replaced {
            path: path.to_path_buf(),
        }),
        Err(source) => Err(Error::Io {
            action: "look at",
            path: path.to_path_buf(),
            source,
        }),
    }
}

/// Tells whether the file at `path` is the one that is open.
pub(crate) fn is_in_place(file: &File, path: &Path) -> io::Result<bool> {
    match fs::metadata(path) {
        Ok(there) => Ok(are_one(&file.metadata()?, &there)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Tells whether both are of one file.
#[cfg(unix)]
fn are_one(open: &fs::Metadata, there: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (open.dev(), open.ino()) == (there.dev(), there.ino())
}

/// Tells whether both are of one file. Elsewhere the standard library has no number of a file.
/// There is one at the path; that it is another one is not seen.
#[cfg(not(unix))]
fn are_one(_: &fs::Metadata, _: &fs::Metadata) -> bool {
    true
}
