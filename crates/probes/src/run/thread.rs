//! The thread that measures beside the training, and the jobs that it takes.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use burn::optim::ModuleOptimizer;

use super::measurer::{Measurer, Told};
use super::message::Message;
use super::observation::Observation;
use crate::Error;
use crate::error::caught;
use crate::record::Record;

/// Snapshots at a time: one that is measured, and two that wait.
pub(super) const SNAPSHOTS: usize = 3;

/// The reason why the thread takes every job, and gives back what measures.
const ALIVE: &str = "the thread ends after its last job: panics are caught";

/// A job for the thread.
pub(super) enum Job<M> {
    /// The model of a step, to be measured.
    Observe(Box<Snapshot<M>>),
    /// A record of the training itself.
    Record(Record),
    /// A warning of the training's side.
    Warn { step: u64, text: String },
    /// Nothing: tells that all jobs before are done.
    Tell(Sender<()>),
}

/// A model, and what the loop told with it.
pub(super) struct Snapshot<M> {
    pub(super) step: u64,
    pub(super) model: M,
    pub(super) learning_rate: Option<f64>,
    /// A copy, which shares the tensors of the optimiser's state until its next update.
    pub(super) optimiser: Option<ModuleOptimizer>,
    /// For each probe, how often it was due since the last snapshot and found no room.
    pub(super) missed: Vec<u64>,
}

/// The state that both threads see.
#[derive(Default)]
pub(super) struct Shared {
    /// Whether a measurement waits for the budget.
    waits: AtomicBool,
    /// Microseconds spent in probes.
    inside: AtomicU64,
    /// The observations that the training has not been told of.
    made: Mutex<Vec<Observation>>,
    /// The observations that ended in a panic of something else than a probe or a sink.
    broken: AtomicU64,
}

impl Shared {
    pub(super) fn waits(&self) -> bool {
        self.waits.load(Ordering::Relaxed)
    }

    pub(super) fn inside(&self) -> Duration {
        Duration::from_micros(self.inside.load(Ordering::Relaxed))
    }

    pub(super) fn broken(&self) -> u64 {
        self.broken.load(Ordering::Relaxed)
    }

    /// Returns the observations that were made since the last call.
    pub(super) fn take(&self) -> Vec<Observation> {
        // Nothing panics while they are locked.
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *made)
    }

    fn add(&self, observation: Observation) {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.push(observation);
    }

    fn note<M>(&self, core: &Measurer<M>) {
        let micros = u64::try_from(core.inside.as_micros());
        let micros = micros.expect("no run takes 500,000 years");
        self.inside.store(micros, Ordering::Relaxed);
        self.waits.store(core.waits(), Ordering::Relaxed);
    }
}

/// The thread. Dropped, it is waited for until all of its jobs are done.
pub(super) struct Thread<M> {
    /// `None` once no more is to come.
    jobs: Option<Sender<Job<M>>>,
    /// Holds something for each snapshot there is, and has room for so many.
    room: SyncSender<()>,
    handle: Option<JoinHandle<Box<Measurer<M>>>>,
}

impl<M: Send + 'static> Thread<M> {
    /// Starts the thread.
    ///
    /// # Errors
    /// The measurer and the reason, if the system has no thread to give.
    pub(super) fn start(
        core: Box<Measurer<M>>,
        shared: &Arc<Shared>,
    ) -> Result<Self, (Box<Measurer<M>>, std::io::Error)> {
        shared.note(&core);
        let (jobs, received) = channel();
        let (room, taken) = sync_channel(SNAPSHOTS);
        // What measures comes after the thread has started: where that fails it is still here.
        let (hand, handed) = channel();
        let shared = Arc::clone(shared);
        let work = move || {
            let mut core: Box<Measurer<M>> = handed.recv().expect("it is handed over at once");
            work(&mut core, &received, &taken, &shared);
            core
        };
        match Builder::new().name("probes".to_owned()).spawn(work) {
            Ok(handle) => {
                let sent = hand.send(core);
                sent.expect("the thread waits for it");
                Ok(Self {
                    jobs: Some(jobs),
                    room,
                    handle: Some(handle),
                })
            }
            Err(error) => Err((core, error)),
        }
    }
}

impl<M> Thread<M> {
    pub(super) fn send(&self, job: Job<M>) {
        let jobs = self.jobs.as_ref().expect("it is not stopped");
        jobs.send(job).expect(ALIVE);
    }

    /// Takes room for a snapshot, if there is some.
    pub(super) fn try_room(&self) -> bool {
        self.room.try_send(()).is_ok()
    }

    /// Waits until there is room for a snapshot.
    pub(super) fn wait_for_room(&self) {
        self.room.send(()).expect(ALIVE);
    }

    /// Waits until all jobs are done.
    pub(super) fn wait(&self) {
        let (told, done) = channel();
        self.send(Job::Tell(told));
        done.recv().expect(ALIVE);
    }

    /// Does all jobs, ends the thread and returns what measures.
    pub(super) fn stop(mut self) -> Box<Measurer<M>> {
        drop(self.jobs.take());
        let handle = self.handle.take().expect("it was not stopped before");
        handle.join().expect(ALIVE)
    }
}

impl<M> Drop for Thread<M> {
    fn drop(&mut self) {
        drop(self.jobs.take());
        // A training that ends in a panic must not meet another one here.
        drop(self.handle.take().map(JoinHandle::join));
    }
}

/// Does jobs until no more is to come.
fn work<M>(core: &mut Measurer<M>, jobs: &Receiver<Job<M>>, room: &Receiver<()>, shared: &Shared) {
    for job in jobs {
        match job {
            Job::Observe(snapshot) => {
                let observation = observed(core, &snapshot, shared);
                if observation.says_something() {
                    shared.add(observation);
                }
                drop(snapshot);
                // The training took it before it sent the snapshot.
                room.recv().expect("room was taken for the snapshot");
            }
            Job::Record(record) => core.record(&record),
            Job::Warn { step, text } => {
                // A handler that panics has its own report at the next measurement.
                let warning = || (core.handler)(&Message::Warning { step, text: &text });
                let _ = caught(warning);
            }
            Job::Tell(told) => {
                // Whoever waits may have gone.
                let _ = told.send(());
            }
        }
        shared.note(core);
    }
}

/// Returns what was measured of a snapshot. A panic here is one of a handler, a clock or an
/// interrupt: those of probes and sinks are caught where they arise.
fn observed<M>(core: &mut Measurer<M>, snapshot: &Snapshot<M>, shared: &Shared) -> Observation {
    let step = snapshot.step;
    let told = Told {
        learning_rate: snapshot.learning_rate,
        optimiser: snapshot.optimiser.as_ref(),
    };
    core.miss(&snapshot.missed);
    let observation = caught(|| core.observe(step, &snapshot.model, told));
    let (name, error) = match observation {
        Ok(Ok(mut observation)) => {
            if observation.interrupted {
                core.give_up_due(&mut observation);
            }
            return observation;
        }
        Ok(Err(error)) => ("the schedules", error),
        Err(message) => ("the background", Error::BackgroundPanicked { message }),
    };
    shared.broken.fetch_add(1, Ordering::Relaxed);
    let mut observation = Observation {
        step,
        failed: vec![(name.to_owned(), error)],
        ..Observation::default()
    };
    core.give_up_all(&mut observation);
    observation
}
