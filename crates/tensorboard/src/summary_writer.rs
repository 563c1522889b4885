//! The face that users of PyTorch's `SummaryWriter` know.

use crate::{
    Chart, Error, EventWriter, Histogram, Hparams, Layout, Margin, Mesh, Png, PrCurve,
    PrCurveConfig, RunLock, Status, Written, default_run_directory, existing_event_files,
};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where and how a [`SummaryWriter`] writes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SummaryWriterConfig {
    /// The run directory; none for [`default_run_directory`].
    pub log_dir: Option<PathBuf>,
    /// The end of the default directory's name; without meaning where there is a `log_dir`.
    pub comment: String,
    /// The first step that will be written, where an interrupted run goes on: what it wrote from
    /// that step on gives way.
    pub purge_step: Option<i64>,
    /// The end of the names of event files.
    pub filename_suffix: String,
}

impl SummaryWriterConfig {
    /// Returns the settings of PyTorch's `SummaryWriter()`.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the run directory.
    #[must_use]
    pub fn with_log_dir(self, log_dir: impl Into<PathBuf>) -> Self {
        Self {
            log_dir: Some(log_dir.into()),
            ..self
        }
    }

    /// Sets the end of the default directory's name.
    #[must_use]
    pub fn with_comment(self, comment: impl Into<String>) -> Self {
        Self {
            comment: comment.into(),
            ..self
        }
    }

    /// Sets the first step that will be written.
    #[must_use]
    pub fn with_purge_step(self, step: i64) -> Self {
        Self {
            purge_step: Some(step),
            ..self
        }
    }

    /// Sets the end of the names of event files.
    #[must_use]
    pub fn with_filename_suffix(self, suffix: impl Into<String>) -> Self {
        Self {
            filename_suffix: suffix.into(),
            ..self
        }
    }

    /// Opens the writer. A directory that holds a run is gone on with, in a file of its own.
    ///
    /// # Errors
    /// As [`EventWriter::resume`], and [`Error::Suffix`].
    pub fn open(self) -> Result<SummaryWriter, Error> {
        let log_dir = self.log_dir.clone();
        let log_dir = log_dir.unwrap_or_else(|| default_run_directory(&self.comment));
        let events = self.begin(&log_dir)?;
        Ok(SummaryWriter {
            config: self,
            log_dir,
            events,
            others: BTreeMap::new(),
            layout: Layout::new(),
        })
    }

    fn begin(&self, directory: &Path) -> Result<EventWriter, Error> {
        let lock = RunLock::take(directory)?;
        let is_fresh = existing_event_files(directory)?.is_empty();
        let file = lock.next_event_file_with(&self.filename_suffix)?;
        let start = self.purge_step.or(is_fresh.then_some(0));
        EventWriter::begin(lock, file, start)
    }
}

/// A writer with the names and habits of PyTorch's `SummaryWriter`, over an [`EventWriter`] and
/// with its guarantees.
///
/// Differences: steps are given and increase for each tag; bad input is an [`Error`]; every value
/// is in the file when its call returns; the settings of [`add_hparams`](Self::add_hparams) stand
/// in the run's own directory. The crate's README has the table.
///
/// # Examples
/// ```
/// use tensorboard::{SummaryWriter, existing_event_files};
///
/// let folder = tempfile::tempdir()?;
/// let mut writer = SummaryWriter::new(folder.path().join("mnist"))?;
/// for step in 0..10 {
///     writer.add_scalar("loss/train", 0.9_f64.powi(step), step.into())?;
/// }
/// writer.add_scalars("loss", &[("train", 0.4), ("valid", 0.5)], 9)?;
/// writer.add_text("notes", "It *falls*.", 9)?;
/// writer.close()?;
/// // As in PyTorch, `add_scalars` makes a run for each curve.
/// assert_eq!(
///     existing_event_files(folder.path().join("mnist/loss_valid"))?.len(),
///     1
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct SummaryWriter {
    config: SummaryWriterConfig,
    log_dir: PathBuf,
    events: EventWriter,
    /// The writers of the curves of `add_scalars`, by their directory.
    others: BTreeMap<PathBuf, EventWriter>,
    layout: Layout,
}

