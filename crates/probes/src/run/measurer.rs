//! One step of measuring: who is due, what the budget allows, what was found, and where it goes.

use std::sync::Arc;
use std::time::Duration;

use burn::optim::ModuleOptimizer;

use super::delivery::Delivery;
use super::diagnosing::Diagnosing;
use super::entry::Entry;
use super::message::{Handler, to_stderr};
use super::observation::{Observation, Summary, account};
use crate::Error;
use crate::budget::{Budget, Pace, Plan, Spent};
use crate::error::caught;
use crate::probe::Moment;
use crate::record::{Record, Value};
use crate::schedule::Schedule;
use crate::tag;
use crate::workload::{Hessians, KnownRisks};

/// The time since some fixed moment.
pub(super) type Clock = Arc<dyn Fn() -> Duration + Send + Sync>;

/// The part of the probes that measures, in the training's thread or beside it.
pub(super) struct Measurer<M> {
    pub(super) entries: Vec<Entry<M>>,
    pub(super) sinks: Vec<Delivery>,
    pub(super) budget: Budget,
    pub(super) total_steps: Option<u64>,
    pub(super) clock: Clock,
    pub(super) interrupt: Option<Box<dyn Fn() -> bool + Send>>,
    pub(super) handler: Handler,
    pub(super) cost_records: bool,
    /// Whether samples may be made smaller for the budget.
    pub(super) samples: bool,
    /// Time in probes, and in sinks for what they found.
    pub(super) inside: Duration,
    /// Time for which the training stood still, where that is not all of it: beside the training.
    pub(super) waited: Option<Duration>,
    /// Seconds of it that are not charged to the budget: measurements that are made in any case.
    pub(super) required: f64,
    pub(super) last_step: Option<u64>,
    pub(super) pace: Pace,
    pub(super) plan: Option<Plan>,
    /// A first measurement of a probe was made after the budget was divided.
    pub(super) learned: bool,
    pub(super) known: KnownRisks,
    /// Warnings about sinks, for the next observation.
    pub(super) pending: Vec<String>,
    /// The way in which the products were made when it was last told.
    pub(super) method: Option<String>,
    /// The diagnosis, if one was asked for.
    pub(super) diagnosing: Option<Diagnosing>,
}

/// The facts beside the model that the loop told of a step.
#[derive(Clone, Copy, Default)]
pub(super) struct Told<'a> {
    /// The learning rate of the last update.
    pub(super) learning_rate: Option<f64>,
    /// The optimiser after it.
    pub(super) optimiser: Option<&'a ModuleOptimizer>,
}

/// A measurement that the budget allows: the seconds that it may take, if there is a limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Allowed(pub(super) Option<f64>);

/// Tells why a step is not measured.
pub(super) fn repeated(step: u64, last: u64) -> String {
    format!(
        "step {step} was not measured: it does not come after step {last}, which was observed before"
    )
}

impl<M> Measurer<M> {
    pub(super) fn new(budget: Budget, clock: Clock) -> Self {
        Self {
            entries: Vec::new(),
            sinks: Vec::new(),
            budget,
            total_steps: None,
            clock,
            interrupt: None,
            handler: to_stderr(),
            cost_records: true,
            samples: true,
            inside: Duration::ZERO,
            waited: None,
            required: 0.0,
            last_step: None,
            pace: Pace::default(),
            plan: None,
            learned: false,
            known: KnownRisks::default(),
            pending: Vec::new(),
            method: None,
            diagnosing: None,
        }
    }

    pub(super) fn spent(&self) -> Spent {
        let waited = self.waited.unwrap_or(self.inside);
        Spent {
            probes: self.inside,
            training: (self.clock)().saturating_sub(waited),
            waited,
        }
    }

    /// Tells which entries are due at `step`.
    pub(super) fn due(&self, step: u64) -> Result<Vec<bool>, Error> {
        let due = |entry: &Entry<M>| entry.schedule.due(step, self.total_steps);
        self.entries.iter().map(due).collect()
    }

    /// Tells whether anything was due and could not be measured yet.
    pub(super) fn waits(&self) -> bool {
        self.entries.iter().any(|entry| entry.waits)
    }

    /// Tells whether there are probes that have seen no model yet.
    pub(super) fn is_new(&self) -> bool {
        self.last_step.is_none() && !self.entries.is_empty()
    }

    pub(super) fn observe(
        &mut self,
        step: u64,
        model: &M,
        told: Told<'_>,
    ) -> Result<Observation, Error> {
        let due = self.due(step)?;
        let mut observation = Observation {
            step,
            warnings: std::mem::take(&mut self.pending),
            ..Observation::default()
        };
        if let Some(last) = self.last_step.filter(|last| step <= *last) {
            observation.warnings.push(repeated(step, last));
            self.tell_warnings(&observation);
            return Ok(observation);
        }
        if let Some(diagnosing) = &self.diagnosing {
            diagnosing.know(self.total_steps, told);
        }
        let entered = (self.clock)();
        if self.last_step.is_none() {
            self.introduce();
        }
        self.pace.step(step, entered.saturating_sub(self.inside));
        if self.last_step.is_none() {
            self.begin(step, model, told);
        }
        let before = self.last_step.replace(step);
        let late: Vec<bool> = self.entries.iter().map(|entry| entry.waits).collect();
        for (entry, due) in self.entries.iter_mut().zip(&due) {
            entry.was_due |= due;
            entry.waits |= due;
            if *due {
                entry.asks = None;
            }
        }
        if !self.waits() {
            return Ok(observation);
        }
        let hessians = Hessians::default();
        let (allowed, balance) = self.allowed(step, model, told, &hessians, &mut observation);
        let allowed = (&allowed[..], balance);
        let done = self.measure(allowed, &hessians, model, told, &mut observation);
        if !done {
            // A sink takes each step once: what was measured so far would keep out the rest when
            // the step is observed again.
            self.last_step = before;
            for (entry, late) in self.entries.iter_mut().zip(late) {
                entry.waits = late;
            }
            self.inside += (self.clock)().saturating_sub(entered);
            return Ok(Observation {
                step,
                interrupted: true,
                ..Observation::default()
            });
        }
        self.leave_out(step, &due, &late, &mut observation);
        self.note_products(&hessians, &mut observation);
        if let Some(notes) = observation.notes() {
            observation.record(tag::NOTES, Value::Text(notes));
        }
        self.write(&observation.records);
        // A step at which something goes on waiting has nothing new to tell.
        if due.contains(&true) || !observation.measured.is_empty() {
            self.alarm(&mut observation);
        }
        self.inside += (self.clock)().saturating_sub(entered);
        if !observation.measured.is_empty() {
            self.account(&mut observation);
            self.foretell(step);
        }
        observation.warnings.append(&mut self.pending);
        self.tell_warnings(&observation);
        Ok(observation)
    }

