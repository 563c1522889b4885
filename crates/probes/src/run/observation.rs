//! The reports of the container: after each step, and at the end.

use std::collections::BTreeMap;
use std::fmt;

use landscape::spectrum::Estimate;

use crate::Error;
use crate::budget::Spent;
use crate::diagnosis::Diagnosis;
use crate::record::{Eigenvalues, Finding, Record, Records, Value};
use crate::workload::Products;

/// The report of one call of [`Probes::observe`](crate::Probes::observe).
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Observation {
    /// The step.
    pub step: u64,
    /// Everything that was handed to the sinks.
    pub records: Vec<Record>,
    /// The typed results.
    pub findings: Vec<Finding>,
    /// Probes that measured.
    pub measured: Vec<Measured>,
    /// Probes that failed, with the reason.
    pub failed: Vec<(String, Error)>,
    /// Probes that were due and left out for the budget, with the reason.
    pub skipped: Vec<(String, String)>,
    /// Anything else that the user should know: a smaller sample, a step that did not increase,
    /// two probes that recorded the same tag.
    pub warnings: Vec<String>,
    /// Whether it was stopped on the way, as
    /// [`Probes::with_interrupt`](crate::Probes::with_interrupt) tells. Then nothing was handed to
    /// the sinks, and the step may be observed again, but for one that was measured in the
    /// background.
    pub interrupted: bool,
    /// The observations of earlier steps that were made in the background since the last call
    /// ([`Probes::in_background`](crate::Probes::in_background)), in their order. Those in which
    /// nothing was measured, failed or left out are not among them.
    pub background: Vec<Self>,
}

/// A measurement that was made.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Measured {
    /// The probe's name.
    pub probe: String,
    /// The seconds that it took.
    pub seconds: f64,
    /// Products with the Hessian that it made.
    pub products: usize,
    /// The effort that was made, where the budget allowed less than was asked for: "8 of 30
    /// products".
    pub shortened: Option<String>,
}

impl Observation {
    pub(crate) fn record(&mut self, tag: &str, value: Value) {
        self.records.push(Record {
            tag: tag.to_owned(),
            step: self.step,
            value,
        });
    }

    /// Takes in what `probe` recorded; how much effort was made, if that was less than asked for.
    pub(crate) fn take_in(&mut self, records: Records, probe: &str) -> Option<String> {
        let (records, findings, shortened, warnings) = records.into_parts();
        for record in records {
            if self.records.iter().any(|other| other.tag == record.tag) {
                self.warnings.push(format!(
                    "the tag {} of {probe} was left out at step {}, because another probe had recorded it: wrap one of them in `instrument::Suffixed`",
                    record.tag, self.step
                ));
            } else {
                self.records.push(record);
            }
        }
        self.findings.extend(findings);
        self.warnings.extend(warnings);
        shortened
    }

    /// Returns the text about probes that failed, were left out or shortened, and the warnings,
    /// when there are any.
    pub(crate) fn notes(&self) -> Option<String> {
        let failed = self
            .failed
            .iter()
            .map(|(probe, error)| format!("- **{probe}** failed: {error}"));
        let skipped = self
            .skipped
            .iter()
            .map(|(probe, reason)| format!("- **{probe}** was left out: {reason}"));
        let shortened = self.measured.iter().filter_map(|measured| {
            let how = measured.shortened.as_ref()?;
            Some(format!("- **{}** was shortened: {how}", measured.probe))
        });
        let warnings = self.warnings.iter().map(|warning| format!("- {warning}"));
        let lines: Vec<String> = failed
            .chain(skipped)
            .chain(shortened)
            .chain(warnings)
            .collect();
        (!lines.is_empty()).then(|| lines.join("\n"))
    }

    /// Tells whether there is anything to report.
    pub(crate) fn says_something(&self) -> bool {
        let lists = [
            self.records.is_empty(),
            self.findings.is_empty(),
            self.measured.is_empty(),
            self.failed.is_empty(),
            self.skipped.is_empty(),
            self.warnings.is_empty(),
        ];
        self.interrupted || lists.contains(&false)
    }

    /// Returns the step, the probe and the reason of each failure: of this step, and of earlier
    /// ones that were measured in the background.
    pub fn failures(&self) -> impl Iterator<Item = (u64, &str, &Error)> {
        let all = self.background.iter().chain([self]);
        all.flat_map(|observation| {
            let failed = observation.failed.iter();
            failed.map(|(probe, error)| (observation.step, probe.as_str(), error))
        })
    }

    /// Returns the value of the scalar `tag`, if it was measured.
    #[must_use]
    pub fn scalar(&self, tag: &str) -> Option<f64> {
        self.records.iter().find_map(|record| match record.value {
            Value::Scalar(value) if record.tag == tag => Some(value),
            _ => None,
        })
    }

