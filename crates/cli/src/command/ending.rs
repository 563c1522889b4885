//! The end of a command that measures: what failed, whether somebody stopped it, the exit code.

use std::fmt::Display;

use crate::failure::{FAILED, INTERRUPTED, SUCCESS};
use crate::report::output::{printable, say};
use crate::report::paint::Paint;

/// The remains of work in pieces that somebody stopped.
pub(super) const COMPLETE: &str = "stopped; what was measured until then is complete";

/// The remains of work that has a store.
pub(super) const STORED: &str =
    "stopped; the points until then are stored, and the same command goes on from there";

/// Says what failed, and what remains where somebody stopped the command. Returns the exit code.
pub(super) fn end(failures: impl IntoIterator<Item = String>, stopped: Option<&str>) -> u8 {
    let mut code = SUCCESS;
    for failure in failures {
        let alarm = Paint::stderr().alarm("failed:");
        say(&format!("{alarm} {}", printable(&failure)));
        code = FAILED;
    }
    let Some(remains) = stopped else {
        return code;
    };
    say(remains);
    INTERRUPTED
}

/// Returns failures with the name of what they are about.
pub(super) fn of<'f>(
    name: impl Display + 'f,
    failures: &'f [String],
) -> impl Iterator<Item = String> + 'f {
    failures
        .iter()
        .map(move |failure| format!("{name}: {failure}"))
}
