//! The container: probes with their schedules, and the sinks that receive what they find.

use std::time::{Duration, Instant};

use crate::Error;
use crate::budget::{Budget, Spent};
use crate::caught::caught;
use crate::delivery::Delivery;
use crate::observation::{Observation, Summary, notes};
use crate::probe::{Interrupt, Moment, Probe};
use crate::record::{Record, Records, Value};
use crate::schedule::Schedule;
use crate::sink::Sink;

/// The tag of the text that reports probes which failed or were skipped.
pub const NOTES_TAG: &str = "diagnosis/probes";

/// Probes with their schedules, and the sinks that receive the records.
///
/// The training loop calls [`observe`](Self::observe) after each update (and once before the first, as step 0) and does not know what is measured. A probe
/// that fails is reported and never stops the loop; records made before are never lost.
///
/// The time spent inside is recorded as `cost/probe_seconds` and `cost/probe_fraction` (probes over training, both since the container was made) at each step that measured something;
/// the one warning about an exceeded budget comes as the text `cost/budget`. [`without_cost_records`](Self::without_cost_records) leaves these three out, and what
/// remains depends on the run alone.
///
/// Burn draws the initial weights of a layer when they are first looked at. A probe that measures the untrained model looks at all of them at once, before the
/// first forward pass and its dropout do, and so the device's random stream is drawn from in another order. To compare a run bit for bit with one that is not
/// measured at step 0, look at all weights in both right after the model is made, for example with `ParameterSpace::of(&model)`.
///
/// # Examples
///
/// See [`Probe`].
pub struct Probes<M> {
    entries: Vec<Entry<M>>,
    sinks: Vec<Delivery>,
    budget: Budget,
    total_steps: Option<u64>,
    learning_rate: Option<f64>,
    clock: Box<dyn Fn() -> Duration + Send>,
    interrupt: Option<Box<dyn Fn() -> bool + Send>>,
    cost_records: bool,
    inside: Duration,
    last_step: Option<u64>,
    warned: bool,
    /// Warnings about sinks, for the next observation.
    pending: Vec<String>,
    summary: Summary,
}

struct Entry<M> {
    schedule: Schedule,
    probe: Box<dyn Probe<M> + Send>,
    /// As the probe told it when it was added: asking again could panic.
    name: String,
    optional: bool,
    was_due: bool,
    measured: u64,
}

impl<M> Probes<M> {
    /// No probes yet.
    #[must_use]
    pub fn new(budget: Budget) -> Self {
        let start = Instant::now();
        Self {
            entries: Vec::new(),
            sinks: Vec::new(),
            budget,
            total_steps: None,
            learning_rate: None,
            clock: Box::new(move || start.elapsed()),
            interrupt: None,
            cost_records: true,
            inside: Duration::ZERO,
            last_step: None,
            warned: false,
            pending: Vec::new(),
            summary: Summary::default(),
        }
    }

    /// Adds a probe that always measures when its schedule says so.
    #[must_use]
    pub fn with(self, schedule: Schedule, probe: impl Probe<M> + Send + 'static) -> Self {
        self.with_entry(schedule, Box::new(probe), false)
    }

    /// Adds a probe that an enforcing budget may skip.
    #[must_use]
    pub fn with_optional(self, schedule: Schedule, probe: impl Probe<M> + Send + 'static) -> Self {
        self.with_entry(schedule, Box::new(probe), true)
    }

    fn with_entry(
        mut self,
        schedule: Schedule,
        probe: Box<dyn Probe<M> + Send>,
        optional: bool,
    ) -> Self {
        self.entries.push(Entry {
            schedule,
            name: probe.name(),
            probe,
            optional,
            was_due: false,
            measured: 0,
        });
        self
    }

    /// Adds a sink; every sink receives every record.
    #[must_use]
    pub fn into_sink(mut self, sink: impl Sink + 'static) -> Self {
        self.sinks.push(Delivery::to(sink));
        self
    }

    /// Tells the number of updates that the run will make, which `log` and `end` schedules need.
    #[must_use]
    pub fn with_total_steps(self, total: u64) -> Self {
        Self {
            total_steps: Some(total),
            ..self
        }
    }

