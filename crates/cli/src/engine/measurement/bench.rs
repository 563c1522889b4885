//! The measurements of one checkpoint, one after the other: what they share, and what each hands
//! on.

use burn::tensor::Device;
use pictures::Picture;
use probes::sink::Folder;
use serde_json::Value;

use super::Request;
use crate::engine::data::Data;
use crate::engine::watch::{Watch, Work};
use crate::report::number::Number;

/// A file to be written: its name and its content.
pub(crate) type NamedFile = (String, Vec<u8>);

/// The result of one measurement.
pub(crate) struct Finding {
    /// Its key in the document.
    pub(crate) key: &'static str,
    /// Its value there.
    pub(crate) value: Value,
    /// Its rows in the table.
    pub(crate) rows: Vec<Row>,
    /// Remarks for the reader of the table.
    pub(crate) remarks: Vec<String>,
    /// Pictures and numbers.
    pub(crate) files: Vec<NamedFile>,
}

/// A row of the table.
pub(crate) struct Row {
    /// The name of the quantity.
    pub(crate) what: String,
    /// Its value.
    pub(crate) value: String,
    /// Its error.
    pub(crate) error: String,
    /// Its cost: products, points.
    pub(crate) work: String,
    /// Seconds; none where those of another row are its own.
    pub(crate) seconds: Option<f64>,
}

impl Row {
    /// Returns a row of a value and how well it is known.
    pub(super) fn new(
        what: impl Into<String>,
        value: impl Into<String>,
        error: impl Into<String>,
    ) -> Self {
        Self {
            what: what.into(),
            value: value.into(),
            error: error.into(),
            work: String::new(),
            seconds: None,
        }
    }

    /// Returns the row with what it took.
    pub(super) fn after(self, count: usize, what: &str, seconds: f64) -> Self {
        Self {
            work: format!("{count} {what}"),
            seconds: Some(seconds),
            ..self
        }
    }
}

/// A measurement with its name.
pub(super) type Measurement<'a> = Work<'a, Finding>;

/// The inputs that all measurements share.
pub(super) struct Bench<'a, W> {
    pub(super) request: &'a Request,
    pub(super) data: &'a Data<W>,
    /// The device without autodiff.
    pub(super) device: Device,
    pub(super) step: u64,
    pub(super) watch: Watch,
    /// Whether the network has running statistics of BatchNorm.
    pub(super) has_statistics: bool,
}

impl<W> Bench<'_, W> {
    /// Returns the files of numbers and of the picture that shows them, each under its tag.
    pub(super) fn files(
        &self,
        (data_tag, data): (&str, Value),
        (picture_tag, picture): (&str, Picture),
    ) -> anyhow::Result<Vec<NamedFile>> {
        let mut files = Folder::files(data_tag, self.step, &probes::Value::Data(data))?;
        let picture = probes::Value::Picture(picture);
        files.extend(Folder::files(picture_tag, self.step, &picture)?);
        Ok(files)
    }
}

/// Returns a number in the document, which may not be finite.
pub(crate) fn number(value: f64) -> Value {
    serde_json::to_value(Number(value)).expect("a number or a text is JSON")
}
