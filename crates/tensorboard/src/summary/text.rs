//! The text: markdown of a step.

use super::{Data, Kind};
use crate::proto::{DT_STRING, Tensor};
use crate::{Error, EventWriter};

impl EventWriter {
    /// Writes a text, which TensorBoard renders as markdown; tables work, HTML does not.
    ///
    /// # Errors
    /// [`Error::EmptyTag`], [`Error::StepNotIncreasing`], [`Error::StepBeforeStart`],
    /// [`Error::TagKind`], [`Error::ValueTooLarge`]; nothing is written then. Failed output is not
    /// an error here, see [`EventWriter`].
    ///
    /// # Examples
    /// ```
    /// let folder = tempfile::tempdir()?;
    /// let mut writer = tensorboard::EventWriter::create(folder.path())?;
    /// writer.text(
    ///     "diagnosis/report",
    ///     0,
    ///     "| quantity | value |\n|---|---|\n| `lambda_1` | 12.5 |",
    /// )?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn text(&mut self, tag: &str, step: i64, markdown: &str) -> Result<(), Error> {
        self.write(
            Kind::Text,
            step,
            vec![(tag, Data::Tensor(encode(markdown)))],
        )
    }
}

/// Returns a rank 0 tensor: one of rank 1 would be drawn as a table.
fn encode(markdown: &str) -> Tensor {
    Tensor {
        string_val: vec![markdown.as_bytes().to_vec()],
        ..Tensor::of(DT_STRING, &[])
    }
}

pub(super) fn decode(tensor: &Tensor) -> Option<String> {
    match tensor.string_val.as_slice() {
        [text] if tensor.dtype == DT_STRING => String::from_utf8(text.clone()).ok(),
        _ => None,
    }
}
