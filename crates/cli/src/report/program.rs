//! The name under which the program was started, for texts that say how to go on.

use std::path::Path;

/// The name in the texts of this crate.
const USUAL: &str = "landscape";

/// Returns the name under which the program was started.
pub(crate) fn name() -> String {
    let started = std::env::args_os().next();
    let name = started
        .as_ref()
        .and_then(|path| Path::new(path).file_stem());
    name.map_or_else(
        || USUAL.to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}

/// Returns a text with the commands in it under the name of the program.
pub(crate) fn named(text: &str) -> String {
    text.replace("landscape ", &format!("{} ", name()))
}
