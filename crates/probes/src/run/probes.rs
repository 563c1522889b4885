//! The container: probes with their schedules, and the sinks that receive what they find.

use std::sync::Arc;
use std::time::{Duration, Instant};

use burn::optim::ModuleOptimizer;

use super::background::Worker;
use super::delivery::Delivery;
use super::diagnosing::Diagnosing;
use super::entry::{Entry, Required};
use super::measurer::{Measurer, Told};
use super::message::Message;
use super::observation::{Observation, Summary};
use crate::Error;
use crate::budget::{Budget, Spent};
use crate::diagnosis::Facts;
use crate::probe::Probe;
use crate::record::{Record, Value};
use crate::schedule::Schedule;
use crate::sink::{Shared, Sink};

/// Probes with their schedules, and the sinks that receive the records.
///
/// The training loop calls [`observe`](Self::observe) after each update (and once before the first,
/// as step 0) and does not know what is measured. A probe that fails is reported and never stops
/// the loop; records made before are never lost.
///
/// # The budget
/// A [`Budget`] is a limit. Once the pace of the training is known (after its third step), what all
/// probes ask for is compared with what the budget supplies. Where it does not fit, risks are
/// measured over a smaller sample of their data, chosen once for the whole run (not less than 32
/// examples or a sixteenth), and measurements are shortened: fewer Lanczos steps, warm starts from
/// the last eigenvectors, fewer probe vectors, coarser planes, with the error that belongs to it. A
/// measurement for which too little was saved up waits, is made at a later step, and is left out
/// when it is due again before. All of it stands in the [`Observation`], in the text
/// [`tag::NOTES`](crate::tag::NOTES), and in the account at the end
/// ([`tag::ACCOUNT`](crate::tag::ACCOUNT), [`Summary`]).
///
/// The time spent inside is recorded as `cost/probe_seconds` and `cost/probe_fraction` (the share
/// of probes in the whole time, both since the container was made) at each step that measured
/// something. [`without_cost_records`](Self::without_cost_records) leaves these out, and without a
/// limit what remains depends on the run alone.
///
/// # Messages
/// Plans, warnings, failures, and measurements that take longer than two seconds are told on
/// standard error; [`with_handler`](Self::with_handler) takes them elsewhere.
///
/// # Initial weights
/// Burn draws the initial weights of a layer when they are first looked at. A probe that measures
/// the untrained model looks at all of them at once, before the first forward pass and its dropout
/// do, and so the device's random stream is drawn from in another order. To compare a run bit for
/// bit with one that is not measured at step 0, look at all weights in both right after the model
/// is made, for example with `ParameterSpace::of(&model)`. Otherwise there is no need to.
///
/// # Examples
/// See [`Probe`].
pub struct Probes<M> {
    pub(super) place: Place<M>,
    learning_rate: Option<f64>,
}

pub(super) enum Place<M> {
    /// In the training's own thread.
    Here(Box<Measurer<M>>),
    /// Beside it.
    Beside(Box<Worker<M>>),
}

impl<M> Place<M> {
    /// Returns the place beside the training, or where no thread could be started the training's
    /// own.
    pub(super) fn of(started: Result<Worker<M>, Box<Measurer<M>>>) -> Self {
        match started {
            Ok(worker) => Self::Beside(Box::new(worker)),
            Err(measurer) => Self::Here(measurer),
        }
    }
}

impl<M> Default for Probes<M> {
    fn default() -> Self {
        Self::new()
    }
}

impl<M> Probes<M> {
    /// Returns a container without probes, which may take 5 % of the run's time.
    #[must_use]
    pub fn new() -> Self {
        let start = Instant::now();
        let measurer = Measurer::new(Budget::default(), Arc::new(move || start.elapsed()));
        Self {
            place: Place::Here(Box::new(measurer)),
            learning_rate: None,
        }
    }

    /// Returns a container without probes and without a limit: everything is measured in full
    /// whenever it is due.
    #[must_use]
    pub fn unlimited() -> Self {
        Self::new().with_budget(Budget::unlimited())
    }

    /// Sets the share of the run's time that probes may take: 5 % unless it is said.
    #[must_use]
    pub fn with_budget(self, budget: Budget) -> Self {
        self.set(|measurer| measurer.budget = budget)
    }

