//! Measuring beside the training, as the training sees it.

use std::sync::Arc;
use std::time::Duration;

use burn::module::Module;
use landscape::snapshot;

use super::entry::Required;
use super::measurer::{Clock, Measurer, Told, repeated};
use super::observation::{Observation, Summary};
use super::probes::{Place, Probes};
use super::thread::{Job, Shared, Snapshot, Thread};
use crate::Error;
use crate::budget::Spent;
use crate::record::Record;
use crate::schedule::Schedule;

impl<M> Probes<M> {
    /// Measures in the background: in a thread of its own, on a [snapshot](landscape::snapshot) of
    /// the model, while training goes on. Settings may come before it or after.
    ///
    /// # Results
    /// Without a limit the records are those that measuring in the training's thread gives, to the
    /// last bit and in the same order, those of [`log`](Self::log) and [`record`](Self::record)
    /// among them. Steps are measured one after the other, in their order. Under a
    /// [`Budget`](crate::Budget) it depends on the clock what is measured, in either place. The
    /// training is the same bits in any case. All of that supposes that no probe draws random
    /// numbers from the device: those of this crate do not, and layers such as dropout are off.
    ///
    /// # Waiting
    /// One snapshot is measured and two wait, at most. When another is due,
    /// [`observe`](Self::observe) waits for room, without a limit, at the last step, and for
    /// [what is required](Self::with_required). Otherwise it leaves out what is due, and says so
    /// ([`Observation::skipped`], [`Tally`](crate::Tally), [`tag::NOTES`](crate::tag::NOTES)).
    /// [`finish`](Self::finish) measures all that waits, and so does dropping the container.
    ///
    /// # Reports
    /// An [`Observation`] says nothing of its own step. What was measured meanwhile, and what
    /// failed, is in [`Observation::background`] of the next one, and of the last ones in
    /// [`Summary::background`]; [`wait`](Self::wait) gives it at once. Each
    /// [`Message`](crate::Message) is told from the thread when it arises. A step that was
    /// interrupted cannot be observed again, and counts as left out.
    ///
    /// # Cost
    /// A snapshot shares its weights with the model until the next update, which then writes new
    /// ones: memory of the weights and running statistics once more for each snapshot, three times
    /// at most, and as much of the optimiser's state where the loop shows it
    /// ([`observe_with`](Self::observe_with)). The first model that is observed is always taken.
    ///
    /// Threads share the processor: it pays where cores are idle while the model trains. Where none
    /// is, the training becomes slower by what the probes take. So a [`Budget`](crate::Budget)
    /// limits the time of the thread, all of it, as a share of the run's, and [`Spent::waited`]
    /// tells for how long the training stood still.
    ///
    /// # Examples
    /// ```
    /// use burn::module::{Module, Param};
    /// use burn::tensor::{Device, Tensor};
    /// use landscape::Risk;
    /// use probes::instrument::GradientNorm;
    /// use probes::{Probes, Schedule};
    ///
    /// #[derive(Module, Debug)]
    /// struct Point {
    ///     at: Param<Tensor<1>>,
    /// }
    ///
    /// let device = Device::default();
    /// let loss = |model: &Point, x: &Tensor<1>| (model.at.val() - x.clone()).square().mean();
    /// let risk = Risk::mean([Tensor::from_floats([1.0], &device)], loss);
    /// let at = Tensor::from_floats([3.0], &device.autodiff());
    /// let model = Point {
    ///     at: Param::from_tensor(at),
    /// };
    /// let mut probes = Probes::unlimited()
    ///     .with(Schedule::every(1), GradientNorm::of(&risk))
    ///     .in_background();
    /// probes.observe(0, &model)?;
    /// // The derivative of (x - 1)² at 3.
    /// let found = probes.wait();
    /// assert_eq!(found[0].scalar("gradient/norm"), Some(4.0));
    /// assert_eq!(probes.finish().measured.len(), 1);
    /// # Ok::<(), probes::Error>(())
    /// ```
    #[must_use]
    pub fn in_background(mut self) -> Self
    where
        M: Module + 'static,
    {
        if let Place::Here(measurer) = self.place {
            self.place = Place::of(Worker::start(measurer));
        }
        self
    }

