//! Measuring in a thread of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use burn::module::Module;
use burn::optim::ModuleOptimizer;
use landscape::snapshot;

use super::measurer::{Clock, Measurer, Told};
use super::observation::{Observation, Summary};
use crate::Error;
use crate::budget::Spent;
use crate::record::Record;
use crate::schedule::Schedule;

/// Snapshots that wait, at most: each holds a model.
const WAITING: usize = 2;

/// A job for the thread.
enum Job<M> {
    Observe {
        step: u64,
        model: Box<M>,
        learning_rate: Option<f64>,
        /// A copy, which shares the tensors of the optimiser's state until its next update.
        optimiser: Option<Box<ModuleOptimizer>>,
    },
    Record(Record),
}

/// The reason why a job can be sent.
const ALIVE: &str = "the thread ends after its last job: panics of probes and sinks are caught";

/// The thread that measures, as the training sees it.
pub(crate) struct Worker<M> {
    jobs: SyncSender<Job<M>>,
    thread: JoinHandle<Measurer<M>>,
    shared: Arc<Shared>,
    take: fn(&M) -> M,
    schedules: Vec<Schedule>,
    total_steps: Option<u64>,
    is_limited: bool,
    clock: Clock,
    last_step: Option<u64>,
    /// Steps for which there was no room.
    left_out: u64,
}

/// The state that both threads see.
#[derive(Default)]
struct Shared {
    /// Whether a measurement waits for the budget.
    waits: AtomicBool,
    /// Microseconds spent in probes.
    inside: AtomicU64,
}

impl<M: Module + 'static> Worker<M> {
    /// Starts the thread.
    pub(crate) fn start(mut core: Measurer<M>) -> Self {
        let shared = Arc::new(Shared::default());
        let (jobs, received) = sync_channel(WAITING);
        let schedules = core.entries.iter().map(|entry| entry.schedule.clone());
        let schedules = schedules.collect();
        let (total_steps, is_limited) = (core.total_steps, core.budget.share().is_some());
        let clock = Arc::clone(&core.clock);
        let known = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            for job in received {
                match job {
                    Job::Observe {
                        step,
                        model,
                        learning_rate,
                        optimiser,
                    } => {
                        let told = Told {
                            learning_rate,
                            optimiser: optimiser.as_deref(),
                        };
                        let observation = core.observe(step, &model, told);
                        observation.expect("a schedule without a total was refused before");
                    }
                    Job::Record(record) => core.record(&record),
                }
                let inside = core.spent().probes.as_micros();
                known.inside.store(
                    u64::try_from(inside).expect("no run takes 500,000 years"),
                    Ordering::Relaxed,
                );
                known.waits.store(core.waits(), Ordering::Relaxed);
            }
            core
        });
        Self {
            jobs,
            thread,
            shared,
            take: snapshot::<M>,
            schedules,
            total_steps,
            is_limited,
            clock,
            last_step: None,
            left_out: 0,
        }
    }
}

impl<M> Worker<M> {
    pub(crate) fn spent(&self) -> Spent {
        let probes = Duration::from_micros(self.shared.inside.load(Ordering::Relaxed));
        Spent {
            probes,
            training: (self.clock)().saturating_sub(probes),
        }
    }

    pub(crate) fn is_due(&self, step: u64) -> Result<bool, Error> {
        let is_new = self.last_step.is_none() && !self.schedules.is_empty();
        let mut due = is_new || self.shared.waits.load(Ordering::Relaxed);
        for schedule in &self.schedules {
            due |= schedule.due(step, self.total_steps)?;
        }
        Ok(due)
    }

    pub(crate) fn observe(
        &mut self,
        step: u64,
        model: &M,
        told: Told<'_>,
    ) -> Result<Observation, Error> {
        let mut observation = Observation {
            step,
            ..Observation::default()
        };
        // The thread has to see the pace of the training: its first steps, and those that measure.
        let is_first = self.last_step.is_none();
        let due = self.is_due(step)?;
        let is_new = self.last_step.is_none_or(|last| step > last);
        self.last_step = self.last_step.max(Some(step));
        if !(due || is_first) || !is_new {
            return Ok(observation);
        }
        let job = Job::Observe {
            step,
            model: Box::new((self.take)(model)),
            learning_rate: told.learning_rate,
            optimiser: told.optimiser.cloned().map(Box::new),
        };
        if !self.is_limited || self.total_steps == Some(step) {
            self.jobs.send(job).expect(ALIVE);
        } else if let Err(TrySendError::Full(_)) = self.jobs.try_send(job) {
            self.left_out += 1;
            let reason = "the measurements of earlier steps are not done".to_owned();
            observation.skipped.push(("this step".to_owned(), reason));
        }
        Ok(observation)
    }

    pub(crate) fn record(&mut self, record: Record) {
        self.jobs.send(Job::Record(record)).expect(ALIVE);
    }

    pub(crate) fn finish(self) -> Summary {
        drop(self.jobs);
        let core = self
            .thread
            .join()
            .expect("probes and sinks that panic are caught, and nothing else runs there");
        let mut summary = core.finish();
        summary.skipped += self.left_out;
        summary
    }
}
