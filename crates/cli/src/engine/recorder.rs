//! Where everything a run measures goes: the one event file, the PNG files, and the last point of every scalar.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context;
use probes::sink::Sink;
use probes::{Record, Value};
use tensorboard::{EventWriter, Png};

use super::checkpoint::State;
use super::pictures;
use super::run_dir::Beginning;
use super::session::Job;
use crate::report::number::Number;
use crate::report::summary::LastScalar;

/// A handle to the run's files; clones share them, because the training and the probes write to one event file.
#[derive(Clone)]
pub(crate) struct Recorder(Arc<Mutex<Files>>);

struct Files {
    /// `None` once the file is finished.
    writer: Option<EventWriter>,
    directory: PathBuf,
    last_scalars: BTreeMap<String, LastScalar>,
    pictures: BTreeSet<String>,
    /// The first record of a probe that could not be written.
    failure: Option<anyhow::Error>,
}

impl Recorder {
    /// A new event file in the run's directory, which starts at the step of the checkpoint.
    ///
    /// # Errors
    ///
    /// When another process writes there, or the file cannot be made.
    pub(crate) fn open(job: &Job, state: Option<&State>) -> anyhow::Result<Self> {
        let directory = &job.training.output;
        let writer = match job.beginning {
            Beginning::Resumed => {
                let step = state.map_or(0, |state| state.step);
                EventWriter::resume(directory, Some(signed(step as u64)))
            }
            Beginning::Fresh | Beginning::Done => EventWriter::create(directory),
        };
        let writer = writer.context("the event file cannot be begun")?;
        Ok(Self(Arc::new(Mutex::new(Files {
            writer: Some(writer),
            directory: directory.clone(),
            last_scalars: state
                .map(|state| state.last_scalars.clone())
                .unwrap_or_default(),
            pictures: state
                .map(|state| state.pictures.clone())
                .unwrap_or_default(),
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

    /// A record of a probe. A picture becomes a PNG file too.
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
                pictures::write(directory, tag, &png)?;
                pictures.insert(pictures::file_name(tag));
            }
            Value::Scalar(_) | Value::Data(_) => {}
        }
        Ok(())
    }

    /// Whether something could not be written, which a later checkpoint would make good for ever.
    pub(crate) fn is_broken(&self) -> bool {
        let files = self.files();
        let failed = |writer: &EventWriter| writer.failure().is_some();
        files.failure.is_some() || files.writer.as_ref().is_some_and(failed)
    }

    /// The last point of every scalar so far.
    pub(crate) fn last_scalars(&self) -> BTreeMap<String, LastScalar> {
        self.files().last_scalars.clone()
    }

    /// The names of the PNG files so far.
    pub(crate) fn pictures(&self) -> BTreeSet<String> {
        self.files().pictures.clone()
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