impl SummaryWriter {
    /// Opens a writer in a run directory. PyTorch's `SummaryWriter()` with a directory of its own
    /// making is [`SummaryWriterConfig::open`].
    ///
    /// # Errors
    /// As [`SummaryWriterConfig::open`].
    pub fn new(log_dir: impl Into<PathBuf>) -> Result<Self, Error> {
        SummaryWriterConfig::new().with_log_dir(log_dir).open()
    }

    /// Returns the run directory.
    #[must_use]
    pub fn log_dir(&self) -> &Path {
        &self.log_dir
    }

    /// Returns the writer below, for what has no counterpart in PyTorch.
    pub fn events(&mut self) -> &mut EventWriter {
        &mut self.events
    }

    /// Writes a number.
    ///
    /// # Errors
    /// As [`EventWriter::scalar`].
    pub fn add_scalar(&mut self, tag: &str, value: f64, step: i64) -> Result<(), Error> {
        self.events.scalar(tag, step, value)
    }

    /// Writes numbers that stand in one chart: each as a run of its own in the directory
    /// `{main_tag}_{name}` below this one, with `_` for the slashes of the tag, as PyTorch does.
    ///
    /// # Errors
    /// As [`EventWriter::resume`] and [`EventWriter::scalar`].
    pub fn add_scalars(
        &mut self,
        main_tag: &str,
        values: &[(&str, f64)],
        step: i64,
    ) -> Result<(), Error> {
        for (name, value) in values {
            let folder = format!("{main_tag}_{name}").replace(['/', '\\'], "_");
            let directory = self.log_dir.join(folder);
            if !self.others.contains_key(&directory) {
                let writer = self.config.begin(&directory)?;
                self.others.insert(directory.clone(), writer);
            }
            if let Some(writer) = self.others.get_mut(&directory) {
                writer.scalar(main_tag, step, *value)?;
            }
        }
        Ok(())
    }

    /// Writes the histogram of some numbers.
    ///
    /// # Errors
    /// [`Error::ValueNotFinite`], and as [`EventWriter::histogram`].
    pub fn add_histogram(&mut self, tag: &str, values: &[f64], step: i64) -> Result<(), Error> {
        self.events.histogram(tag, step, &Histogram::of(values)?)
    }

    /// Writes a picture; [`Png::from_chw`] makes one of a tensor `[C, H, W]`.
    ///
    /// # Errors
    /// As [`EventWriter::image`].
    pub fn add_image(&mut self, tag: &str, picture: &Png, step: i64) -> Result<(), Error> {
        self.events.image(tag, step, std::slice::from_ref(picture))
    }

    /// Writes pictures of one size; [`Png::from_nchw`] makes them of a batch `[N, C, H, W]`.
    ///
    /// # Errors
    /// As [`EventWriter::image`].
    pub fn add_images(&mut self, tag: &str, pictures: &[Png], step: i64) -> Result<(), Error> {
        self.events.image(tag, step, pictures)
    }

    /// Writes a figure that a program has drawn: the bytes of a PNG file.
    ///
    /// # Errors
    /// [`Error::NotPng`], and as [`EventWriter::image`].
    pub fn add_figure(&mut self, tag: &str, png: Vec<u8>, step: i64) -> Result<(), Error> {
        self.add_image(tag, &Png::from_bytes(png)?, step)
    }

    /// Writes a text in Markdown.
    ///
    /// # Errors
    /// As [`EventWriter::text`].
    pub fn add_text(&mut self, tag: &str, text: &str, step: i64) -> Result<(), Error> {
        self.events.text(tag, step, text)
    }

