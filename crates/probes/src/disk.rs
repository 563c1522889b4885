//! Bytes that stand in a file whole or not at all, as far as the system allows.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

/// Writes a new file, whole or not at all.
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .and_then(|file| file.set_len(0).map(|()| file))?;
    write_whole(&mut file, bytes).map_err(|(_, error)| {
        // The failure that counts is the one of the write.
        let _ = fs::remove_file(path);
        error
    })
}

/// Puts a file with what `write` writes in the place of `path`. It is written beside its place, in
/// a file with `.partial` at the end of its name, and then moved there, so that a reader never sees
/// half of it. After a failure what was there is as it was.
pub(crate) fn replace(
    path: &Path,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    let name = path.file_name();
    let mut name = name.expect("the path of a file has a name").to_os_string();
    name.push(".partial");
    let partial = path.with_file_name(name);
    let written = File::create(&partial)
        .and_then(|mut file| write(&mut file))
        .and_then(|()| fs::rename(&partial, path));
    written.inspect_err(|_| {
        // The failure that counts is the one of the write.
        let _ = fs::remove_file(&partial);
    })
}

/// Appends bytes to a file, or tells how many of them were left there by the failure: usually none.
///
/// A short write means that the disk is full, that a limit on the size of files is near, or that a
/// signal came. Writing the rest would end the process in the second case, in which Unix sends
/// SIGXFSZ. So the piece is cut off and the whole is tried once more; a second short write is a
/// failure.
pub(crate) fn write_whole(file: &mut File, bytes: &[u8]) -> Result<(), (usize, io::Error)> {
    let mut tries = 0;
    loop {
        let start = file.metadata().map_err(|error| (0, error))?.len();
        match file.write(bytes) {
            Ok(count) if count == bytes.len() => return Ok(()),
            Ok(count) => {
                // Another process that appends to the file may have come in between.
                let is_last = file
                    .metadata()
                    .is_ok_and(|now| now.len() == start + count as u64);
                if count > 0 && (!is_last || file.set_len(start).is_err()) {
                    return Err((count, cut(count, bytes)));
                }
                tries += 1;
                if tries == 2 {
                    return Err((0, cut(count, bytes)));
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err((0, error)),
        }
    }
}

/// Returns the failure of a write that took a part of its bytes.
pub(crate) fn cut(count: usize, bytes: &[u8]) -> io::Error {
    let length = bytes.len();
    io::Error::new(
        ErrorKind::WriteZero,
        format!("only {count} of {length} bytes were taken"),
    )
}

/// Waits until a file is on the disk, where it has one.
pub(crate) fn sync(file: &File) -> io::Result<()> {
    match file.sync_all() {
        // Pipes and some network file systems have nothing to synchronise.
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::Unsupported | ErrorKind::InvalidInput
            ) =>
        {
            Ok(())
        }
        other => other,
    }
}

/// Tells whether the file at `path` is the one that is open. Where the system has no number of a
/// file, it tells whether there is one.
pub(crate) fn is_in_place(file: &File, path: &Path) -> io::Result<bool> {
    match fs::metadata(path) {
        Ok(there) => Ok(are_one(&file.metadata()?, &there)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

#[cfg(unix)]
fn are_one(open: &fs::Metadata, there: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (open.dev(), open.ino()) == (there.dev(), there.ino())
}

#[cfg(not(unix))]
fn are_one(_: &fs::Metadata, _: &fs::Metadata) -> bool {
    true
}

/// Tells whether the file at `path` is the one that is open. Where the system has no numbers of
/// files, that another one has taken its place is not seen.
pub(crate) fn is_at(file: &File, path: &Path) -> bool {
    let (Ok(open), Ok(there)) = (file.metadata(), fs::metadata(path)) else {
        return false;
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        (open.dev(), open.ino()) == (there.dev(), there.ino())
    }
    #[cfg(not(unix))]
    {
        open.is_file() == there.is_file()
    }
}
