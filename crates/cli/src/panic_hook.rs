//! The panic hook of the program.

use std::panic::{set_hook, take_hook};

/// Keeps panics off the terminal that the library answers by itself, as when a loss is recorded
/// that cannot be; all others are shown as before.
pub(crate) fn install() {
    let before = take_hook();
    set_hook(Box::new(move |info| {
        if !landscape::in_trial() {
            before(info);
        }
    }));
}