    /// Changes the settings. In the background what was observed before is measured before.
    fn set(self, change: impl FnOnce(&mut Measurer<M>)) -> Self {
        let place = match self.place {
            Place::Here(mut measurer) => {
                change(&mut measurer);
                Place::Here(measurer)
            }
            Place::Beside(worker) => Place::of(worker.change(change)),
        };
        Self { place, ..self }
    }

    /// Adds a probe, which measures when its schedule says so, as far as the budget allows.
    #[must_use]
    pub fn with(self, schedule: Schedule, probe: impl Probe<M> + Send + 'static) -> Self {
        let entry = Entry::new(schedule, Box::new(probe), Required::Never);
        self.set(|measurer| measurer.entries.push(entry))
    }

    /// Adds a probe that is measured in full whenever it is due, whatever the budget: its time
    /// comes on top.
    #[must_use]
    pub fn with_required(self, schedule: Schedule, probe: impl Probe<M> + Send + 'static) -> Self {
        let entry = Entry::new(schedule, Box::new(probe), Required::Always);
        self.set(|measurer| measurer.entries.push(entry))
    }

    /// Adds a probe whose measurement after the last step is a result of the run: it is made in
    /// full whatever the budget, on top of it, and those before as far as the budget allows.
    #[must_use]
    pub fn with_required_at_end(
        self,
        schedule: Schedule,
        probe: impl Probe<M> + Send + 'static,
    ) -> Self {
        let entry = Entry::new(schedule, Box::new(probe), Required::AtEnd);
        self.set(|measurer| measurer.entries.push(entry))
    }

    /// Measures risks over all the data that they were given, whatever the budget: measurements are
    /// shortened, wait and are left out instead. For runs that are compared with one another.
    #[must_use]
    pub fn with_whole_samples(self) -> Self {
        self.set(|measurer| measurer.samples = false)
    }

    /// Adds a sink; every sink receives every record.
    #[must_use]
    pub fn with_sink(self, sink: impl Sink + 'static) -> Self {
        self.set(|measurer| measurer.sinks.push(Delivery::to(sink)))
    }

    /// Adds a diagnosis of the run from its records ([`diagnosis`](crate::diagnosis)). It is
    /// written as the text `diagnosis/report` at the end, and before when a problem appears,
    /// which is also told as a [`Message::Warning`](crate::Message::Warning);
    /// [`Summary::diagnosis`] has it as values. It takes no measurement of its own and next to
    /// no time.
    ///
    /// The facts say what the program knows: `Facts::new()`, or better with the classes and the
    /// optimiser. The number of steps and the learning rate are taken from these probes where the
    /// facts do not say them. The training logs its loss with [`log`](Self::log).
    ///
    /// # Examples
    /// ```
    /// use probes::Probes;
    /// use probes::diagnosis::{Facts, Symptom};
    ///
    /// let facts = Facts::new().with_classes(10);
    /// let mut probes = Probes::<f64>::new()
    ///     .with_diagnosis(facts)
    ///     .with_handler(|_| ());
    /// for (step, loss) in [(0, 2.3), (1, 40.0), (2, f64::INFINITY)] {
    ///     probes.log("loss/train", step, loss);
    /// }
    /// let diagnosis = probes.finish().diagnosis.expect("it was asked for");
    /// assert!(diagnosis.find(Symptom::LearningRateTooHigh).is_some());
    /// ```
    #[must_use]
    pub fn with_diagnosis(self, facts: impl Into<Shared<Facts>>) -> Self {
        let facts = facts.into();
        self.set(|measurer| measurer.diagnosing = Some(Diagnosing::of(facts)))
    }

    /// Tells the number of updates that the run will make, which `log` and `end` schedules need. It
    /// also lets a budget be planned for the whole run.
    #[must_use]
    pub fn with_total_steps(self, total: u64) -> Self {
        self.set(|measurer| measurer.total_steps = Some(total))
    }

    /// Leaves out the records of the group `cost`, so that two equal runs without a limit give
    /// equal records.
    #[must_use]
    pub fn without_cost_records(self) -> Self {
        self.set(|measurer| measurer.cost_records = false)
    }

