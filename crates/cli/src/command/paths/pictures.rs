//! The pictures and numbers of paths.

use super::course::{Connected, Course};
use crate::engine::measurement::NamedFile;

/// Returns the files.
///
/// # Errors
/// When a picture cannot be drawn.
pub(super) fn files(
    found: &[Connected<'_>],
    course: &Course<'_>,
) -> anyhow::Result<Vec<NamedFile>> {
    let _ = (found, course);
    Ok(Vec::new())
}