    /// Returns the eigenvalues, if they were measured.
    #[must_use]
    pub fn eigenvalues(&self) -> Option<&Eigenvalues> {
        self.findings.iter().find_map(|finding| match finding {
            Finding::Eigenvalues(found) => Some(found),
            _ => None,
        })
    }

    /// Returns the trace, if it was measured.
    #[must_use]
    pub fn trace(&self) -> Option<&Estimate> {
        self.findings.iter().find_map(|finding| match finding {
            Finding::Trace(found) => Some(found),
            _ => None,
        })
    }

    /// Returns SAM's sharpness and its radius `ρ`, if it was measured.
    #[must_use]
    pub fn sam_sharpness(&self) -> Option<(f64, f64)> {
        self.findings.iter().find_map(|finding| match finding {
            Finding::SamSharpness { value, rho } => Some((*value, *rho)),
            _ => None,
        })
    }

    /// Returns how the Hessian products were made, for each risk of which there was a Hessian.
    pub fn products(&self) -> impl Iterator<Item = &Products> {
        self.findings.iter().filter_map(|finding| match finding {
            Finding::Products(products) => Some(products),
            _ => None,
        })
    }
}

/// The account of one probe over a run.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Tally {
    /// Its name.
    pub probe: String,
    /// The number of its measurements.
    pub measured: u64,
    /// The number of these that were made with less effort than was asked for.
    pub shortened: u64,
    /// The number of times that it was due and not measured, for the budget.
    pub skipped: u64,
    /// The number of its failures.
    pub failed: u64,
    /// Its time.
    pub seconds: f64,
    /// Products with the Hessian.
    pub products: usize,
}

impl Tally {
    pub(crate) fn of(probe: String) -> Self {
        Self {
            probe,
            ..Self::default()
        }
    }
}

/// The account of a run, as [`Probes::finish`](crate::Probes::finish) tells it. Shown with `{}` it
/// is a table.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Summary {
    /// The time spent.
    pub spent: Spent,
    /// The number of measurements of each probe, by name.
    pub measured: BTreeMap<String, u64>,
    /// The account of each probe, in the order in which they were added.
    pub tallies: Vec<Tally>,
    /// The number of measurements that failed.
    pub failed: u64,
    /// The number of measurements that were left out for the budget.
    pub skipped: u64,
    /// Probes that were never due although they have a schedule: perhaps the loop never observed
    /// their step.
    pub never_due: Vec<String>,
    /// The records that did not reach a sink, with the reason: a tag that was logged twice at one
    /// step, a full disk, a sink that panicked. The other sinks have it.
    pub undelivered: Vec<Error>,
    /// The diagnosis of the run, if one was asked for
    /// ([`Probes::with_diagnosis`](crate::Probes::with_diagnosis)).
    pub diagnosis: Option<Diagnosis>,
    /// The observations that were made in the background after the last call of
    /// [`Probes::observe`](crate::Probes::observe), in their order: as a rule that of the last
    /// step is among them.
    pub background: Vec<Observation>,
}

impl Summary {
    /// Returns the summary of a run whose sinks took everything, for a program that otherwise ends
    /// with an error.
    ///
    /// # Errors
    /// The first of [`undelivered`](Self::undelivered).
    pub fn delivered(mut self) -> Result<Self, Error> {
        if self.undelivered.is_empty() {
            return Ok(self);
        }
        Err(self.undelivered.swap_remove(0))
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.spent)?;
        writeln!(
            f,
            "{:<32} {:>8} {:>9} {:>8} {:>6} {:>8} {:>8}",
            "probe", "measured", "shortened", "left out", "failed", "products", "seconds"
        )?;
        for tally in &self.tallies {
            writeln!(
                f,
                "{:<32} {:>8} {:>9} {:>8} {:>6} {:>8} {:>8.2}",
                tally.probe,
                tally.measured,
                tally.shortened,
                tally.skipped,
                tally.failed,
                tally.products,
                tally.seconds
            )?;
        }
        if let Some(diagnosis) = &self.diagnosis {
            writeln!(f, "{diagnosis}")?;
        }
        Ok(())
    }
}

/// Returns the account of all probes as a markdown table.
pub(crate) fn account(tallies: &[Tally], spent: &Spent) -> String {
    let mut text = format!(
        "Probes took {:.2} s, {:.1} % of the time{}.\n\n| probe | measured | shortened | left out | failed | products | seconds |\n|---|---|---|---|---|---|---|",
        spent.probes.as_secs_f64(),
        100.0 * spent.share(),
        spent.beside().unwrap_or_default()
    );
    for tally in tallies {
        text += &format!(
            "\n| {} | {} | {} | {} | {} | {} | {:.2} |",
            tally.probe,
            tally.measured,
            tally.shortened,
            tally.skipped,
            tally.failed,
            tally.products,
            tally.seconds
        );
    }
    text
}
