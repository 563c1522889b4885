//! A sink of which the program keeps a handle.

use std::sync::{Arc, Mutex, PoisonError};

use super::Sink;
use crate::Error;
use crate::record::Record;

/// A sink that the probes write to and the program can reach: to bring a file to the disk before a
/// checkpoint, to hold a lock beyond the end of the probes. Clones share it. [`Sink::finish`] of a
/// clone leaves it open; [`take`](Self::take) gives it back, to be ended by the program.
///
/// ```
/// use probes::Probes;
/// use probes::sink::{Memory, Shared, Sink};
///
/// let shared = Shared::new(Memory::new());
/// let mut probes = Probes::<f64>::unlimited().with_sink(shared.clone());
/// probes.log("loss/train", 1, 0.5);
/// assert_eq!(shared.with(|memory| memory.records().len()), Some(1));
/// let memory = shared.take().expect("nobody took it before");
/// Box::new(memory).finish()?;
/// # Ok::<(), probes::Error>(())
/// ```
#[derive(Debug)]
pub struct Shared<S>(Arc<Mutex<Option<S>>>, &'static str);

impl<S> Clone for Shared<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0), self.1)
    }
}

impl<S: Sink> Shared<S> {
    /// Shares `sink`.
    #[must_use]
    pub fn new(sink: S) -> Self {
        let name = sink.name();
        Self(Arc::new(Mutex::new(Some(sink))), name)
    }

    /// Returns what `act` gives for the sink, unless it was taken.
    pub fn with<R>(&self, act: impl FnOnce(&mut S) -> R) -> Option<R> {
        let mut sink = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sink.as_mut().map(act)
    }

    /// Takes the sink; what is written afterwards is dropped.
    #[must_use]
    pub fn take(&self) -> Option<S> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<S: Sink> From<S> for Shared<S> {
    fn from(sink: S) -> Self {
        Self::new(sink)
    }
}

impl<S: Sink> Sink for Shared<S> {
    fn name(&self) -> &'static str {
        self.1
    }

    fn write(&mut self, record: &Record) {
        self.with(|sink| sink.write(record));
    }

    fn flush(&mut self) {
        self.with(Sink::flush);
    }

    fn warning(&mut self) -> Option<String> {
        self.with(Sink::warning).flatten()
    }

    fn finish(self: Box<Self>) -> Result<(), Error> {
        Ok(())
    }
}
