//! The scalar: one number of a step.

use super::Kind;
use crate::proto::{DT_FLOAT, Tensor};
use crate::{Error, EventWriter};

impl EventWriter {
    /// Writes a number.
    ///
    /// TensorBoard stores scalars as `f32`, so the number is rounded to the nearest one (beyond 3.4e38: infinity). NaN and
    /// infinities are written as they are: a diverged loss is worth seeing. A slash in the tag makes a group:
    /// `loss/train`, `loss/valid`.
    ///
    /// # Errors
    /// [`Error::EmptyTag`], [`Error::StepNotIncreasing`], [`Error::StepBeforeStart`], [`Error::TagKind`]; nothing is written
    /// then. Failed output is not an error here, see [`EventWriter`].
    ///
    /// # Examples
    /// ```
    /// let folder = tempfile::tempdir()?;
    /// let mut writer = tensorboard::EventWriter::create(folder.path())?;
    /// writer.scalar("loss/train", 0, 2.5)?;
    /// let error = writer.scalar("loss/train", 0, 2.0).unwrap_err();
    /// assert!(error.to_string().starts_with("step 0 of tag `loss/train` does not come after its last step 0"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn scalar(&mut self, tag: &str, step: i64, value: f64) -> Result<(), Error> {
        self.write(Kind::Scalar, step, vec![(tag, encode(value))])
    }
}

/// A rank 0 tensor of type `DT_FLOAT`: with `DT_DOUBLE` the tag would vanish from the data server.
fn encode(value: f64) -> Tensor {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the format has f32; the cast rounds to nearest"
    )]
    let value = value as f32;
    Tensor {
        float_val: vec![value],
        ..Tensor::of(DT_FLOAT, &[])
    }
}

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
