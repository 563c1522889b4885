//! The exit codes of the program, and the errors that carry them.

use std::fmt;

/// The command did what it was asked.
pub(crate) const SUCCESS: u8 = 0;
/// Something failed while the command was at work.
pub(crate) const FAILED: u8 = 1;
/// The command line or workspace.toml is wrong; nothing was begun.
pub(crate) const USAGE: u8 = 2;
/// Ctrl-C: the run stopped early, its files are complete.
pub(crate) const INTERRUPTED: u8 = 130;

/// A mistake in the command line or in workspace.toml: exit code 2.
#[derive(Debug)]
pub(crate) struct Usage(String);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// A training that cannot go on because its loss is no finite number; others may.
#[derive(Debug)]
pub(crate) struct Diverged(pub(crate) String);

impl fmt::Display for Diverged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Diverged {}

/// Returns an error with exit code 2.
pub(crate) fn usage(message: impl Into<String>) -> anyhow::Error {
    anyhow::Error::new(Usage(message.into()))
}

/// Returns the exit code that belongs to an error.
pub(crate) fn exit_code(error: &anyhow::Error) -> u8 {
    if error.chain().any(|cause| cause.is::<Usage>()) {
        USAGE
    } else {
        FAILED
    }
}
