//! One step of measuring: who is due, what the budget allows, what was found, and where it goes.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use crate::Error;
use crate::budget::{Budget, Spent};
use crate::caught::caught;
use crate::delivery::Delivery;
use crate::entry::Entry;
use crate::finding::Finding;
use crate::message::{At, Handler, Message, to_stderr};
use crate::moment::{Moment, Run};
use crate::observation::{Measured, Observation, Summary, account};
use crate::pace::Pace;
use crate::plan::{Plan, affords_trial, allot};
use crate::record::{Record, Records, Value};
use crate::schedule::Schedule;
use crate::supply::{planned, to_come};
use crate::tag;
use crate::workload::{Hessians, Known};

/// What measures, wherever it runs.
pub(crate) struct Core<M> {
    pub(crate) entries: Vec<Entry<M>>,
    pub(crate) sinks: Vec<Delivery>,
    pub(crate) budget: Budget,
    pub(crate) total_steps: Option<u64>,
    pub(crate) clock: Box<dyn Fn() -> Duration + Send>,
    pub(crate) interrupt: Option<Box<dyn Fn() -> bool + Send>>,
    pub(crate) handler: Handler,
    pub(crate) cost_records: bool,
    /// Whether samples may be made smaller for the budget.
    pub(crate) samples: bool,
    inside: Duration,
    last_step: Option<u64>,
    pace: Pace,
    plan: Option<Plan>,
    known: Known,
    /// Warnings about sinks, for the next observation.
    pending: Vec<String>,
    /// How the products were made when it was last told.
    method: Option<String>,
    summary: Summary,
}

/// A measurement that the budget allows: the seconds that it may take, if there is a limit.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Allowed(Option<f64>);

