//! Records kept in memory, for tests and for programs that look at them afterwards.

use std::sync::{Arc, Mutex, PoisonError};

use super::Sink;
use crate::Error;
use crate::record::{Record, Value};

/// Keeps all records. Clones share them, so one clone goes into the probes and another is read.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    records: Arc<Mutex<Vec<Record>>>,
}

impl Memory {
    /// Returns a sink without records.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns all records so far.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        // A panic while a record was pushed leaves the vector whole.
        self.records
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Steps and values of the scalar `tag`.
    #[must_use]
    pub fn scalars(&self, tag: &str) -> Vec<(u64, f64)> {
        let scalar = |record: Record| match record.value {
            Value::Scalar(value) if record.tag == tag => Some((record.step, value)),
            _ => None,
        };
        self.records().into_iter().filter_map(scalar).collect()
    }
}

impl Sink for Memory {
    fn write(&mut self, record: &Record) {
        self.records
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(record.clone());
    }

    fn finish(self: Box<Self>) -> Result<(), Error> {
        Ok(())
    }
}
