//! The scalar: one number of a step.

use super::{Data, Kind};
use crate::proto::Tensor;
use crate::{Error, EventWriter};

impl EventWriter {
    /// Writes a number.
    ///
    /// TensorBoard stores scalars as `f32`, so the number is rounded to the nearest one (beyond
    /// 3.4e38: infinity). NaN and infinities are written as they are: a diverged loss is worth
    /// seeing. A slash in the tag makes a group: `loss/train`, `loss/valid`.
    ///
    /// It is stored as PyTorch's `SummaryWriter.add_scalar` stores it, as a `simple_value`: so
    /// `EventAccumulator.Scalars`, and the scripts that are built on it, find it too, and show the
    /// steps that a resumed run repeats once.
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
    /// writer.scalar("loss/train", 0, 2.5)?;
    /// let error = writer.scalar("loss/train", 0, 2.0).unwrap_err();
    /// assert!(
    ///     error
    ///         .to_string()
    ///         .starts_with("step 0 of tag `loss/train` does not come after its last step 0")
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn scalar(&mut self, tag: &str, step: i64, value: f64) -> Result<(), Error> {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the format has f32; the cast rounds to nearest"
        )]
        let value = value as f32;
        self.write(Kind::Scalar, step, vec![(tag, Data::Number(value))])
    }
}

/// Returns the number of a rank 0 tensor, the form in which TensorFlow 2 writes a scalar.
pub(super) fn decode(tensor: &Tensor) -> Option<f32> {
    match tensor.numbers()?.as_slice() {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the scalars of TensorBoard are f32"
        )]
        [value] => Some(*value as f32),
        _ => None,
    }
}
