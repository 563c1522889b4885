//! A file that holds whole records only, and goes quiet at the first failure.

use crate::Error;
use crate::disk::{check_in_place, sync};
use crate::record::frame;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// A new file to which records are appended.
///
/// A record goes out in one unbuffered `write`, so a kill can cut only the last one and a reader
/// sees it at once. The first failure is kept and ends all further attempts; the file is cut back
/// to its last whole record.
#[derive(Debug)]
pub(crate) struct RecordFile {
    file: File,
    path: PathBuf,
    good: u64,
    failure: Option<io::Error>,
}

impl RecordFile {
    /// Creates a file, which must not exist.
    pub(crate) fn create_new(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).create_new(true).open(path)?;
        Ok(Self {
            file,
            path: path.to_path_buf(),
            good: 0,
            failure: None,
        })
    }

    /// Returns the path of the file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the length of the whole records, in bytes.
    pub(crate) fn good(&self) -> u64 {
        self.good
    }

    /// Returns the first failure, if there was one.
    pub(crate) fn failure(&self) -> Option<&io::Error> {
        self.failure.as_ref()
    }

    /// Appends one record and says whether it is in the file. After the first failure it tries
    /// nothing more.
    pub(crate) fn append(&mut self, data: &[u8]) -> bool {
        if self.failure.is_some() {
            return false;
        }
        let record = frame(data);
        match self.try_append(&record) {
            Ok(()) => {
                self.good += record.len() as u64;
                true
            }
            Err(error) => {
                self.failure = Some(error);
                false
            }
        }
    }

    /// Hands the data to the disk, and gives the first failure of the file's life back.
    pub(crate) fn close(mut self) -> Result<(), io::Error> {
        self.sync();
        self.failure.map_or(Ok(()), Err)
    }

    /// Waits until the records are on the disk, and says whether all that were appended are.
    pub(crate) fn sync(&mut self) -> bool {
        if self.failure.is_none() {
            self.failure = sync(&self.file).err();
        }
        self.failure.is_none()
    }

    /// Checks that the file was not removed, moved or replaced since it was created.
    pub(crate) fn check_in_place(&self) -> Result<(), Error> {
        check_in_place(&self.file, &self.path)
    }

    /// Writes a record whole or not at all.
    ///
    /// A short write means that the disk is full, that a limit on the size of files is near, or
    /// that a signal came. Writing the rest, as `write_all` does, would end the process in the
    /// second case: at the limit the system sends SIGXFSZ. So the piece is cut off and the whole
    /// record is tried once more; a second short write is a failure. A reader that has seen the
    /// piece is not misled, because the same bytes follow.
    fn try_append(&mut self, record: &[u8]) -> io::Result<()> {
        let mut tries = 0;
        loop {
            match self.file.write(record) {
                Ok(count) if count == record.len() => return Ok(()),
                Ok(count) => {
                    self.cut_back()?;
                    tries += 1;
                    if tries == 2 {
                        return Err(io::Error::new(
                            ErrorKind::WriteZero,
                            format!(
                                "only {count} of {} bytes were taken: the disk is full or a size limit is reached",
                                record.len()
                            ),
                        ));
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    // The failure that counts is the one of the write.
                    let _ = self.cut_back();
                    return Err(error);
                }
            }
        }
    }

    /// Cuts the file to its whole records.
    fn cut_back(&mut self) -> io::Result<()> {
        self.file.set_len(self.good)?;
        self.file.seek(SeekFrom::Start(self.good)).map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn full_device_is_one_failure_and_no_panic() {
        let file = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut full = RecordFile {
            file,
            path: "/dev/full".into(),
            good: 0,
            failure: None,
        };
        for _ in 0..1000 {
            assert!(!full.append(b"data"));
        }
        assert_eq!(full.good(), 0);
        assert_eq!(full.close().unwrap_err().kind(), ErrorKind::StorageFull);
    }

    #[test]
    fn piece_of_a_record_is_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("records");
        let mut records = RecordFile::create_new(&path).unwrap();
        assert!(records.append(b"whole"));
        records.file.write_all(b"piece").unwrap();
        records.cut_back().unwrap();
        assert!(records.append(b"next"));
        records.close().unwrap();
        assert_eq!(
            std::fs::read(&path).unwrap(),
            [frame(b"whole"), frame(b"next")].concat()
        );
    }
}