    /// Leaves out `cost/probe_seconds` and `cost/probe_fraction`, so that two equal runs give equal records.
    #[must_use]
    pub fn without_cost_records(self) -> Self {
        Self {
            cost_records: false,
            ..self
        }
    }

    /// Replaces the clock: the time since some fixed moment, never decreasing. For tests and for simulated time.
    #[must_use]
    pub fn with_clock(self, clock: impl Fn() -> Duration + Send + 'static) -> Self {
        Self {
            clock: Box::new(clock),
            ..self
        }
    }

    /// Asks `requested` between probes, between the products of an operator and between the points of a slice whether measurements shall
    /// stop, for example because the process was told to end. An observation that was stopped hands nothing on: see
    /// [`Observation::interrupted`].
    #[must_use]
    pub fn with_interrupt(self, requested: impl Fn() -> bool + Send + 'static) -> Self {
        Self {
            interrupt: Some(Box::new(requested)),
            ..self
        }
    }

    /// Tells the learning rate of the updates from now on; probes see it in [`Moment::learning_rate`].
    pub fn set_learning_rate(&mut self, learning_rate: f64) {
        self.learning_rate = Some(learning_rate);
    }

    /// The time spent so far.
    #[must_use]
    pub fn spent(&self) -> Spent {
        Spent {
            probes: self.inside,
            training: (self.clock)().saturating_sub(self.inside),
        }
    }

    /// Whether any probe is due at `step`, so that a loop can save itself the trouble of making a model for it.
    ///
    /// # Errors
    ///
    /// [`Error::TotalStepsMissing`].
    pub fn is_due(&self, step: u64) -> Result<bool, Error> {
        self.entries.iter().try_fold(false, |due, entry| {
            Ok(due | entry.schedule.due(step, self.total_steps)?)
        })
    }

    /// Measures `model` after `step` updates with every probe that is due, and hands the records to the sinks.
    ///
    /// A step that does not come after the last one observed measures nothing and is answered with a warning, because sinks take each step of a tag once.
    ///
    /// # Errors
    ///
    /// [`Error::TotalStepsMissing`] when a schedule needs the total number of steps, which the first call notices. Nothing else: failures of probes are in
    /// [`Observation::failed`], failures of sinks in the summary of [`finish`](Self::finish).
    pub fn observe(&mut self, step: u64, model: &M) -> Result<Observation, Error> {
        let due = self
            .entries
            .iter()
            .map(|entry| entry.schedule.due(step, self.total_steps))
            .collect::<Result<Vec<bool>, Error>>()?;
        let mut observation = Observation {
            step,
            warnings: std::mem::take(&mut self.pending),
            ..Observation::default()
        };
        if let Some(last) = self.last_step.filter(|last| step <= *last) {
            observation.warnings.push(format!("step {step} was not measured: it does not come after step {last}, which was observed before"));
            return Ok(observation);
        }
        let before = self.last_step.replace(step);
        if !due.contains(&true) {
            return Ok(observation);
        }
        let entered = (self.clock)();
        let moment = Moment {
            step,
            total_steps: self.total_steps,
            model,
            learning_rate: self.learning_rate,
            interrupt: Interrupt(self.interrupt.as_deref()),
        };
        // What this call has taken so far is counted too, so the budget is seen to be exceeded within a step.
        let spent = |inside: Duration, now: Duration| Spent {
            probes: inside + now.saturating_sub(entered),
            training: entered.saturating_sub(inside),
        };
        let mut interrupted = false;
        for (entry, _) in self.entries.iter_mut().zip(&due).filter(|(_, due)| **due) {
            if moment.interrupt.requested() {
                interrupted = true;
                break;
            }
            entry.was_due = true;
            let started = (self.clock)();
            let so_far = spent(self.inside, started);
            if self.budget.enforcing && entry.optional && self.budget.is_exceeded(&so_far) {
                let reason = format!(
                    "the budget of {:.1} % is exceeded: {}",
                    100.0 * self.budget.fraction,
                    so_far.sentence()
                );
                observation.skipped.push((entry.name.clone(), reason));
                continue;
            }
            let mut records = Records::new(step);
            let result = caught(|| entry.probe.measure(&moment, &mut records))
                .unwrap_or_else(|message| Err(Error::Panicked { message }));
            for record in records.into_vec() {
                if observation
                    .records
                    .iter()
                    .any(|other| other.tag == record.tag)
                {
                    observation.warnings.push(format!(
                        "the tag {} of {} was left out at step {step}, because another probe had recorded it: wrap one of them in `instrument::Suffixed`",
                        record.tag, entry.name
                    ));
                } else {
                    observation.records.push(record);
                }
            }
            match result {
                Ok(()) => {
                    entry.measured += 1;
                    observation.measured.push((
                        entry.name.clone(),
                        (self.clock)().saturating_sub(started).as_secs_f64(),
                    ));
                }
                Err(Error::Landscape(landscape::Error::Cancelled { .. }))
                    if moment.interrupt.requested() =>
                {
                    interrupted = true;
                    break;
                }
                Err(error) => observation.failed.push((entry.name.clone(), error)),
            }
        }
        if interrupted {
            // A sink takes each step once: what was measured so far would keep out the rest when the step is observed again.
            self.last_step = before;
            self.inside += (self.clock)().saturating_sub(entered);
            return Ok(Observation {
                step,
                interrupted: true,
                ..Observation::default()
            });
        }
        self.summary.failed += observation.failed.len() as u64;
        self.summary.skipped += observation.skipped.len() as u64;
        if let Some(notes) = notes(&observation) {
            observation.records.push(Record {
                tag: NOTES_TAG.into(),
                step,
                value: Value::Text(notes),
            });
        }
        self.write(&observation.records);
        self.inside += (self.clock)().saturating_sub(entered);
        self.account(&mut observation);
        observation.warnings.append(&mut self.pending);
        Ok(observation)
    }

