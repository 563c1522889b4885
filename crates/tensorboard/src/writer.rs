//! The writer of one event file.

use crate::Error;
use crate::directory::{RunLock, existing_event_files};
use crate::disk::sync_directory;
use crate::proto;
use crate::record::LARGEST_RECORD;
use crate::record_file::RecordFile;
use crate::summary::{Data, Kind};
use prost::Message;
use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Writes the values of one run, in one new event file of its run directory.
///
/// # Guarantees
/// - The file begins with the header record; each value is one record, written unbuffered in one
///   call. A killed process loses at most the value that it was writing, and TensorBoard sees each
///   value at once. There is nothing to flush.
/// - An existing file is never touched. A resumed run writes a new file, whose name sorts after the
///   earlier ones.
/// - A run directory has one writer at a time, in this and in every other process: the trainer and
///   its diagnostics share it. A lock left by a killed process does not block.
/// - The steps of a tag strictly increase, and a tag keeps its kind. Anything else is an error, and
///   nothing is written.
/// - Failed output never stops training: after the first failure the writer goes quiet, counts what
///   is lost, and [`finish`](Self::finish) returns the failure once. The file stays readable up to
///   its last whole record. Dropping the writer without `finish` loses that report but no data, and
///   never panics.
///
/// A limit on the size of files (`ulimit -f`) that falls exactly between two records still ends a
/// process on Unix that does not ignore SIGXFSZ.
///
/// # Examples
/// ```
/// use tensorboard::{EventWriter, Histogram};
///
/// let folder = tempfile::tempdir()?;
/// let mut writer = EventWriter::create(folder.path().join("sgd"))?;
/// for step in 0..3 {
///     writer.scalar("loss/train", step, 0.5_f64.powi(step as i32))?;
/// }
/// writer.histogram("gradient/values", 2, &Histogram::of(&[-1.0, 0.5, 2.0])?)?;
/// writer.text("diagnosis/report", 2, "The loss **halves** each step.")?;
/// let written = writer.finish()?;
/// assert_eq!(written.values, 5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct EventWriter {
    records: RecordFile,
    pub(crate) tags: HashMap<String, Track>,
    pub(crate) descriptions: HashMap<String, String>,
    start: Option<i64>,
    written: u64,
    lost: u64,
    lock: RunLock,
}

/// The use of a tag so far.
#[derive(Debug)]
pub(crate) struct Track {
    kind: Kind,
    pub(crate) last: i64,
}

/// The account of a finished writer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The event file.
    pub path: PathBuf,
    /// The number of values: one for each call that wrote.
    pub values: u64,
    /// The length of the file in bytes.
    pub bytes: u64,
}

impl EventWriter {
    /// Begins a fresh run: a directory (made if it is missing) without event files.
    ///
    /// The file says that the run starts at step 0; steps must not be negative. A directory that
    /// already holds event files is refused, because TensorBoard would draw the old run and the new
    /// one as one: [`existing_event_files`] tells beforehand.
    ///
    /// # Errors
    /// [`Error::AlreadyHoldsRun`]; [`Error::Busy`] if another writer is open there; [`Error::Io`]
    /// if the directory or the file cannot be created or written.
    pub fn create(directory: impl AsRef<Path>) -> Result<Self, Error> {
        let directory = directory.as_ref();
        let lock = RunLock::take(directory)?;
        let files = existing_event_files(directory)?.len();
        if files > 0 {
            return Err(Error::AlreadyHoldsRun {
                directory: directory.to_path_buf(),
                files,
            });
        }
        let file = lock.next_event_file()?;
        Self::begin(lock, file, Some(0))
    }