    /// Hands [messages](Message) to `handler` in place of standard error. `|_| ()` is silence.
    #[must_use]
    pub fn with_handler(self, handler: impl FnMut(&Message<'_>) + Send + 'static) -> Self {
        self.set(|measurer| measurer.handler = Box::new(handler))
    }

    /// Replaces the clock: the time since some fixed moment, never decreasing. For tests and for
    /// simulated time.
    #[must_use]
    pub fn with_clock(self, clock: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        self.set(|measurer| measurer.clock = Arc::new(clock))
    }

    /// Asks `requested` between probes, between the products of an operator and between the points
    /// of a slice whether measurements shall stop, for example because the process was told to end.
    /// An observation that was stopped hands nothing on: see [`Observation::interrupted`].
    #[must_use]
    pub fn with_interrupt(self, requested: impl Fn() -> bool + Send + 'static) -> Self {
        self.set(|measurer| measurer.interrupt = Some(Box::new(requested)))
    }

    /// Tells the learning rate of the updates from now on; probes see it in
    /// [`Moment::learning_rate`](crate::Moment::learning_rate).
    pub fn set_learning_rate(&mut self, learning_rate: f64) {
        self.learning_rate = Some(learning_rate);
    }

    /// Returns the time spent so far.
    #[must_use]
    pub fn spent(&self) -> Spent {
        match &self.place {
            Place::Here(measurer) => measurer.spent(),
            Place::Beside(worker) => worker.spent(),
        }
    }

    /// Tells whether any probe is due at `step`, or has waited for it, or the run's first model has
    /// not been shown yet, so that a loop can save itself the trouble of making a model for it.
    ///
    /// # Errors
    /// [`Error::TotalStepsMissing`].
    pub fn is_due(&self, step: u64) -> Result<bool, Error> {
        match &self.place {
            Place::Here(measurer) => {
                Ok(measurer.due(step)?.contains(&true) || measurer.waits() || measurer.is_new())
            }
            Place::Beside(worker) => worker.is_due(step),
        }
    }

    /// Measures `model` after `step` updates with every probe that is due, and hands the records to
    /// the sinks.
    ///
    /// A step that does not come after the last one observed measures nothing and is answered with
    /// a warning, because sinks take each step of a tag once.
    ///
    /// # Errors
    /// [`Error::TotalStepsMissing`] when a schedule needs the total number of steps, which the
    /// first call notices. Nothing else: failures of probes are in [`Observation::failed`],
    /// failures of sinks in the summary of [`finish`](Self::finish).
    pub fn observe(&mut self, step: u64, model: &M) -> Result<Observation, Error> {
        self.observe_told(step, model, None)
    }

    /// Measures as [`observe`](Self::observe) does, with the optimiser as it is after `step`
    /// updates: probes see it in [`Moment::optimiser`](crate::Moment::optimiser), and
    /// [`StabilityMonitor`](crate::instrument::StabilityMonitor) reads its second moments.
    ///
    /// At a step at which no probe is due it costs nothing. In a thread of its own
    /// ([`in_background`](Self::in_background)) a due step takes a copy, which shares the tensors
    /// of the state with the optimiser until its next update: memory of the state once more for
    /// each copy that waits.
    ///
    /// # Errors
    /// As [`observe`](Self::observe).
    pub fn observe_with(
        &mut self,
        step: u64,
        model: &M,
        optimiser: &ModuleOptimizer,
    ) -> Result<Observation, Error> {
        self.observe_told(step, model, Some(optimiser))
    }

    /// Measures with the optimiser, where there is one to show.
    pub(crate) fn observe_told(
        &mut self,
        step: u64,
        model: &M,
        optimiser: Option<&ModuleOptimizer>,
    ) -> Result<Observation, Error> {
        let told = Told {
            learning_rate: self.learning_rate,
            optimiser,
        };
        match &mut self.place {
            Place::Here(measurer) => measurer.observe(step, model, told),
            Place::Beside(worker) => worker.observe(step, model, told),
        }
    }

    /// Hands a number of the training itself to the sinks, for example its loss. That is no time of
    /// probes.
    pub fn log(&mut self, tag: &str, step: u64, value: f64) {
        self.record(Record {
            tag: tag.into(),
            step,
            value: Value::Scalar(value),
        });
    }

    /// Hands any record to the sinks.
    pub fn record(&mut self, record: Record) {
        match &mut self.place {
            Place::Here(measurer) => measurer.record(&record),
            Place::Beside(worker) => worker.record(record),
        }
    }

    /// Measures what waits in the background, ends all sinks and tells what was done, and in
    /// [`Summary::undelivered`] what did not reach a sink.
    #[must_use = "the summary tells what failed"]
    pub fn finish(self) -> Summary {
        match self.place {
            Place::Here(measurer) => measurer.finish(),
            Place::Beside(worker) => worker.finish(),
        }
    }
}
