//! Running a closure that may panic, without a message on the terminal.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::{Arc, Mutex, PoisonError};

type Hook = Box<dyn Fn(&PanicHookInfo<'_>) + Send + Sync>;

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// How many closures run at this moment, and the hook that was there before the first.
struct Running {
    count: usize,
    before: Option<Arc<Hook>>,
}

static RUNNING: Mutex<Running> = Mutex::new(Running {
    count: 0,
    before: None,
});

/// Returns what `run` gives, or the message it panicked with, in one line.
///
/// While closures run, the process's panic hook stays silent for their threads and is what it was for
/// all others; afterwards it is put back. A thread that is unwinding already, where Burn or std would
/// abort the process, leaves the hook alone.
///
/// Where panics abort (`panic = "abort"` in the profile) nothing can be caught: the hook is left
/// alone, so that the message is seen before the process ends.
///
/// # Errors
/// The message of the panic.
pub fn catch<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    if cfg!(panic = "abort") {
        return Ok(run());
    }
    let _silence = Silence::begin();
    catch_unwind(AssertUnwindSafe(run)).map_err(|payload| message(payload.as_ref()))
}

/// The hook is silent for this thread as long as one of these lives.
struct Silence {
    before: bool,
    hooked: bool,
}

impl Silence {
    fn begin() -> Self {
        // `take_hook` panics in a thread that is panicking.
        let hooked = !std::thread::panicking();
        if hooked {
            let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
            if running.count == 0 {
                let hook = Arc::new(take_hook());
                running.before = Some(Arc::clone(&hook));
                set_hook(Box::new(move |info| {
                    if !QUIET.get() {
                        hook(info);
                    }
                }));
            }
            running.count += 1;
        }
        let before = QUIET.replace(true);
        Self { before, hooked }
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        QUIET.set(self.before);
        if !self.hooked {
            return;
        }
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        running.count -= 1;
        if running.count > 0 {
            return;
        }
        let hook = running.before.take();
        // Ours goes first: then the one before it has one owner.
        drop(take_hook());
        if let Some(hook) = hook.and_then(Arc::into_inner) {
            set_hook(hook);
        }
    }
}

/// Longer messages are cut: Burn's name the tensors and repeat the call.
const LONGEST: usize = 300;

/// What a panic was given, in one line.
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
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn the_hook_is_silent_for_the_closure_and_as_before_afterwards() {
        static SEEN: AtomicUsize = AtomicUsize::new(0);
        let default = take_hook();
        set_hook(Box::new(|info| {
            // Other tests of this binary may panic on purpose at the same time.
            if info.payload().downcast_ref::<&str>() == Some(&"counted") {
                SEEN.fetch_add(1, Ordering::SeqCst);
            }
        }));
        assert_eq!(catch(|| panic!("counted")), Err::<(), _>("counted".into()));
        assert_eq!(SEEN.load(Ordering::SeqCst), 0);
        let other = catch(|| std::thread::spawn(|| panic!("counted")).join().is_err());
        assert_eq!((other, SEEN.load(Ordering::SeqCst)), (Ok(true), 1));
        assert!(catch_unwind(|| panic!("counted")).is_err());
        assert_eq!(SEEN.load(Ordering::SeqCst), 2);
        set_hook(default);
    }

    #[test]
    fn a_closure_runs_while_its_thread_unwinds() {
        struct Last(Arc<AtomicUsize>);
        impl Drop for Last {
            fn drop(&mut self) {
                if catch(|| panic!("inner")).is_err() {
                    self.0.fetch_add(1, Ordering::SeqCst);
                }
            }
        }
        let caught = Arc::new(AtomicUsize::new(0));
        let last = Last(Arc::clone(&caught));
        let outer = catch(move || {
            let _last = last;
            panic!("outer")
        });
        assert_eq!(outer, Err::<(), _>("outer".into()));
        assert_eq!(caught.load(Ordering::SeqCst), 1);
    }
}
