//! The way of records to one sink, on which nothing that the sink does reaches the training loop or
//! another sink.

use crate::Error;
use crate::error::caught;
use crate::record::Record;
use crate::sink::Sink;

/// A sink, and what was lost to its panics. A sink that panicked is still given what comes next, as
/// a probe is.
pub(crate) struct Delivery {
    sink: Box<dyn Sink>,
    name: &'static str,
    lost: u64,
    panic: Option<String>,
    /// Whether it was told that the sink loses records.
    warned: bool,
}

impl Delivery {
    pub(crate) fn to(sink: impl Sink + 'static) -> Self {
        Self {
            name: sink.name(),
            sink: Box::new(sink),
            lost: 0,
            panic: None,
            warned: false,
        }
    }

    /// Hands the records over; gives a warning at the first panic, and at the first loss.
    pub(crate) fn write(&mut self, records: &[Record]) -> Option<String> {
        let sound = self.panic.is_none();
        for record in records {
            if let Err(message) = caught(|| self.sink.write(record)) {
                self.lost += 1;
                self.panic.get_or_insert(message);
            }
        }
        if let Err(message) = caught(|| self.sink.flush()) {
            self.panic.get_or_insert(message);
        }
        if let Some(message) = self.panic.as_ref().filter(|_| sound) {
            return Some(format!(
                "the sink {} panicked: {message}; what it loses is counted",
                self.name
            ));
        }
        if self.warned {
            return None;
        }
        let loses = caught(|| self.sink.warning()).unwrap_or_default()?;
        self.warned = true;
        Some(format!(
            "the sink {} loses records: {loses}; training goes on",
            self.name
        ))
    }

    /// Ends the sink; gives everything that went wrong with it.
    pub(crate) fn finish(self) -> Vec<Error> {
        let Self {
            sink,
            name,
            lost,
            mut panic,
            ..
        } = self;
        let told = caught(|| sink.finish()).unwrap_or_else(|message| {
            panic.get_or_insert(message);
            Ok(())
        });
        let panicked = panic.map(|message| {
            let first = Error::SinkPanicked {
                sink: name,
                message,
            };
            Error::rejected(name, lost, first)
        });
        panicked.into_iter().chain(told.err()).collect()
    }
}
