//! The state that the training, the learner's metrics and the end of a run share.

use std::borrow::Borrow;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use burn::optim::ModuleOptimizer;

use super::Epochs;
use crate::{Probes, Summary};

/// Numbers of a step by tag, read off a model.
pub(super) type Scalars<M> = Box<dyn Fn(&M) -> Vec<(&'static str, f64)> + Send>;

/// The probes of a run, and where it is.
pub(super) struct Watch<M, N>(Mutex<State<M, N>>);

struct State<M, N> {
    /// `None` once they are finished.
    probes: Option<Probes<N>>,
    scalars: Option<Scalars<M>>,
    /// The updates made so far.
    step: u64,
    total: u64,
    /// Whether the model after `step` updates was handed to the probes.
    is_observed: bool,
    /// The model after `step` updates, if this run made the last of them.
    last: Option<N>,
    /// The optimiser after `step` updates, if a probe is due there.
    optimiser: Option<ModuleOptimizer>,
    /// For each batch that the learner's metrics have not told of yet, the update that it is a
    /// part of.
    batches: VecDeque<u64>,
    has_metrics: bool,
}

impl<M, N: Clone> Watch<M, N> {
    pub(super) fn new(probes: Probes<N>, epochs: Epochs) -> Self {
        let (step, total) = (epochs.done(), epochs.total());
        Self(Mutex::new(State {
            probes: Some(probes.with_total_steps(total)),
            scalars: None,
            step,
            total,
            // The run that wrote the checkpoint has measured there.
            is_observed: step > 0,
            last: None,
            optimiser: None,
            batches: VecDeque::new(),
            has_metrics: false,
        }))
    }

    fn state(&self) -> MutexGuard<'_, State<M, N>> {
        // What a panic of foreign code leaves behind is whole: a step is counted before it is told
        // of.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_scalars(&self, scalars: Scalars<M>) {
        self.state().scalars = Some(scalars);
    }

    pub(super) fn expect_metrics(&self) {
        self.state().has_metrics = true;
    }

    /// Takes note of a batch that comes in: the model has all updates so far and none since. The
    /// last model of the training is never seen here, so that what is due at the end waits for the
    /// end.
    pub(super) fn begin_batch(&self, model: &N) {
        let state = &mut *self.state();
        if state.has_metrics {
            state.batches.push_back(state.step + 1);
        }
        if !state.is_observed {
            let total = state.total.max(state.step + 1);
            state.observe(model, total);
        }
    }

    /// Takes note of an update that was made.
    ///
    /// The optimiser is copied where a probe is due, as far as that is known: an early end is not.
    pub(super) fn end_update(&self, model: &M, optimiser: &ModuleOptimizer, learning_rate: f64)
    where
        M: Borrow<N>,
    {
        let state = &mut *self.state();
        state.step += 1;
        state.is_observed = false;
        state.last = Some(model.borrow().clone());
        let scalars = state.scalars.as_ref().map(|scalars| scalars(model));
        state.optimiser = None;
        if let Some(probes) = &mut state.probes {
            // A schedule without a total was refused before.
            let is_due = probes.is_due(state.step).unwrap_or(false);
            state.optimiser = is_due.then(|| optimiser.clone());
            probes.set_learning_rate(learning_rate);
            probes.log("training/learning_rate", state.step, learning_rate);
            for (tag, value) in scalars.into_iter().flatten() {
                probes.log(tag, state.step, value);
            }
        }
    }

    /// Returns the update of the next batch that the learner's metrics tell of.
    pub(super) fn next_batch(&self) -> Option<u64> {
        self.state().batches.pop_front()
    }

    pub(super) fn log(&self, tag: &str, step: u64, value: f64) {
        if let Some(probes) = &mut self.state().probes {
            probes.log(tag, step, value);
        }
    }

    /// Measures the last model, wherever the training ended, and ends the sinks. `None` if that was
    /// done before.
    pub(super) fn finish(&self) -> Option<Summary> {
        let state = &mut *self.state();
        if let Some(last) = state.last.take().filter(|_| !state.is_observed) {
            let total = state.step;
            state.observe(&last, total);
        }
        state.probes.take().map(Probes::finish)
    }
}

impl<M, N> State<M, N> {
    fn observe(&mut self, model: &N, total: u64) {
        self.is_observed = true;
        let Some(mut probes) = self.probes.take() else {
            return;
        };
        if total != self.total {
            self.total = total;
            probes = probes.with_total_steps(total);
        }
        let optimiser = self.optimiser.take();
        let observation = probes.observe_told(self.step, model, optimiser.as_ref());
        observation.expect("the total number of steps was told");
        self.probes = Some(probes);
    }
}
