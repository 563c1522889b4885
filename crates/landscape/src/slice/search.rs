//! The search for the distance at which a loss has risen.

/// The search for the distance at which a loss has risen to a level: the distance is doubled until
/// it has and then halved in between. A loss that is no number has risen.
#[derive(Debug, Clone)]
pub(crate) struct Search {
    first: f64,
    farthest: f64,
    level: f64,
    /// The share of itself up to which the distance is to be known.
    tolerance: f64,
    /// The largest distance at which the loss has not risen, with the loss.
    low: (f64, f64),
    /// The smallest at which it has.
    high: Option<(f64, f64)>,
}

impl Search {
    /// Makes the search from `first` to `farthest`; at distance zero the loss is `here`.
    pub(crate) const fn new(
        [first, farthest]: [f64; 2],
        tolerance: f64,
        here: f64,
        level: f64,
    ) -> Self {
        Self {
            first,
            farthest,
            level,
            tolerance,
            low: (0.0, here),
            high: None,
        }
    }

    /// Returns the distance to be tried next; none where it is known well enough, or where the
    /// loss has not risen at the farthest.
    pub(crate) fn next(&self) -> Option<f64> {
        let low = self.low.0;
        let Some((high, _)) = self.high else {
            let next = if low == 0.0 { self.first } else { 2.0 * low };
            return (low < self.farthest).then_some(next.min(self.farthest));
        };
        let middle = f64::midpoint(low, high);
        // Neighbouring numbers have none between.
        (!self.is_met() && low < middle && middle < high).then_some(middle)
    }

    /// Takes the loss at a distance that was tried.
    pub(crate) fn take(&mut self, distance: f64, loss: f64) {
        // NaN is not below.
        if loss < self.level {
            self.low = (distance, loss);
        } else {
            self.high = Some((distance, loss));
        }
    }

    /// Returns whether the loss has risen.
    pub(crate) const fn has_risen(&self) -> bool {
        self.high.is_some()
    }

    /// Returns whether the distance is known well enough.
    pub(crate) fn is_met(&self) -> bool {
        let near = |(high, _): (f64, f64)| high - self.low.0 <= self.tolerance * high;
        self.high.is_some_and(near)
    }

    /// Returns the largest distance at which the loss has not risen.
    pub(crate) const fn below(&self) -> f64 {
        self.low.0
    }

    /// Returns the smallest distance at which the loss has risen, with the loss; the farthest that
    /// was tried where it has not.
    pub(crate) fn end(&self) -> (f64, f64) {
        self.high.unwrap_or(self.low)
    }
}
