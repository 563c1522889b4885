//! Colour on a terminal, and none elsewhere or where NO_COLOR is set.

use std::io::IsTerminal;

/// Whether a stream takes colour.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint(bool);

impl Paint {
    /// Returns the paint for standard output.
    pub(crate) fn stdout() -> Self {
        Self(std::io::stdout().is_terminal() && wanted())
    }

    /// Returns the paint for standard error.
    pub(crate) fn stderr() -> Self {
        Self(std::io::stderr().is_terminal() && wanted())
    }

    /// Returns a text in bold.
    pub(crate) fn strong(self, text: &str) -> String {
        self.with("1", text)
    }

    /// Returns a faint text.
    pub(crate) fn faint(self, text: &str) -> String {
        self.with("2", text)
    }

    /// Returns a text about what went wrong.
    pub(crate) fn alarm(self, text: &str) -> String {
        self.with("1;31", text)
    }

    /// Returns a text about what should be looked at.
    pub(crate) fn warning(self, text: &str) -> String {
        self.with("1;33", text)
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.0 {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

/// Returns whether colour is wanted. <https://no-color.org>: any value but an empty one turns it
/// off.
fn wanted() -> bool {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    set("NO_COLOR").is_none() && set("TERM").is_none_or(|term| term != "dumb")
}