    /// Writes the settings of the run and its last metrics, at the end of the run: a row of the
    /// page HParams. The metrics are scalars, which the page finds by their tags.
    ///
    /// # Errors
    /// As [`EventWriter::hparams`] and [`EventWriter::scalar`].
    pub fn add_hparams(&mut self, hparams: &Hparams, metrics: &[(&str, f64)]) -> Result<(), Error> {
        self.events.hparams(hparams)?;
        let step = self.events.last_step();
        for (tag, value) in metrics {
            self.events.scalar(tag, step, *value)?;
        }
        self.events.end_session(Status::Success, None)
    }

    /// Writes a mesh, or a cloud of points.
    ///
    /// # Errors
    /// As [`EventWriter::mesh`].
    pub fn add_mesh(&mut self, tag: &str, mesh: &Mesh, step: i64) -> Result<(), Error> {
        self.events.mesh(tag, step, mesh)
    }

    /// Writes the charts of the page Custom Scalars, in place of any before.
    ///
    /// # Errors
    /// As [`EventWriter::layout`].
    pub fn add_custom_scalars(&mut self, layout: &Layout) -> Result<(), Error> {
        self.events.layout(layout)?;
        self.layout = layout.clone();
        Ok(())
    }

    /// Adds a chart of several scalars, each named by a regular expression, to the charts so far.
    ///
    /// # Errors
    /// As [`EventWriter::layout`].
    pub fn add_custom_scalars_multilinechart(
        &mut self,
        tags: &[&str],
        category: &str,
        title: &str,
    ) -> Result<(), Error> {
        let tags = tags.iter().copied();
        self.add_chart(category, Chart::lines(title, tags))
    }

    /// Adds a chart of a scalar within a band, given the tags of value, lower and upper end.
    ///
    /// # Errors
    /// As [`EventWriter::layout`].
    pub fn add_custom_scalars_marginchart(
        &mut self,
        [value, lower, upper]: [&str; 3],
        category: &str,
        title: &str,
    ) -> Result<(), Error> {
        let margin = Margin::new(value, lower, upper);
        self.add_chart(category, Chart::margins(title, [margin]))
    }

    fn add_chart(&mut self, category: &str, chart: Chart) -> Result<(), Error> {
        let layout = self.layout.clone().with(category, chart);
        self.add_custom_scalars(&layout)
    }

    /// Writes the precision-recall curve of predictions between 0 and 1.
    ///
    /// # Errors
    /// As [`PrCurve::of`] and [`EventWriter::pr_curve`].
    pub fn add_pr_curve(
        &mut self,
        tag: &str,
        labels: &[bool],
        predictions: &[f64],
        step: i64,
    ) -> Result<(), Error> {
        let curve = PrCurve::of(predictions, labels, &PrCurveConfig::default())?;
        self.add_pr_curve_raw(tag, &curve, step)
    }

    /// Writes a precision-recall curve that was computed before, with weights say.
    ///
    /// # Errors
    /// As [`EventWriter::pr_curve`].
    pub fn add_pr_curve_raw(&mut self, tag: &str, curve: &PrCurve, step: i64) -> Result<(), Error> {
        self.events.pr_curve(tag, step, curve)
    }

    /// Waits until all values so far are on the disk. Readers see them without it.
    ///
    /// # Errors
    /// [`Error::Lost`] if an output failed, now or before.
    pub fn flush(&mut self) -> Result<(), Error> {
        self.events.sync()?;
        for writer in self.others.values_mut() {
            writer.sync()?;
        }
        Ok(())
    }

    /// Ends the run. Dropping the writer does so too, but tells nothing.
    ///
    /// # Errors
    /// [`Error::Lost`] with the first failure of output of any of its files.
    pub fn close(self) -> Result<Written, Error> {
        let written = self.events.finish();
        let others: Vec<_> = self.others.into_values().map(EventWriter::finish).collect();
        let written = written?;
        for other in others {
            other?;
        }
        Ok(written)
    }
}
