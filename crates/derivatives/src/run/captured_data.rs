//! The data captured with one loss, and the values that its programs compute of them alone.
//!
//! Losses of different batches may share their programs; this is what they do not share.

use std::sync::{Arc, Mutex, PoisonError};

use super::value::Value;
use crate::graph::Constant;

/// The values of a plan by position; empty where one is not known yet, or not needed any more.
pub(crate) type PlanValues = Vec<Option<Value>>;

/// The values that plans start from, by their numbers.
type Started = Mutex<Vec<(u64, Arc<PlanValues>)>>;

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct CapturedData {
    constants: Vec<Arc<Constant>>,
    /// `None` if nothing is to be kept.
    started: Option<Started>,
}

impl CapturedData {
    pub(crate) const fn new(constants: Vec<Arc<Constant>>) -> Self {
        Self {
            constants,
            started: Some(Mutex::new(Vec::new())),
        }
    }

    /// Returns the same constants, from which nothing is kept.
    pub(crate) fn keeping_nothing(&self) -> Self {
        Self {
            constants: self.constants.clone(),
            started: None,
        }
    }

    /// Returns whether what is computed from the data alone is kept.
    pub(crate) const fn keeps(&self) -> bool {
        self.started.is_some()
    }

    pub(crate) fn constant(&self, index: usize) -> &Constant {
        &self.constants[index]
    }

    /// Returns the values that `plan` starts from, made by `make` unless they are kept.
    pub(crate) fn started(&self, plan: u64, make: impl FnOnce() -> PlanValues) -> Arc<PlanValues> {
        let Some(started) = &self.started else {
            return Arc::new(make());
        };
        let find = |known: &[(u64, Arc<PlanValues>)]| {
            let found = known.iter().find(|(number, _)| *number == plan);
            found.map(|(_, values)| Arc::clone(values))
        };
        let lock = || started.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(values) = find(&lock()) {
            return values;
        }
        // Not under the lock: another thread may start another plan meanwhile.
        let values = Arc::new(make());
        let mut known = lock();
        if let Some(values) = find(&known) {
            return values;
        }
        known.push((plan, Arc::clone(&values)));
        values
    }
}