impl<M> Core<M> {
    pub(crate) fn new(budget: Budget, clock: Box<dyn Fn() -> Duration + Send>) -> Self {
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
            last_step: None,
            pace: Pace::default(),
            plan: None,
            known: Known::default(),
            pending: Vec::new(),
            method: None,
            summary: Summary::default(),
        }
    }

    pub(crate) fn spent(&self) -> Spent {
        Spent {
            probes: self.inside,
            training: (self.clock)().saturating_sub(self.inside),
        }
    }

    /// Which entries are due at `step`.
    pub(crate) fn due(&self, step: u64) -> Result<Vec<bool>, Error> {
        let due = |entry: &Entry<M>| entry.schedule.due(step, self.total_steps);
        self.entries.iter().map(due).collect()
    }

    /// Whether anything was due and could not be measured yet.
    pub(crate) fn waits(&self) -> bool {
        self.entries.iter().any(|entry| entry.waits)
    }

    pub(crate) fn observe(
        &mut self,
        step: u64,
        model: &M,
        learning_rate: Option<f64>,
    ) -> Result<Observation, Error> {
        let due = self.due(step)?;
        let mut observation = Observation {
            step,
            warnings: std::mem::take(&mut self.pending),
            ..Observation::default()
        };
        if let Some(last) = self.last_step.filter(|last| step <= *last) {
            observation.warnings.push(format!("step {step} was not measured: it does not come after step {last}, which was observed before"));
            self.tell_warnings(&observation);
            return Ok(observation);
        }
        let entered = (self.clock)();
        if self.last_step.is_none() {
            self.introduce();
        }
        self.pace.step(step, entered.saturating_sub(self.inside));
        let before = self.last_step.replace(step);
        let late: Vec<bool> = self.entries.iter().map(|entry| entry.waits).collect();
        for (entry, due) in self.entries.iter_mut().zip(&due) {
            entry.was_due |= due;
            entry.waits |= due;
        }
        if !self.waits() {
            return Ok(observation);
        }
        let hessians = Hessians::default();
        let allowed = self.allowed(step, model, learning_rate, &hessians, &mut observation);
        let done = self.measure(&allowed, &hessians, model, learning_rate, &mut observation);
        if !done {
            // A sink takes each step once: what was measured so far would keep out the rest when the step is observed again.
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
        self.inside += (self.clock)().saturating_sub(entered);
        if !observation.measured.is_empty() {
            self.account(&mut observation);
            self.foretell(step);
        }
        observation.warnings.append(&mut self.pending);
        self.tell_warnings(&observation);
        Ok(observation)
    }

    /// Measures what is allowed; false if it was told to stop.
    fn measure(
        &mut self,
        allowed: &[Option<Allowed>],
        hessians: &Hessians,
        model: &M,
        learning_rate: Option<f64>,
        observation: &mut Observation,
    ) -> bool {
        let (step, of) = (observation.step, allowed.iter().flatten().count());
        let interrupt = self.interrupt.as_deref();
        let handler = RefCell::new(&mut self.handler);
        let mut number = 0;
        let mut outcomes = Vec::new();
        for (index, (entry, allowed)) in self.entries.iter_mut().zip(allowed).enumerate() {
            let Some(Allowed(seconds)) = *allowed else {
                continue;
            };
            number += 1;
            let name = entry.name().to_owned();
            let at = At {
                step,
                probe: &name,
                number,
                of,
            };
            handler.borrow_mut()(&Message::Measuring(at));
            let done = Cell::new(0);
            let progress = || {
                done.set(done.get() + 1);
                handler.borrow_mut()(&Message::Progress {
                    at,
                    done: done.get(),
                });
            };
            let moment = Moment {
                seconds: seconds.map(|seconds| entry.told(seconds)),
                learning_rate,
                total_steps: self.total_steps,
                run: Run {
                    interrupt,
                    shared: Some((&self.known, hessians)),
                    progress: Some(&progress),
                },
                ..Moment::new(step, model)
            };
            if moment.run.stops() {
                return false;
            }
            let (started, products) = ((self.clock)(), hessians.products());
            let mut records = Records::new(step);
            let result = caught(|| entry.probe.measure(&moment, &mut records))
                .unwrap_or_else(|message| Err(Error::Panicked { message }));
            if let Err(Error::Landscape(landscape::Error::Cancelled { .. })) = &result
                && moment.run.stops()
            {
                return false;
            }
            let shortened = observation.take_in(records, &name);
            let took = (self.clock)().saturating_sub(started).as_secs_f64();
            let products = hessians.products() - products;
            if let Err(error) = &result {
                let reason = error.to_string();
                handler.borrow_mut()(&Message::Failed {
                    at,
                    reason: &reason,
                });
            } else {
                handler.borrow_mut()(&Message::Measured { at, seconds: took });
            }
            outcomes.push((
                index,
                result,
                seconds,
                Measured {
                    probe: name,
                    seconds: took,
                    products,
                    shortened,
                },
            ));
        }
        for (index, result, given, measured) in outcomes {
            let entry = &mut self.entries[index];
            entry.waits = false;
            entry.took(measured.seconds, given);
            entry.tally.seconds += measured.seconds;
            entry.tally.products += measured.products;
            match result {
                Ok(()) => {
                    entry.tally.measured += 1;
                    entry.tally.shortened += u64::from(measured.shortened.is_some());
                    observation.measured.push(measured);
                }
                Err(error) => {
                    entry.tally.failed += 1;
                    self.summary.failed += 1;
                    observation.failed.push((measured.probe, error));
                }
            }
        }
        true
    }

    /// What each entry may do now: `None` if it is not due or has to wait.
    fn allowed(
        &mut self,
        step: u64,
        model: &M,
        learning_rate: Option<f64>,
        hessians: &Hessians,
        observation: &mut Observation,
    ) -> Vec<Option<Allowed>> {
        let unlimited = |entry: &Entry<M>| entry.waits.then_some(Allowed(None));
        let Some(share) = self.budget.share() else {
            return self.entries.iter().map(unlimited).collect();
        };
        let is_end = self.total_steps == Some(step);
        let required = |entry: &Entry<M>| unlimited(entry).filter(|_| entry.required.now(is_end));
        let mut allowed: Vec<_> = self.entries.iter().map(required).collect();
        let Some(training) = self.pace.known(is_end) else {
            return allowed;
        };
        let saved =
            self.budget.allowed(training).unwrap_or(f64::INFINITY) - self.inside.as_secs_f64();
        let projected = self.pace.projected(self.total_steps);
        let supply = projected.and_then(|training| self.budget.allowed(training));
        if self.plan.is_none()
            && !affords_trial(saved, supply, self.pace.each().unwrap_or(training))
        {
            return allowed;
        }
        let moment = Moment {
            total_steps: self.total_steps,
            learning_rate,
            run: Run {
                interrupt: self.interrupt.as_deref(),
                shared: Some((&self.known, hessians)),
                progress: None,
            },
            ..Moment::new(step, model)
        };
        let plan = *self.plan.get_or_insert_with(|| {
            let (plan, told, warnings) = planned(
                &self.entries,
                &moment,
                self.samples.then_some(&self.known),
                share,
                projected,
                self.inside.as_secs_f64(),
            );
            if let Some(told) = &told {
                (self.handler)(&Message::Plan(told));
            }
            observation.warnings.extend(warnings);
            plan
        });
        let progress = match self.total_steps {
            _ if is_end => 1.0,
            #[expect(clippy::cast_precision_loss, reason = "a number of steps")]
            Some(total) => (step as f64 / total as f64).min(1.0),
            None => 0.0,
        };
        let available = plan.available(saved, progress);
        let stretch = if is_end { 1.0 } else { plan.stretch };
        let waiting: Vec<usize> = (0..self.entries.len())
            .filter(|&index| self.entries[index].waits && allowed[index].is_none())
            .collect();
        let mut asking = Vec::new();
        let mut costs = Vec::new();
        for index in waiting {
            match self.entries[index].cost(&moment) {
                Some(cost) => {
                    asking.push(index);
                    costs.push(cost);
                }
                // Nobody knows yet what it takes.
                None if available > 0.0 => allowed[index] = Some(Allowed(None)),
                None => {}
            }
        }
        for (index, given) in asking.into_iter().zip(allot(available, &costs, stretch)) {
            allowed[index] = given.map(|seconds| Allowed(Some(seconds)));
        }
        allowed
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
            self.summary.skipped += given_up;
            let percent = 100.0 * self.budget.share().unwrap_or(1.0);
            let reason =
                format!("the budget of {percent} % of the time has not saved up what it takes");
            observation.skipped.push((entry.name().to_owned(), reason));
        }
    }

    /// Adds how the products of this step were made.
    fn note_products(&mut self, hessians: &Hessians, observation: &mut Observation) {
        for products in hessians.methods() {
            let method = products.method.to_string();
            if self.method.as_ref() != Some(&method) {
                let text = format!(
                    "Hessian products by {method}, over {} examples",
                    products.examples
                );
                observation.record(tag::METHOD, Value::Text(text));
                self.method = Some(method);
            }
            observation.findings.push(Finding::Products(products));
        }
        let found: Vec<_> = observation.products().cloned().collect();
        #[expect(clippy::cast_precision_loss, reason = "counts")]
        let mut scalar = |tag: &str, count: usize| {
            observation.record(tag, Value::Scalar(count as f64));
        };
        if hessians.products() > 0 {
            scalar(tag::PRODUCTS, hessians.products());
        }
        let unresolved = found.iter().map(|products| products.unresolved).sum();
        if unresolved > 0 {
            scalar(tag::UNRESOLVED, unresolved);
        }
        if let Some(small) = found
            .iter()
            .find(|products| products.examples < products.examples_given)
        {
            scalar(tag::EXAMPLES, small.examples);
        }
    }

    /// Adds the records of the cost.
    fn account(&mut self, observation: &mut Observation) {
        if !self.cost_records {
            return;
        }
        let spent = self.spent();
        let numbers = [
            (tag::PROBE_SECONDS, spent.probes.as_secs_f64()),
            (tag::PROBE_FRACTION, spent.share()),
        ];
        for (tag, value) in numbers {
            observation.record(tag, Value::Scalar(value));
        }
        let entered = (self.clock)();
        self.write(&observation.records[observation.records.len() - numbers.len()..]);
        self.inside += (self.clock)().saturating_sub(entered);
    }

    /// Says at the first step what will be measured.
    fn introduce(&mut self) {
        let scheduled = self
            .entries
            .iter()
            .filter(|entry| entry.schedule != Schedule::never());
        let list: Vec<String> = scheduled
            .map(|entry| format!("{} ({})", entry.name(), entry.schedule))
            .collect();
        if list.is_empty() {
            return;
        }
        let limit = match self.budget.share() {
            Some(share) => format!("at most {} % of the time", 100.0 * share),
            None => "without limit".to_owned(),
        };
        let text = format!("{limit}: {}", list.join(", "));
        (self.handler)(&Message::Plan(&text));
    }

    /// Says once how long what is still to come will take, when there is no limit.
    fn foretell(&mut self, step: u64) {
        if self.budget.share().is_some() {
            return;
        }
        if let Some(text) = to_come(&mut self.entries, step, self.total_steps) {
            (self.handler)(&Message::Plan(&text));
        }
    }

    fn tell_warnings(&mut self, observation: &Observation) {
        for text in &observation.warnings {
            (self.handler)(&Message::Warning {
                step: observation.step,
                text,
            });
        }
    }

    pub(crate) fn record(&mut self, record: &Record) {
        let entered = (self.clock)();
        self.write(std::slice::from_ref(record));
        self.inside += (self.clock)().saturating_sub(entered);
    }

    fn write(&mut self, records: &[Record]) {
        for sink in &mut self.sinks {
            self.pending.extend(sink.write(records));
        }
    }

    pub(crate) fn finish(mut self) -> Summary {
        let mut tallies = Vec::new();
        for entry in &mut self.entries {
            if !entry.was_due && entry.schedule != Schedule::never() {
                let missed = format!("{} ({})", entry.name(), entry.schedule);
                self.summary.never_due.push(missed);
            }
            let waited = u64::from(std::mem::take(&mut entry.waits));
            entry.tally.skipped += waited;
            self.summary.skipped += waited;
            tallies.push(entry.tally.clone());
            let measured = self.summary.measured.entry(entry.tally.probe.clone());
            *measured.or_default() += entry.tally.measured;
        }
        self.summary.spent = self.spent();
        if let Some(step) = self
            .last_step
            .filter(|_| self.cost_records && !tallies.is_empty())
        {
            let value = Value::Text(account(&tallies, &self.summary.spent));
            self.write(&[Record {
                tag: tag::ACCOUNT.into(),
                step,
                value,
            }]);
        }
        self.summary.tallies = tallies;
        self.summary.undelivered = self.sinks.into_iter().flat_map(Delivery::finish).collect();
        self.summary
    }
}
