//! The diagnosis of a run while its records come in, and at its end.

use super::measurer::{Measurer, Told};
use super::observation::Observation;
use crate::diagnosis::{Diagnosis, Facts, Severity, Symptom};
use crate::record::{Record, Value};
use crate::sink::Shared;
use crate::tag;

/// The facts of the run, and what was said of them.
pub(super) struct Diagnosing {
    facts: Shared<Facts>,
    /// The problems that were told.
    told: Vec<Symptom>,
    /// The step of the last report.
    reported: Option<u64>,
}

impl Diagnosing {
    pub(super) fn of(facts: Shared<Facts>) -> Self {
        Self {
            facts,
            told: Vec::new(),
            reported: None,
        }
    }

    /// Takes in what the loop told of a step.
    pub(super) fn know(&self, total_steps: Option<u64>, told: Told<'_>) {
        self.facts.with(|facts| {
            facts.known.total_steps = facts.known.total_steps.or(total_steps);
            let rates = facts.known.learning_rate.into_iter();
            let rates = rates.chain(told.learning_rate);
            facts.known.learning_rate = rates.reduce(f64::max);
        });
    }

    /// Takes records in.
    pub(super) fn observe(&self, records: &[Record]) {
        self.facts.with(|facts| {
            for record in records {
                facts.observe(record);
            }
        });
    }
}

fn report(diagnosis: &Diagnosis, step: u64) -> Record {
    Record {
        tag: tag::DIAGNOSIS.to_owned(),
        step,
        value: Value::Text(diagnosis.markdown()),
    }
}

impl<M> Measurer<M> {
    /// Tells of problems that were not there before.
    pub(super) fn alarm(&mut self, observation: &mut Observation) {
        let step = observation.step;
        if self.total_steps == Some(step) {
            // The report of the whole run comes at its end.
            return;
        }
        let Some(diagnosing) = &mut self.diagnosing else {
            return;
        };
        let found = diagnosing.facts.with(|facts| facts.diagnose_under_way());
        let found = found.unwrap_or_default();
        let is_new = |symptom| !diagnosing.told.contains(&symptom);
        let problems = found.findings.iter().filter(|finding| {
            finding.severity == Severity::Problem
                && finding.consequence_of.is_none()
                && is_new(finding.symptom)
        });
        let problems: Vec<_> = problems.collect();
        if problems.is_empty() {
            return;
        }
        for finding in &problems {
            let mut text = format!("{}: {}", finding.symptom.name(), finding.sentence);
            if let Some(remedy) = finding.remedies.first() {
                text += &format!("; try: {remedy}");
            }
            observation.warnings.push(text);
        }
        let symptoms: Vec<Symptom> = problems.iter().map(|finding| finding.symptom).collect();
        diagnosing.told.extend(symptoms);
        diagnosing.reported = Some(step);
        let record = report(&found, step);
        self.write(std::slice::from_ref(&record));
        observation.records.push(record);
    }

    /// Writes the report of the whole run.
    pub(super) fn conclude(&mut self) -> Option<Diagnosis> {
        let diagnosing = self.diagnosing.as_ref()?;
        let found = diagnosing.facts.with(|facts| facts.diagnose())?;
        let last = found.step.max(self.last_step);
        // A sink takes each step of a tag once.
        if let Some(step) = last.filter(|step| diagnosing.reported.is_none_or(|told| told < *step))
        {
            self.write(&[report(&found, step)]);
        }
        Some(found)
    }
}
