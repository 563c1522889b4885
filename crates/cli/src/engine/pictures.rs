//! The pictures of a run as PNG files in its directory: the latest of each tag.

/// `landscape/surface` is `landscape-surface.png`.
pub(crate) fn file_name(tag: &str) -> String {
    format!("{}.png", tag.replace('/', "-"))
}