    /// Goes on with a run, in a new event file beside the earlier ones.
    ///
    /// Give the first step that will be written, if it is known: the file then says that the run
    /// starts again there, and earlier steps are refused. Points that an interrupted run wrote from
    /// that step on give way to the new ones. With an unknown step the file says nothing and any
    /// step is taken. A directory without event files is allowed.
    ///
    /// # Errors
    /// [`Error::Busy`] if another writer is open there; [`Error::NameOrder`] if a foreign file
    /// sorts after every possible name; [`Error::Io`] if the directory or the file cannot be
    /// created or written.
    ///
    /// # Examples
    /// ```
    /// use tensorboard::EventWriter;
    ///
    /// let folder = tempfile::tempdir()?;
    /// let mut writer = EventWriter::create(folder.path())?;
    /// writer.scalar("loss/train", 9, 0.25)?;
    /// let first = writer.finish()?;
    ///
    /// let mut writer = EventWriter::resume(folder.path(), Some(10))?;
    /// assert!(writer.path() > first.path.as_path());
    /// assert!(writer.scalar("loss/train", 9, 0.25).is_err());
    /// writer.scalar("loss/train", 10, 0.125)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn resume(directory: impl AsRef<Path>, step: Option<i64>) -> Result<Self, Error> {
        let lock = RunLock::take(directory)?;
        let file = lock.next_event_file()?;
        Self::begin(lock, file, step)
    }

    /// Begins the event file `path`, which [`RunLock::next_event_file`] gave, under a lock that was
    /// taken before.
    ///
    /// For programs that decide under the lock what becomes of a directory, or that write down the
    /// name of a file before there is one. The file says that the run starts, or starts again, at
    /// `start`, as in [`resume`](Self::resume).
    ///
    /// # Errors
    /// [`Error::Io`] if the file exists, or cannot be created or written.
    #[expect(
        clippy::missing_panics_doc,
        reason = "a file that could not be written tells why when it is closed"
    )]
    pub fn begin(lock: RunLock, path: PathBuf, start: Option<i64>) -> Result<Self, Error> {
        let failed = |source| Error::Io {
            action: "write",
            path: path.clone(),
            source,
        };
        let mut records = RecordFile::create_new(&path).map_err(failed)?;
        records.append(&header().encode_to_vec());
        if let Some(step) = start {
            let session_log = Some(proto::SessionLog {
                status: proto::SESSION_START,
            });
            let event = proto::Event {
                wall_time: now(),
                step,
                session_log,
                ..Default::default()
            };
            records.append(&event.encode_to_vec());
        }
        // The name of the file reaches the disk with its header.
        let named = sync_directory(lock.directory());
        if records.failure().is_some() || named.is_err() {
            // A file without a header is of no use, and would make the directory look like a run.
            let error = records
                .close()
                .err()
                .or(named.err())
                .expect("closing tells the failure of an earlier write");
            let _ = fs::remove_file(&path);
            return Err(failed(error));
        }
        Ok(Self {
            records,
            tags: HashMap::new(),
            descriptions: HashMap::new(),
            start,
            written: 0,
            lost: 0,
            lock,
        })
    }

    /// Returns the event file that is being written.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.records.path()
    }

    /// Returns the number of values that are in the file.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Returns the number of values that were lost to failed output; zero in a sound run.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Returns the first failure of output, if there was one, for programs that want to warn before
    /// the end.
    #[must_use]
    pub fn failure(&self) -> Option<&io::Error> {
        self.records.failure()
    }

    /// Waits until all values so far are on the disk, and gives the length of the file in bytes.
    ///
    /// For programs that write down elsewhere what the file holds, such as a checkpoint: what was
    /// synchronised survives a loss of power too.
    ///
    /// # Errors
    /// [`Error::Lost`] if an output failed, now or before, as [`finish`](Self::finish) will say.
    pub fn sync(&mut self) -> Result<u64, Error> {
        if self.records.sync() {
            return Ok(self.records.good());
        }
        let again = |error: &io::Error| io::Error::new(error.kind(), error.to_string());
        let source = self
            .records
            .failure()
            .map_or_else(|| io::ErrorKind::Other.into(), again);
        Err(Error::Lost {
            path: self.records.path().to_path_buf(),
            written: self.written,
            lost: self.lost,
            source,
        })
    }

    /// Tells whether the event file and the lock are still in their place.
    ///
    /// # Errors
    /// [`Error::Replaced`] if one of them was removed, moved or replaced, and with it what was
    /// written; [`Error::Io`] if that cannot be seen.
    pub fn check_in_place(&self) -> Result<(), Error> {
        self.lock.check_in_place()?;
        self.records.check_in_place()
    }

    /// Ends the run: hands the data to the disk, frees the run directory, and says what was
    /// written.
    ///
    /// # Errors
    /// [`Error::Lost`] with the first failure of output and the number of values that it cost.
    pub fn finish(self) -> Result<Written, Error> {
        let path = self.records.path().to_path_buf();
        let bytes = self.records.good();
        match self.records.close() {
            Ok(()) => Ok(Written {
                path,
                values: self.written,
                bytes,
            }),
            Err(source) => Err(Error::Lost {
                path,
                written: self.written,
                lost: self.lost,
                source,
            }),
        }
    }

    /// Returns the step at which the run starts or resumes, as far as this file says.
    pub(crate) fn first_step(&self) -> i64 {
        self.start.unwrap_or(0)
    }

    /// Returns the last step of any tag in this file, or the first step.
    pub(crate) fn last_step(&self) -> i64 {
        let last = self.tags.values().map(|track| track.last).max();
        last.unwrap_or(0).max(self.first_step())
    }

    /// Writes one event with the values of one step, after checking tags and steps. The metadata
    /// are added here: readers take those of the first event of a tag, and after a resume that may
    /// be any. The description, which is long, goes with the first event of this file.
    pub(crate) fn write(
        &mut self,
        kind: Kind,
        step: i64,
        values: Vec<(&str, Data)>,
    ) -> Result<(), Error> {
        let mut value = Vec::with_capacity(values.len());
        let mut tracks = Vec::with_capacity(values.len());
        for (tag, data) in values {
            self.check(kind, tag, step)?;
            let mut metadata = kind.metadata();
            let (simple_value, tensor, content) = match data {
                Data::Number(number) => (Some(number), None, Vec::new()),
                Data::Tensor(tensor) => (None, Some(tensor), Vec::new()),
                Data::Described(tensor, content) => (None, Some(tensor), content),
                // An empty tensor: a value without any is taken for one of an old version.
                Data::Plugin(content) => (
                    None,
                    Some(proto::Tensor::of(proto::DT_FLOAT, &[0])),
                    content,
                ),
            };
            metadata.plugin_data.get_or_insert_default().content = content;
            if !self.tags.contains_key(tag)
                && let Some(description) = self.descriptions.get(tag)
            {
                metadata.summary_description.clone_from(description);
            }
            tracks.push((tag.to_owned(), Track { kind, last: step }));
            value.push(proto::Value {
                tag: tag.to_owned(),
                simple_value,
                tensor,
                metadata: Some(metadata),
            });
        }
        let event = proto::Event {
            wall_time: now(),
            step,
            summary: Some(proto::Summary { value }),
            ..Default::default()
        };
        let bytes = event.encoded_len() as u64;
        if bytes > LARGEST_RECORD {
            let (tag, _) = tracks.swap_remove(0);
            return Err(Error::ValueTooLarge { tag, bytes });
        }
        self.tags.extend(tracks);
        if self.records.append(&event.encode_to_vec()) {
            self.written += 1;
        } else {
            self.lost += 1;
        }
        Ok(())
    }

    fn check(&self, kind: Kind, tag: &str, step: i64) -> Result<(), Error> {
        if tag.is_empty() {
            return Err(Error::EmptyTag);
        }
        if let Some(start) = self.start
            && step < start
        {
            return Err(Error::StepBeforeStart {
                tag: tag.to_owned(),
                start,
                step,
            });
        }
        let Some(track) = self.tags.get(tag) else {
            return Ok(());
        };
        if track.kind != kind {
            return Err(Error::TagKind {
                tag: tag.to_owned(),
                first: track.kind.name(),
                second: kind.name(),
            });
        }
        if step <= track.last {
            return Err(Error::StepNotIncreasing {
                tag: tag.to_owned(),
                last: track.last,
                step,
            });
        }
        Ok(())
    }
}

/// Returns the first event of a file.
pub(crate) fn header() -> proto::Event {
    proto::Event {
        wall_time: now(),
        file_version: Some(proto::FILE_VERSION.into()),
        ..Default::default()
    }
}

/// Seconds since 1970; finite whatever the clock says.
pub(crate) fn now() -> f64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(after) => after.as_secs_f64(),
        Err(before) => -before.duration().as_secs_f64(),
    }
}