    /// Shows all probes the first model of the run. One that panics says so when it measures.
    fn begin(&mut self, step: u64, model: &M, told: Told<'_>) {
        let moment = Moment {
            total_steps: self.total_steps,
            learning_rate: told.learning_rate,
            optimiser: told.optimiser,
            ..Moment::new(step, model)
        };
        for entry in &mut self.entries {
            if let Err(message) = caught(|| entry.probe.begin(&moment)) {
                self.pending.push(format!(
                    "{} panicked at the first model: {message}",
                    entry.tally.probe
                ));
            }
        }
    }

    /// Takes note that each probe was due so many times while there was no room for a snapshot.
    pub(super) fn miss(&mut self, missed: &[u64]) {
        for (entry, missed) in self.entries.iter_mut().zip(missed) {
            if *missed > 0 {
                entry.was_due = true;
                entry.tally.skipped += missed;
                self.pending.push(format!(
                    "{} was left out {missed} time(s), because the measurements of earlier steps were not done",
                    entry.tally.probe
                ));
            }
        }
    }

    /// Gives up what was due at a step that was interrupted and is not observed again.
    pub(super) fn give_up_due(&mut self, observation: &mut Observation) {
        let due = self.due(observation.step).unwrap_or_default();
        for (entry, _) in self.entries.iter_mut().zip(due).filter(|(_, due)| *due) {
            entry.tally.skipped += 1;
            let reason = "it was interrupted".to_owned();
            let name = entry.name().to_owned();
            observation.skipped.push((name, reason));
        }
    }

    /// Gives up all that waits, after a panic on the way.
    pub(super) fn give_up_all(&mut self, observation: &mut Observation) {
        for entry in self.entries.iter_mut().filter(|entry| entry.waits) {
            entry.waits = false;
            entry.tally.skipped += 1;
            let reason = "measuring it panicked on the way".to_owned();
            let name = entry.name().to_owned();
            observation.skipped.push((name, reason));
        }
    }

    /// Gives up what waited until it is due again, or until the end.
    fn leave_out(&mut self, step: u64, due: &[bool], late: &[bool], observation: &mut Observation) {
        let is_end = self.total_steps == Some(step);
        for ((entry, due), late) in self.entries.iter_mut().zip(due).zip(late) {
            let given_up = u64::from(*due && *late) + u64::from(entry.waits && is_end);
            if given_up == 0 {
                continue;
            }
            entry.waits &= !is_end;
            entry.tally.skipped += given_up;
            let share = self.budget.share();
            let percent = 100.0 * share.expect("without a limit nothing waits");
            let reason =
                format!("the budget of {percent} % of the time has not saved up what it takes");
            observation.skipped.push((entry.name().to_owned(), reason));
        }
    }

    /// Hands on a record of the training itself, which is its own, and no time of probes.
    pub(super) fn record(&mut self, record: &Record) {
        self.write(std::slice::from_ref(record));
    }

    pub(super) fn write(&mut self, records: &[Record]) {
        // A step at which something waits has nothing to write, and sinks have nothing to flush.
        if records.is_empty() {
            return;
        }
        if let Some(diagnosing) = &self.diagnosing {
            diagnosing.observe(records);
        }
        for sink in &mut self.sinks {
            self.pending.extend(sink.write(records));
        }
    }

    pub(super) fn finish(mut self) -> Summary {
        let mut summary = Summary::default();
        for entry in std::mem::take(&mut self.entries) {
            if !entry.was_due && entry.schedule != Schedule::never() {
                let missed = format!("{} ({})", entry.name(), entry.schedule);
                summary.never_due.push(missed);
            }
            let mut tally = entry.tally;
            tally.skipped += u64::from(entry.waits);
            summary.failed += tally.failed;
            summary.skipped += tally.skipped;
            *summary.measured.entry(tally.probe.clone()).or_default() += tally.measured;
            summary.tallies.push(tally);
        }
        summary.spent = self.spent();
        summary.diagnosis = self.conclude();
        if let Some(step) = self
            .last_step
            .filter(|_| self.cost_records && !summary.tallies.is_empty())
        {
            let value = Value::Text(account(&summary.tallies, &summary.spent));
            self.write(&[Record {
                tag: tag::ACCOUNT.into(),
                step,
                value,
            }]);
        }
        summary.undelivered = self.sinks.into_iter().flat_map(Delivery::finish).collect();
        summary
    }
}