    /// Adds the records of the cost and the warning about the budget.
    fn account(&mut self, observation: &mut Observation) {
        let spent = self.spent();
        if self.cost_records {
            let numbers = [
                ("cost/probe_seconds", spent.probes.as_secs_f64()),
                ("cost/probe_fraction", spent.fraction()),
            ];
            let costs = numbers.map(|(tag, value)| Record {
                tag: tag.into(),
                step: observation.step,
                value: Value::Scalar(value),
            });
            self.write(&costs);
            observation.records.extend(costs);
        }
        if self.budget.is_exceeded(&spent) && !self.warned {
            self.warned = true;
            let advice = if self.budget.enforcing {
                "optional probes are skipped until it is met"
            } else {
                "measure less often, or enforce the budget"
            };
            let warning = format!(
                "the budget of {:.1} % is exceeded: {}; {advice}",
                100.0 * self.budget.fraction,
                spent.sentence()
            );
            if self.cost_records {
                let record = Record {
                    tag: "cost/budget".into(),
                    step: observation.step,
                    value: Value::Text(warning.clone()),
                };
                self.record(record.clone());
                observation.records.push(record);
            }
            observation.warnings.push(warning);
        }
    }

    /// Hands a number of the training itself to the sinks, for example its loss.
    pub fn log(&mut self, tag: &str, step: u64, value: f64) {
        self.record(Record {
            tag: tag.into(),
            step,
            value: Value::Scalar(value),
        });
    }

    /// Hands any record to the sinks.
    pub fn record(&mut self, record: Record) {
        let entered = (self.clock)();
        self.write(std::slice::from_ref(&record));
        self.inside += (self.clock)().saturating_sub(entered);
    }

    fn write(&mut self, records: &[Record]) {
        for sink in &mut self.sinks {
            self.pending.extend(sink.write(records));
        }
    }

    /// Ends all sinks and tells what was done, and in [`Summary::undelivered`] what did not reach a sink.
    #[must_use = "the summary tells what failed"]
    pub fn finish(mut self) -> Summary {
        self.summary.spent = self.spent();
        for entry in self.entries {
            if !entry.was_due && entry.schedule != Schedule::never() {
                let missed = format!("{} ({})", entry.name, entry.schedule);
                self.summary.never_due.push(missed);
            }
            *self.summary.measured.entry(entry.name).or_default() += entry.measured;
        }
        self.summary.undelivered = self.sinks.into_iter().flat_map(Delivery::finish).collect();
        self.summary
    }
}
