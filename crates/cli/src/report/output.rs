//! Standard output and standard error. Neither is a reason to panic, nor to stop a training.

use std::borrow::Cow;
use std::io::{self, ErrorKind, Write};

use anyhow::Context;

/// Writes a line to standard error. That nobody can read it changes nothing: a training goes on.
pub(crate) fn say(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Writes a table or a document to standard output.
///
/// # Errors
/// When it cannot be written, for example to a full disk. A reader that went away has seen what it
/// wanted: no error.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    let written = writeln!(out, "{text}").and_then(|()| out.flush());
    unless_closed(written)
}

/// Returns the outcome of writing to standard output, where a closed pipe is none.
///
/// # Errors
/// Any other failure.
pub(crate) fn unless_closed(written: io::Result<()>) -> anyhow::Result<()> {
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("standard output cannot be written"),
    }
}

/// Returns a text from a file or a command line as a terminal may show it: what would steer the
/// terminal, or turn the direction of writing round, is written out.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(steers) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if steers(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

fn steers(c: char) -> bool {
    let turns =
        matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || (c.is_control() && c != '\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_written_out_and_all_else_stays() {
        assert_eq!(printable("naïve λ₁\nnext"), "naïve λ₁\nnext");
        assert_eq!(printable("a\u{1b}[31m\u{7}b"), "a\\u{1b}[31m\\u{7}b");
        assert_eq!(printable("\r\u{9b}2J\u{202e}"), "\\u{d}\\u{9b}2J\\u{202e}");
    }

    #[test]
    fn reader_that_went_away_is_no_failure_and_a_full_disk_is_one() {
        assert!(unless_closed(Err(ErrorKind::BrokenPipe.into())).is_ok());
        assert!(unless_closed(Err(ErrorKind::StorageFull.into())).is_err());
    }
}
