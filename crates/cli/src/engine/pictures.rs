//! The pictures of a run as PNG files in its directory: the latest of each tag.

use std::path::Path;

use super::files::write_atomically;

/// How the names of pictures begin: the area of their tag.
pub(crate) const PREFIXES: [&str; 5] = [
    "landscape-",
    "curvature-",
    "sharpness-",
    "gradient-",
    "diagnosis-",
];

/// `landscape/surface` is `landscape-surface.png`.
pub(crate) fn file_name(tag: &str) -> String {
    format!("{}.png", tag.replace('/', "-"))
}

/// Writes the picture of a tag over the one before it.
///
/// # Errors
///
/// When the file cannot be written.
pub(crate) fn write(directory: &Path, tag: &str, png: &[u8]) -> anyhow::Result<()> {
    write_atomically(&directory.join(file_name(tag)), png)
}
