//! Closures on trial: what they are asked may end in a panic, which is an answer then.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static ON_TRIAL: Cell<bool> = const { Cell::new(false) };
}

/// Returns whether this thread runs a closure on trial: if it panics, the panic becomes an error or
/// another way to the result.
///
/// Whether a loss can be recorded is found out by recording it, and Burn says no by a panic. Such a
/// panic reaches the panic hook like any other, because the hook is the program's: this library never
/// changes it. A program that does not want to see these messages asks here, in a hook of its own.
///
/// ```
/// let before = std::panic::take_hook();
/// std::panic::set_hook(Box::new(move |info| {
///     if !derivatives::in_trial() {
///         before(info);
///     }
/// }));
/// assert!(!derivatives::in_trial());
/// ```
#[must_use]
pub fn in_trial() -> bool {
    ON_TRIAL.get()
}

/// Returns what `run` gives, or the message it panicked with, in one line.
///
/// Where panics abort (`panic = "abort"` in the profile) nothing can be caught, and the closure is
/// not on trial, so that the message is seen before the process ends.
///
/// # Errors
/// The message of the panic.
pub fn attempt<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    /// Puts the flag back when the closure panics, too.
    struct Before(bool);
    impl Drop for Before {
        fn drop(&mut self) {
            ON_TRIAL.set(self.0);
        }
    }
    if cfg!(panic = "abort") {
        return Ok(run());
    }
    let _before = Before(ON_TRIAL.replace(true));
    catch_unwind(AssertUnwindSafe(run)).map_err(|payload| message(payload.as_ref()))
}

/// Longest message: Burn's name the tensors and repeat the call, and are cut.
const LONGEST: usize = 300;

/// Returns what a panic was given, in one line.
fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    let mut line = String::new();
    for word in text.split_whitespace() {
        if line.len() + word.len() >= LONGEST {
            line.push_str(" ..");
            break;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn closure_is_on_trial_and_what_comes_after_it_is_not() {
        assert_eq!(
            attempt(|| (in_trial(), attempt(in_trial))),
            Ok((true, Ok(true)))
        );
        assert!(!in_trial());
        assert_eq!(
            attempt(|| panic!("on\n trial")),
            Err::<(), _>("on trial".into())
        );
        assert!(!in_trial());
        let other = attempt(|| std::thread::spawn(in_trial).join().expect("no panic"));
        assert_eq!(other, Ok(false), "another thread is not on trial");
    }

    #[test]
    fn closure_runs_while_its_thread_unwinds() {
        struct Last(Arc<AtomicUsize>);
        impl Drop for Last {
            fn drop(&mut self) {
                if attempt(|| panic!("inner")).is_err() {
                    self.0.fetch_add(1, Ordering::SeqCst);
                }
            }
        }
        let caught = Arc::new(AtomicUsize::new(0));
        let last = Last(Arc::clone(&caught));
        let outer = attempt(move || {
            let _last = last;
            panic!("outer")
        });
        assert_eq!(outer, Err::<(), _>("outer".into()));
        assert_eq!(caught.load(Ordering::SeqCst), 1);
    }
}