    /// Waits until all that was observed and logged is measured and handed to the sinks, for
    /// example before a checkpoint. Returns the observations that were made in the background
    /// since the last one was told; in the training's own thread there are none, and nothing to
    /// wait for.
    pub fn wait(&mut self) -> Vec<Observation> {
        match &mut self.place {
            Place::Here(_) => Vec::new(),
            Place::Beside(worker) => worker.wait(),
        }
    }
}

/// The measurer and the reason, where no thread could be started for it.
type Refused<M> = (Box<Measurer<M>>, std::io::Error);

/// The way to start a thread, for code that does not know that the model is a module.
type Start<M> = fn(Box<Measurer<M>>, &Arc<Shared>) -> Result<Thread<M>, Refused<M>>;

/// The measurements beside a training.
pub(crate) struct Worker<M> {
    thread: Thread<M>,
    shared: Arc<Shared>,
    start: Start<M>,
    take: fn(&M) -> M,
    settings: Settings,
    clock: Clock,
    last_step: Option<u64>,
    /// For each probe, how often it was due since the last snapshot and found no room.
    missed: Vec<u64>,
    /// Time for which the training stood still: snapshots, and waiting for the thread.
    waited: Duration,
}

impl<M: Module + 'static> Worker<M> {
    /// Starts a thread; without one, what measures comes back with a warning, and goes on where it
    /// is.
    pub(crate) fn start(core: Box<Measurer<M>>) -> Result<Self, Box<Measurer<M>>> {
        let (clock, last_step) = (Arc::clone(&core.clock), core.last_step);
        let (waited, shared) = (core.inside, Arc::default());
        let settings = Settings::of(&core);
        let thread = Thread::start(core, &shared).map_err(refused)?;
        Ok(Self {
            thread,
            shared,
            start: Thread::start,
            take: snapshot::<M>,
            missed: vec![0; settings.probes.len()],
            settings,
            clock,
            last_step,
            waited,
        })
    }
}

/// A probe, and when it is due.
struct Due {
    name: String,
    schedule: Schedule,
    required: Required,
}

/// The settings on which it depends whether a step is handed over.
struct Settings {
    probes: Vec<Due>,
    total_steps: Option<u64>,
    is_limited: bool,
}

impl Settings {
    fn of<M>(core: &Measurer<M>) -> Self {
        let entries = core.entries.iter();
        let due = entries.map(|entry| Due {
            name: entry.name().to_owned(),
            schedule: entry.schedule.clone(),
            required: entry.required,
        });
        Self {
            probes: due.collect(),
            total_steps: core.total_steps,
            is_limited: core.budget.share().is_some(),
        }
    }
}

/// Returns what measures with a warning that it has no thread.
fn refused<M>((mut core, error): Refused<M>) -> Box<Measurer<M>> {
    core.pending.push(format!(
        "no thread could be started ({error}): probes measure in the training's own, with the same results"
    ));
    core
}

impl<M> Worker<M> {
    pub(crate) fn spent(&self) -> Spent {
        Spent {
            probes: self.shared.inside(),
            training: (self.clock)().saturating_sub(self.waited),
            waited: self.waited,
        }
    }

    /// Tells which probes are due at `step`.
    fn due(&self, step: u64) -> Result<Vec<bool>, Error> {
        let due = |probe: &Due| probe.schedule.due(step, self.settings.total_steps);
        self.settings.probes.iter().map(due).collect()
    }

    pub(crate) fn is_due(&self, step: u64) -> Result<bool, Error> {
        let is_new = self.last_step.is_none() && !self.settings.probes.is_empty();
        Ok(self.due(step)?.contains(&true) || is_new || self.shared.waits())
    }

