//! A probe among the probes of a run: when it measures, and what became of it.

use super::observation::Tally;
use crate::budget::MeasuringCost;
use crate::error::caught;
use crate::probe::Moment;
use crate::probe::Probe;
use crate::schedule::Schedule;

/// The moments at which a probe is measured whatever the budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Required {
    Never,
    AtEnd,
    Always,
}

impl Required {
    /// Tells whether it is, at the last step or another.
    pub(crate) fn now(self, is_end: bool) -> bool {
        self == Self::Always || (self == Self::AtEnd && is_end)
    }
}

/// A measurement is not taken to be slower than was thought by more than this.
const MOST_SLOWER: f64 = 16.0;

/// A measurement may take so many times what the last one took, if it can be shortened to that.
const GROWTH: f64 = 4.0;

/// A probe, its schedule and its account.
pub(crate) struct Entry<M> {
    pub(crate) schedule: Schedule,
    pub(crate) probe: Box<dyn Probe<M> + Send>,
    pub(crate) required: Required,
    pub(crate) was_due: bool,
    /// Due, and not measured yet.
    pub(crate) waits: bool,
    pub(crate) tally: Tally,
    /// Seconds of the last measurement.
    pub(crate) last: Option<f64>,
    /// Seconds of the measurements that were made out of the budget.
    pub(crate) spent: f64,
    /// Whether it was told how long the rest will take.
    pub(crate) foretold: bool,
    /// The least that it was last told to cost, until anything is measured: what waits is not asked
    /// anew at each step of the training.
    pub(crate) asks: Option<f64>,
    /// The factor by which measurements take longer than was thought.
    slower: f64,
}

impl<M> Entry<M> {
    pub(crate) fn new(
        schedule: Schedule,
        probe: Box<dyn Probe<M> + Send>,
        required: Required,
    ) -> Self {
        Self {
            schedule,
            // As the probe tells it now: asking again could panic.
            tally: Tally::of(probe.name()),
            probe,
            required,
            was_due: false,
            waits: false,
            last: None,
            spent: 0.0,
            foretold: false,
            asks: None,
            slower: 1.0,
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.tally.probe
    }

    /// Estimates a measurement: as the probe says, or else what the last one took. `None` before
    /// any was made.
    pub(crate) fn cost(&self, moment: &Moment<'_, M>) -> Option<MeasuringCost> {
        // A probe that cannot tell says why when it measures.
        let told = caught(|| self.probe.cost(moment)).ok().and_then(Result::ok);
        match told.flatten() {
            Some(MeasuringCost { least, full }) => Some(MeasuringCost {
                least: least * self.slower,
                full: full.max(least) * self.slower,
            }),
            None => self.last.map(MeasuringCost::fixed),
        }
    }

    /// Returns as much of `given` as it may have now: not much more than the last measurement took,
    /// for what is known of it says little of much more.
    pub(crate) fn near_last(&self, given: f64) -> f64 {
        self.last.map_or(given, |last| given.min(GROWTH * last))
    }

    /// Returns the part of `seconds` that the probe is told of, so that it takes `seconds` in fact.
    pub(crate) fn told(&self, seconds: f64) -> f64 {
        seconds / self.slower
    }

    /// Takes note of a measurement that took `seconds` and was given `given`.
    pub(crate) fn took(&mut self, seconds: f64, given: Option<f64>) {
        let is_first = self.last.replace(seconds).is_none();
        if let Some(given) = given.filter(|given| *given > 0.0) {
            let slower = self.slower * seconds / given;
            // The first one is all that is known. A later one that ended early, because it had
            // converged, was not slow.
            self.slower = if is_first {
                slower
            } else {
                0.5 * (self.slower + slower.clamp(0.5 * self.slower, 4.0 * self.slower))
            };
            self.slower = self.slower.clamp(1.0, MOST_SLOWER);
        }
    }
}
