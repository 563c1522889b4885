//! The names under which a sink keeps pictures, each of one tag.

use std::collections::HashMap;

use crate::Error;

/// The tag to which each name of a picture belongs: two tags may give one name.
#[derive(Debug, Default)]
pub(super) struct PictureNames(HashMap<String, String>);

impl PictureNames {
    /// Gives a name to the first tag that asks for it.
    ///
    /// # Errors
    /// [`Error::PictureName`] when the name belongs to another tag.
    pub(super) fn claim(&mut self, name: &str, tag: &str) -> Result<(), Error> {
        let owner = self
            .0
            .entry(name.to_owned())
            .or_insert_with(|| tag.to_owned());
        if owner == tag {
            return Ok(());
        }
        Err(Error::PictureName {
            tag: tag.to_owned(),
            other: owner.clone(),
            name: name.to_owned(),
        })
    }
}
