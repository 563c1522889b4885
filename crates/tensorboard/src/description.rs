//! The description of a tag, which TensorBoard shows behind its (i).

use crate::{Error, EventWriter};

impl EventWriter {
    /// Says in Markdown what a tag holds, before its first value.
    ///
    /// TensorBoard shows it behind the (i) on its pages Scalars, Images, Distributions and
    /// Histograms; the pages Time Series and Text have no place for it.
    ///
    /// The description is written with the first value of the tag in this file, so call this for a
    /// resumed run too: TensorBoard takes the first one that it finds in the run. Saying it again
    /// before the first value replaces what was said.
    ///
    /// # Errors
    /// [`Error::EmptyTag`]; [`Error::DescribedLate`] if the tag has a value in this file.
    ///
    /// # Examples
    /// ```
    /// let folder = tempfile::tempdir()?;
    /// let mut writer = tensorboard::EventWriter::create(folder.path())?;
    /// writer.describe(
    ///     "curvature/lambda_1",
    ///     "Largest eigenvalue of the Hessian of the training loss.",
    /// )?;
    /// writer.scalar("curvature/lambda_1", 0, 2.5)?;
    /// assert!(writer.describe("curvature/lambda_1", "Too late.").is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn describe(&mut self, tag: &str, markdown: &str) -> Result<(), Error> {
        if tag.is_empty() {
            return Err(Error::EmptyTag);
        }
        if self.tags.contains_key(tag) {
            return Err(Error::DescribedLate {
                tag: tag.to_owned(),
            });
        }
        self.descriptions
            .insert(tag.to_owned(), markdown.to_owned());
        Ok(())
    }
}
