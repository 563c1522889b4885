//! Where everything a run measures goes: the one event file, the PNG files, the files of numbers, and the last point of every scalar.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context;
use probes::sink::Sink;
use probes::{Record, Value};
use tensorboard::{EventWriter, Png};

use super::checkpoint::State;
use super::run_dir::{RunDir, name_of};
use super::{numbers, pictures};
use crate::report::number::Number;
use crate::report::summary::LastScalar;

/// A handle to the run's files; clones share them, because the training and the probes write to one event file.
#[derive(Clone)]
pub(crate) struct Recorder(Arc<Mutex<Files>>);

struct Files {
    /// `None` once the file is finished.
    writer: Option<EventWriter>,
    directory: RunDir,
    last_scalars: BTreeMap<String, LastScalar>,
    pictures: BTreeSet<String>,
    numbers: BTreeSet<String>,
    /// The event files of earlier sittings, and how many bytes of each a checkpoint knows of.
    events: BTreeMap<String, u64>,
    /// The first record of a probe that could not be written.
    failure: Option<anyhow::Error>,
}

impl Recorder {
    /// A new event file in the run's directory, which starts at the step of the checkpoint.
    ///
    /// # Errors
    ///
    /// When another process writes there, or the file cannot be made.
    pub(crate) fn open(mut directory: RunDir, state: Option<&State>) -> anyhow::Result<Self> {
        let step = state.map_or(0, |state| state.step);
        let writer = directory.begin_events(signed(step as u64));
        let writer = writer.context("the event file cannot be begun")?;
        Ok(Self(Arc::new(Mutex::new(Files {
            writer: Some(writer),
            directory,
            last_scalars: state
                .map(|state| state.last_scalars.clone())
                .unwrap_or_default(),
            pictures: state
                .map(|state| state.pictures.clone())
                .unwrap_or_default(),
            numbers: state.map(|state| state.numbers.clone()).unwrap_or_default(),
            events: state.map(|state| state.events.clone()).unwrap_or_default(),
            failure: None,
        }))))
    }

    /// A point of a scalar.
    ///
    /// # Errors
    ///
    /// A tag or step that cannot be written; a full disk is no error here but at the end.
    pub(crate) fn scalar(&self, tag: &str, step: u64, value: f64) -> anyhow::Result<()> {
        let mut files = self.files();
        if let Some(writer) = &mut files.writer {
            writer.scalar(tag, signed(step), value)?;
        }
        let point = LastScalar {
            step,
            value: Number(value),
        };
        files.last_scalars.insert(tag.to_owned(), point);
        Ok(())
    }

    /// A text in markdown.
    ///
    /// # Errors
    ///
    /// As [`scalar`](Self::scalar).
    pub(crate) fn text(&self, tag: &str, step: u64, markdown: &str) -> anyhow::Result<()> {
        if let Some(writer) = &mut self.files().writer {
            writer.text(tag, signed(step), markdown)?;
        }
        Ok(())
    }

    /// A record of a probe. A picture becomes a PNG file too, and the numbers behind one become files.
    fn take(&self, record: &Record) -> anyhow::Result<()> {
        let (tag, step) = (&record.tag, signed(record.step));
        if let Value::Scalar(value) = record.value {
            return self.scalar(tag, record.step, value);
        }
        let mut files = self.files();
        let Files {
            writer: Some(writer),
            directory,
            pictures,
            numbers,
            ..
        } = &mut *files
        else {
            return Ok(());
        };
        match &record.value {
            Value::Histogram(histogram) => writer.histogram(tag, step, histogram)?,
            Value::Text(markdown) => writer.text(tag, step, markdown)?,
            Value::Picture(picture) => {
                let png = picture.png()?;
                writer.image(tag, step, &[Png::from_bytes(png.clone())?])?;
                let name = pictures::file_name(tag);
                directory.write(&name, &png)?;
                pictures.insert(name);
            }
            Value::Data(data) => {
                for (name, bytes) in numbers::files(tag, record.step, data) {
                    directory.write(&name, &bytes)?;
                    numbers.insert(name);
                }
            }
            Value::Scalar(_) => {}
        }
        Ok(())
    }

    /// Waits until all that was recorded is on the disk, and tells how many bytes each event file has.
    ///
    /// A checkpoint, or a summary, says that all before it is written. Without it, a resumed run writes again what was lost.
    ///
    /// # Errors
    ///
    /// When something could not be written, or the event file or the directory was removed, moved or replaced.
    pub(crate) fn secure(&self) -> anyhow::Result<BTreeMap<String, u64>> {
        let mut files = self.files();
        files.directory.check_in_place()?;
        if let Some(failure) = files.failure.take() {
            return Err(failure);
        }
        let mut events = files.events.clone();
        if let Some(writer) = &mut files.writer {
            writer
                .check_in_place()
                .context("what was logged since this run was begun or resumed is lost")?;
            events.insert(name_of(writer.path()), writer.sync()?);
        }
        Ok(events)
    }

    /// Whether the directory is still the run's.
    pub(crate) fn owns_directory(&self) -> bool {
        self.files().directory.check_in_place().is_ok()
    }

    /// Writes a file of the run, over the one before it.
    ///
    /// # Errors
    ///
    /// As [`RunDir::write`].
    pub(crate) fn write_file(&self, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
        self.files().directory.write(name, bytes)
    }

    /// The last point of every scalar so far.
    pub(crate) fn last_scalars(&self) -> BTreeMap<String, LastScalar> {
        self.files().last_scalars.clone()
    }

    /// The names of the PNG files so far.
    pub(crate) fn pictures(&self) -> BTreeSet<String> {
        self.files().pictures.clone()
    }

    /// The names of the files of numbers so far.
    pub(crate) fn numbers(&self) -> BTreeSet<String> {
        self.files().numbers.clone()
    }

    /// Ends the event file.
    ///
    /// # Errors
    ///
    /// When something was lost on the way.
    pub(crate) fn finish(&self) -> anyhow::Result<()> {
        let mut files = self.files();
        if let Some(writer) = files.writer.take() {
            writer.finish()?;
        }
        files.failure.take().map_or(Ok(()), Err)
    }

    fn files(&self) -> MutexGuard<'_, Files> {
        // A thread that panicked while holding the files has not left them half changed: each change is one insertion.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for Recorder {
    fn write(&mut self, record: &Record) {
        if let Err(error) = self.take(record) {
            self.files().failure.get_or_insert(error);
        }
    }

    /// Ends with [`Recorder::finish`], because the training writes here as well.
    fn finish(self: Box<Self>) -> Result<(), probes::Error> {
        Ok(())
    }
}

fn signed(step: u64) -> i64 {
    i64::try_from(step).unwrap_or(i64::MAX)
}
