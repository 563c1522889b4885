//! The run directory: which event files it holds, how the next one is called, and who may write.

use crate::Error;
use crate::disk::{check_in_place, is_in_place};
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Both loaders of TensorBoard take a file for an event file when its name contains this.
const INFIX: &str = "tfevents";
const PREFIX: &str = "events.out.tfevents.";
/// Its name must not contain [`INFIX`].
const LOCK: &str = ".writer.lock";
/// The seconds of a name have ten digits, so that names sort by time until the year 2286.
const LAST_SECOND: u64 = 9_999_999_999;

/// Returns the event files of a run directory, in the order in which TensorBoard reads them: by
/// name.
///
/// A directory that does not exist holds none. A program asks this before
/// [`EventWriter::create`](crate::EventWriter::create), which refuses a directory that holds a run,
/// and decides: resume, take another directory, or remove the files.
///
/// # Errors
/// [`Error::Io`] if the directory cannot be read.
///
/// # Examples
/// ```
/// let folder = tempfile::tempdir().unwrap();
/// assert!(
///     tensorboard::existing_event_files(folder.path())
///         .unwrap()
///         .is_empty()
/// );
/// assert!(
///     tensorboard::existing_event_files(folder.path().join("missing"))
///         .unwrap()
///         .is_empty()
/// );
/// ```
pub fn existing_event_files(directory: impl AsRef<Path>) -> Result<Vec<PathBuf>, Error> {
    let directory = directory.as_ref();
    Ok(event_file_names(directory)?
        .into_iter()
        .map(|name| directory.join(name))
        .collect())
}

fn event_file_names(directory: &Path) -> Result<Vec<OsString>, Error> {
    let failed = |source| Error::Io {
        action: "read directory",
        path: directory.to_path_buf(),
        source,
    };
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let is_event_file = entry.file_name().to_string_lossy().contains(INFIX);
        if is_event_file && !entry.path().is_dir() {
            names.push(entry.file_name());
        }
    }
    names.sort();
    Ok(names)
}

/// Returns a path in the directory for a new event file, which sorts after every event file that is
/// there.
///
/// `events.out.tfevents.{10-digit seconds}.{host}.{pid}.{uid}`, where uid counts the files of this
/// process. Readers take the files of a run in the order of their names, so where the time of now
/// would sort too early (the clock went back, two files in one second, another host or process
/// number) the seconds run ahead of the clock.
pub(crate) fn next_path(directory: &Path) -> Result<PathBuf, Error> {
    static FILES: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs());
    let host = host_name();
    let uid = FILES.fetch_add(1, Ordering::Relaxed);
    let rest = format!("{host}.{}.{uid}", std::process::id());
    let name = match event_file_names(directory)?.last() {
        None => file_name(now, &rest),
        Some(last) => {
            name_after(&last.to_string_lossy(), now, &rest).ok_or_else(|| Error::NameOrder {
                directory: directory.to_path_buf(),
                name: last.to_string_lossy().into_owned(),
            })?
        }
    };
    Ok(directory.join(name))
}

/// Returns the name of this machine, with `_` for characters that do not belong into the name of a
/// file.
pub(crate) fn host_name() -> String {
    gethostname::gethostname().to_string_lossy().replace(
        |c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '.',
        "_",
    )
}

fn file_name(seconds: u64, rest: &str) -> String {
    format!("{PREFIX}{:010}.{rest}", seconds.min(LAST_SECOND))
}

/// Returns the name at `now`, or with more seconds if that does not sort after `last`; none if no
/// seconds are enough.
fn name_after(last: &str, now: u64, rest: &str) -> Option<String> {
    let name = file_name(now, rest);
    if name.as_str() > last {
        return Some(name);
    }
    let seconds: u64 = last.strip_prefix(PREFIX)?.get(..10)?.parse().ok()?;
    (seconds < LAST_SECOND)
        .then(|| file_name(seconds + 1, rest))
        .filter(|name| name.as_str() > last)
}

/// The right to write in a run directory, held until its last clone is dropped.
///
/// A lock of the operating system on the empty file `.writer.lock`, which stays in the directory
/// and is never removed. The system frees it when the process ends in whatever way, so a killed run
/// does not keep the next one out.
///
/// [`EventWriter::create`](crate::EventWriter::create) and [`resume`](crate::EventWriter::resume)
/// take it by themselves. A program that looks at the directory first, and removes or adds files of
/// its own there, takes it before that and hands it to
/// [`EventWriter::begin`](crate::EventWriter::begin).
///
/// # Examples
/// ```
/// use tensorboard::{EventWriter, RunLock};
///
/// let folder = tempfile::tempdir()?;
/// let lock = RunLock::take(folder.path())?;
/// assert!(RunLock::take(folder.path()).is_err());
/// let file = lock.next_event_file()?;
/// let mut writer = EventWriter::begin(lock, file, Some(0))?;
/// writer.scalar("loss/train", 0, 0.5)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct RunLock {
    file: Arc<File>,
    directory: PathBuf,
}