    pub(crate) fn observe(
        &mut self,
        step: u64,
        model: &M,
        told: Told<'_>,
    ) -> Result<Observation, Error> {
        let due = self.due(step)?;
        let mut observation = Observation {
            step,
            background: self.shared.take(),
            ..Observation::default()
        };
        if let Some(last) = self.last_step.filter(|last| step <= *last) {
            let text = repeated(step, last);
            observation.warnings.push(text.clone());
            self.thread.send(Job::Warn { step, text });
            return Ok(observation);
        }
        // The thread has to see the pace of the training: its first step, and those that measure.
        let is_first = self.last_step.replace(step).is_none();
        if !(is_first || due.contains(&true) || self.shared.waits()) {
            return Ok(observation);
        }
        let entered = (self.clock)();
        if !self.thread.try_room() {
            if self.may_leave_out(step, &due) {
                self.leave_out(&due, &mut observation);
                return Ok(observation);
            }
            self.thread.wait_for_room();
        }
        let none = vec![0; self.settings.probes.len()];
        self.thread.send(Job::Observe(Box::new(Snapshot {
            step,
            model: (self.take)(model),
            learning_rate: told.learning_rate,
            optimiser: told.optimiser.cloned(),
            missed: std::mem::replace(&mut self.missed, none),
        })));
        self.waited += (self.clock)().saturating_sub(entered);
        Ok(observation)
    }

    /// Tells whether the budget decides over all that is due, and this is not the end.
    fn may_leave_out(&self, step: u64, due: &[bool]) -> bool {
        let mut due = self
            .settings
            .probes
            .iter()
            .zip(due)
            .filter(|(_, due)| **due);
        let is_required = due.any(|(probe, _)| probe.required == Required::Always);
        self.settings.is_limited && self.settings.total_steps != Some(step) && !is_required
    }

    /// Gives up what is due, because earlier steps are still measured. What waits already goes on
    /// waiting.
    fn leave_out(&mut self, due: &[bool], observation: &mut Observation) {
        let probes = self.settings.probes.iter().zip(&mut self.missed).zip(due);
        for ((probe, missed), _) in probes.filter(|(_, due)| **due) {
            *missed += 1;
            let reason = "the measurements of earlier steps are not done".to_owned();
            observation.skipped.push((probe.name.clone(), reason));
        }
    }

    pub(crate) fn record(&self, record: Record) {
        self.thread.send(Job::Record(record));
    }

    /// Waits until all is measured that was handed over; returns the observations of which the
    /// training was not told.
    pub(crate) fn wait(&mut self) -> Vec<Observation> {
        let entered = (self.clock)();
        self.thread.wait();
        self.waited += (self.clock)().saturating_sub(entered);
        self.shared.take()
    }

    /// Changes the settings, after all that was handed over is measured as they were; without a
    /// thread, what measures comes back.
    pub(crate) fn change(
        self,
        change: impl FnOnce(&mut Measurer<M>),
    ) -> Result<Self, Box<Measurer<M>>> {
        let entered = (self.clock)();
        let mut core = self.thread.stop();
        let waited = self.waited + (self.clock)().saturating_sub(entered);
        core.miss(&self.missed);
        change(&mut core);
        let settings = Settings::of(&core);
        let clock = Arc::clone(&core.clock);
        let thread = (self.start)(core, &self.shared).map_err(refused)?;
        Ok(Self {
            thread,
            missed: vec![0; settings.probes.len()],
            settings,
            clock,
            waited,
            ..self
        })
    }

    pub(crate) fn finish(self) -> Summary {
        let entered = (self.clock)();
        let mut core = self.thread.stop();
        core.miss(&self.missed);
        core.waited = Some(self.waited + (self.clock)().saturating_sub(entered));
        let mut summary = core.finish();
        summary.failed += self.shared.broken();
        summary.background = self.shared.take();
        summary
    }
}
