//! Tests that draw from the device's generator, which is one for the whole process, and those of
//! the learner beside them, which do not.

mod every_instrument;
#[cfg(feature = "train")]
mod learner;
mod training_unchanged;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Waits until no other test draws from the device's generator.
fn drawing() -> MutexGuard<'static, ()> {
    static DRAWING: Mutex<()> = Mutex::new(());
    // A test that failed while it drew leaves nothing that the next one reads: each seeds anew.
    DRAWING.lock().unwrap_or_else(PoisonError::into_inner)
}
