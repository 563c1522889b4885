//! What the container tells its caller: after each step, and at the end.

use std::collections::BTreeMap;

use crate::Error;
use crate::budget::Spent;
use crate::record::{Record, Value};

/// What one call of [`Probes::observe`](crate::Probes::observe) did.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Observation {
    /// The step.
    pub step: u64,
    /// Everything that was handed to the sinks.
    pub records: Vec<Record>,
    /// Probes that measured, with the seconds that each took.
    pub measured: Vec<(String, f64)>,
    /// Probes that failed, with the reason.
    pub failed: Vec<(String, Error)>,
    /// Optional probes that were due and left out, with the reason.
    pub skipped: Vec<(String, String)>,
    /// Anything else that the user should know: the budget was exceeded, the step did not increase, two probes recorded the same tag.
    pub warnings: Vec<String>,
    /// Whether it was stopped on the way, as [`Probes::with_interrupt`](crate::Probes::with_interrupt) tells. Then nothing was handed to the
    /// sinks, and the step may be observed again.
    pub interrupted: bool,
}

impl Observation {
    /// The value of the scalar `tag`, if it was measured.
    #[must_use]
    pub fn scalar(&self, tag: &str) -> Option<f64> {
        self.records.iter().find_map(|record| match record.value {
            Value::Scalar(value) if record.tag == tag => Some(value),
            _ => None,
        })
    }
}

/// What a run of probes did, as [`Probes::finish`](crate::Probes::finish) tells.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Summary {
    /// The time spent.
    pub spent: Spent,
    /// How often each probe measured, by name.
    pub measured: BTreeMap<String, u64>,
    /// How many measurements failed.
    pub failed: u64,
    /// How many measurements were skipped for the budget.
    pub skipped: u64,
    /// Probes that were never due although they have a schedule: perhaps the loop never observed their step.
    pub never_due: Vec<String>,
    /// What did not reach a sink, with the reason: a tag that was logged twice at one step, a full disk, a sink that panicked. The other sinks have it.
    pub undelivered: Vec<Error>,
}

impl Summary {
    /// The summary of a run whose sinks took everything, for a program that otherwise ends with an error.
    ///
    /// # Errors
    ///
    /// The first of [`undelivered`](Self::undelivered).
    pub fn delivered(mut self) -> Result<Self, Error> {
        if self.undelivered.is_empty() {
            return Ok(self);
        }
        Err(self.undelivered.swap_remove(0))
    }
}

/// The text about probes that failed or were skipped, when there are any.
pub(crate) fn notes(observation: &Observation) -> Option<String> {
    let failed = observation
        .failed
        .iter()
        .map(|(probe, error)| format!("- **{probe}** failed: {error}"));
    let skipped = observation
        .skipped
        .iter()
        .map(|(probe, reason)| format!("- **{probe}** was skipped: {reason}"));
    let lines: Vec<String> = failed.chain(skipped).collect();
    let lines: Vec<String> = lines
        .into_iter()
        .chain(
            observation
                .warnings
                .iter()
                .map(|warning| format!("- {warning}")),
        )
        .collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}