impl RunLock {
    /// Makes the directory if it is missing, and takes its lock.
    ///
    /// # Errors
    /// [`Error::Busy`] if another writer has it; [`Error::Io`] if the directory cannot be made or
    /// written.
    pub fn take(directory: impl AsRef<Path>) -> Result<Self, Error> {
        let directory = directory.as_ref();
        fs::create_dir_all(directory).map_err(|source| Error::Io {
            action: "create directory",
            path: directory.to_path_buf(),
            source,
        })?;
        let path = directory.join(LOCK);
        let failed = |source| Error::Io {
            action: "lock",
            path: path.clone(),
            source,
        };
        loop {
            let file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)
                .map_err(failed)?;
            match file.try_lock() {
                // Somebody may have removed the file since it was opened; then the lock keeps
                // nobody out.
                Ok(()) if !is_in_place(&file, &path).map_err(failed)? => {}
                Ok(()) => {
                    return Ok(Self {
                        file: Arc::new(file),
                        directory: directory.to_path_buf(),
                    });
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(Error::Busy {
                        directory: directory.to_path_buf(),
                    });
                }
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
    }

    /// Returns the run directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns a path for a new event file, which sorts after every event file that is there.
    ///
    /// # Errors
    /// [`Error::NameOrder`] if a foreign file sorts after every possible name; [`Error::Io`] if the
    /// directory cannot be read.
    pub fn next_event_file(&self) -> Result<PathBuf, Error> {
        next_path(&self.directory)
    }

    /// Returns such a path with an ending of the program's own, as PyTorch's `filename_suffix`.
    ///
    /// # Errors
    /// As [`next_event_file`](Self::next_event_file), and [`Error::Suffix`] when the ending has a
    /// character that does not belong into the name of a file.
    pub fn next_event_file_with(&self, suffix: &str) -> Result<PathBuf, Error> {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '=' | '+');
        if !suffix.chars().all(fits) || suffix.len() > 100 {
            return Err(Error::Suffix {
                suffix: suffix.to_owned(),
            });
        }
        let mut path = self.next_event_file()?.into_os_string();
        path.push(suffix);
        Ok(path.into())
    }

    /// Tells whether the directory is still the one that was locked.
    ///
    /// # Errors
    /// [`Error::Replaced`] if the lock's file, or the directory with it, was removed, moved or
    /// replaced since; another process may then write there. [`Error::Io`] if that cannot be seen.
    pub fn check_in_place(&self) -> Result<(), Error> {
        check_in_place(&self.file, &self.directory.join(LOCK))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn name_of_a_free_directory_has_the_time_of_now() {
        assert_eq!(
            file_name(1_700_000_000, "host.7.0"),
            "events.out.tfevents.1700000000.host.7.0"
        );
        assert_eq!(
            file_name(7, "host.7.0"),
            "events.out.tfevents.0000000007.host.7.0"
        );
    }

    #[test]
    fn clock_that_went_back_lets_the_seconds_run_ahead() {
        let name = name_after(
            "events.out.tfevents.1700000500.host.9.3",
            1_700_000_000,
            "host.7.0",
        );
        assert_eq!(
            name.as_deref(),
            Some("events.out.tfevents.1700000501.host.7.0")
        );
    }

    #[test]
    fn same_second_and_greater_process_number_lets_the_seconds_run_ahead() {
        let name = name_after(
            "events.out.tfevents.1700000000.host.9.0",
            1_700_000_000,
            "host.10.0",
        );
        assert_eq!(
            name.as_deref(),
            Some("events.out.tfevents.1700000001.host.10.0")
        );
    }

    #[test]
    fn foreign_name_that_sorts_last_is_refused() {
        assert_eq!(name_after("run.tfevents", 1_700_000_000, "host.7.0"), None);
        assert_eq!(
            name_after(
                "events.out.tfevents.9999999999.host.7.0",
                1_700_000_000,
                "host.6.0"
            ),
            None
        );
    }

    proptest! {
        #[test]
        fn next_name_sorts_after_the_last(last in 0..9_999_999_999_u64, host in "[a-zA-Z0-9.-]{1,12}", pid in 1..9_999_999_u32,
                                          now in 0..9_999_999_999_u64, rest in "[a-zA-Z0-9.-]{1,20}") {
            let last = file_name(last, &format!("{host}.{pid}.0.v2"));
            prop_assert!(name_after(&last, now, &rest).unwrap() > last);
        }
    }
}
