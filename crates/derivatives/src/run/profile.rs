//! Where the time of a program goes.

use std::time::Duration;

/// How long each kind of operation took, and how often it ran.
#[derive(Debug, Default)]
pub(crate) struct Profile(Vec<(String, Duration, usize)>);

impl Profile {
    /// One more run of an operation.
    pub(crate) fn add(&mut self, name: String, took: Duration) {
        match self.0.iter_mut().find(|(known, ..)| *known == name) {
            Some((_, time, count)) => {
                *time += took;
                *count += 1;
            }
            None => self.0.push((name, took, 1)),
        }
    }

    /// The longest first.
    pub(crate) fn sorted(mut self) -> Vec<(String, Duration, usize)> {
        self.0.sort_by(|(_, a, _), (_, b, _)| b.cmp(a));
        self.0
    }
}
