//! The last point of every scalar.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::Sink;
use crate::Error;
use crate::record::{Record, Value};

/// Keeps the last step and value of every scalar. Clones share them, so one clone goes into the probes and another is read.
///
/// ```
/// use probes::{Probes, sink::Latest};
///
/// let latest = Latest::new();
/// let mut probes = Probes::<f64>::unlimited().with_sink(latest.clone());
/// probes.log("loss/train", 1, 0.5);
/// probes.log("loss/train", 2, 0.25);
/// assert_eq!(latest.get("loss/train"), Some((2, 0.25)));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Latest(Arc<Mutex<BTreeMap<String, (u64, f64)>>>);

impl Latest {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The points of a run that goes on.
    #[must_use]
    pub fn resume(points: impl IntoIterator<Item = (String, (u64, f64))>) -> Self {
        Self(Arc::new(Mutex::new(points.into_iter().collect())))
    }

    /// Step and value of the last point of `tag`.
    #[must_use]
    pub fn get(&self, tag: &str) -> Option<(u64, f64)> {
        self.all().get(tag).copied()
    }

    /// The last points of all tags.
    #[must_use]
    pub fn all(&self) -> BTreeMap<String, (u64, f64)> {
        // A panic while a point was put in leaves the map whole.
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Sink for Latest {
    fn write(&mut self, record: &Record) {
        if let Value::Scalar(value) = record.value {
            let mut points = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            points.insert(record.tag.clone(), (record.step, value));
        }
    }

    fn finish(self: Box<Self>) -> Result<(), Error> {
        Ok(())
    }
}
