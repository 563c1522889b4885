//! Panics as errors, so that neither probes nor sinks can end a training.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Returns what `work` gives, or the message of its panic.
///
/// The process's panic hook is left alone: it writes the panic of a probe to standard error, where
/// the author of that probe looks for it.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let text = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied());
        text.unwrap_or("without a message").to_owned()
    })
}
