//! The sink that writes TensorBoard's event files.

use std::collections::BTreeSet;
use std::path::Path;

use tensorboard::{EventWriter, Hparams, Layout, Png, Status};

use super::{Sink, layout, told};
use crate::record::{Record, Value};
use crate::{Error, tag};

/// Writes an event file into a run's directory. [`Value::Data`] is left out: TensorBoard has
/// nothing to show it with.
///
/// Tags of this crate are described in a sentence each ([`tag::description`]), which TensorBoard
/// shows behind the (i) of a card. With the first scalar under `curvature/` the file gets the
/// charts of the page Custom Scalars ([`layout()`](super::layout())).
///
/// The file is unbuffered, so a killed run keeps everything up to its last record. A record that
/// TensorBoard would not take (a step that does not increase) is left out, and the first such error
/// is returned at the end.
#[derive(Debug)]
pub struct TensorBoard {
    writer: EventWriter,
    rejected: u64,
    first_rejection: Option<Error>,
    described: BTreeSet<String>,
    /// The charts that are still to be written.
    layout: Option<Layout>,
    /// What became of the file or its directory while the run went on.
    gone: Option<Error>,
    /// Whether the end is written for the page of settings.
    ends_session: bool,
}

impl TensorBoard {
    /// Begins a fresh run in `directory`.
    ///
    /// # Errors
    /// As [`EventWriter::create`].
    pub fn create(directory: impl AsRef<Path>) -> Result<Self, Error> {
        Ok(Self::from_writer(EventWriter::create(directory)?))
    }

    /// Goes on with the run in `directory` at `step`, or at an unknown step.
    ///
    /// # Errors
    /// As [`EventWriter::resume`], and [`Error::StepTooLarge`].
    pub fn resume(directory: impl AsRef<Path>, step: Option<u64>) -> Result<Self, Error> {
        let step = step.map(signed).transpose()?;
        Ok(Self::from_writer(EventWriter::resume(directory, step)?))
    }

    /// Writes to an open writer.
    #[must_use]
    pub fn from_writer(writer: EventWriter) -> Self {
        Self {
            writer,
            rejected: 0,
            first_rejection: None,
            described: BTreeSet::new(),
            layout: Some(layout()),
            gone: None,
            ends_session: false,
        }
    }

    /// Writes the settings of the run, by which `TensorBoard`'s page HParams tells runs apart and
    /// sorts them. Give every run the same settings, with a neutral value where one has none.
    /// [`Sink::finish`] says that the run has ended as it should.
    ///
    /// ```no_run
    /// use probes::sink::{Hparams, TensorBoard};
    ///
    /// let settings = Hparams::new([("method", "sam".into()), ("rho", 0.05.into())]);
    /// let sink = TensorBoard::create("runs/mine")?.with_hparams(&settings)?;
    /// # Ok::<(), probes::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`EventWriter::hparams`].
    pub fn with_hparams(mut self, settings: &Hparams) -> Result<Self, Error> {
        self.writer.hparams(settings)?;
        self.ends_session = true;
        Ok(self)
    }

    /// Sets the charts of the page Custom Scalars, in place of [`layout()`](super::layout()); one
    /// without categories for none. It is written at once.
    ///
    /// # Errors
    /// As [`EventWriter::layout`].
    pub fn with_layout(mut self, layout: &Layout) -> Result<Self, Error> {
        self.layout = None;
        if !layout.categories.is_empty() {
            self.writer.layout(layout)?;
        }
        Ok(self)
    }

    /// Returns the event file.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.writer.path()
    }

    /// Returns the event file's writer, for a program that brings it to the disk.
    pub fn writer(&mut self) -> &mut EventWriter {
        &mut self.writer
    }

    /// Takes the first reason for which a record was not taken, and how many were not, since it was
    /// last asked for.
    pub fn failure(&mut self) -> Option<Error> {
        let first = self.first_rejection.take()?;
        Some(Error::rejected(
            NAME,
            std::mem::take(&mut self.rejected),
            first,
        ))
    }

    fn try_write(&mut self, record: &Record) -> Result<(), Error> {
        let step = signed(record.step)?;
        let tag = &record.tag;
        if self.described.insert(tag.clone())
            && let Some(sentence) = tag::description(tag)
        {
            self.writer.describe(tag, &sentence)?;
        }
        match &record.value {
            Value::Scalar(value) => {
                self.writer.scalar(tag, step, *value)?;
                if tag.starts_with("curvature/")
                    && let Some(layout) = self.layout.take()
                {
                    self.writer.layout(&layout)?;
                }
            }
            Value::Histogram(histogram) => self.writer.histogram(tag, step, histogram)?,
            Value::Picture(picture) => {
                let png = Png::from_bytes(picture.png()?)?;
                self.writer.image(tag, step, &[png])?;
            }
            Value::Mesh(mesh) => self.writer.mesh(tag, step, mesh)?,
            Value::Text(text) => self.writer.text(tag, step, text)?,
            Value::Data(_) => {}
        }
        Ok(())
    }
}

/// The sink in messages.
const NAME: &str = "TensorBoard";

impl Sink for TensorBoard {
    fn name(&self) -> &'static str {
        NAME
    }

    fn write(&mut self, record: &Record) {
        if let Err(error) = self.try_write(record) {
            self.rejected += 1;
            self.first_rejection.get_or_insert(error);
        }
    }

    /// Looks whether the file is still in its place.
    fn flush(&mut self) {
        if self.gone.is_none() {
            self.gone = self.writer.check_in_place().err().map(Error::from);
        }
    }

    fn warning(&mut self) -> Option<String> {
        if let Some(failure) = self.writer.failure() {
            let path = self.writer.path().display();
            return Some(format!("cannot write to `{path}`: {failure}"));
        }
        self.gone.as_ref().map(told)
    }

    fn finish(mut self: Box<Self>) -> Result<(), Error> {
        self.flush();
        if self.ends_session
            && let Err(error) = self.writer.end_session(Status::Success, None)
        {
            self.rejected += 1;
            self.first_rejection.get_or_insert(error.into());
        }
        // A full disk and a record that the file cannot take are told both.
        let refused = self
            .first_rejection
            .map(|first| Error::rejected(NAME, self.rejected, first));
        let lost = self.writer.finish().err().map(Error::from);
        let lost = lost.or(self.gone);
        match (refused, lost) {
            (None, None) => Ok(()),
            (Some(error), None) | (None, Some(error)) => Err(error),
            (Some(refused), Some(lost)) => Err(Error::Both(Box::new(refused), Box::new(lost))),
        }
    }
}

fn signed(step: u64) -> Result<i64, Error> {
    i64::try_from(step).map_err(|_| Error::StepTooLarge { step })
}
