//! The pace of a run.

use std::time::Duration;

/// Steps that are timed before the pace is believed: the first ones allocate and compile.
const STEPS: u64 = 2;

/// The training's own time at its steps.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Pace {
    first: Option<(u64, f64)>,
    last: Option<(u64, f64)>,
}

impl Pace {
    /// Takes note of a step, `training` being the time spent outside probes so far.
    pub(crate) fn step(&mut self, step: u64, training: Duration) {
        let now = (step, training.as_secs_f64());
        self.first.get_or_insert(now);
        self.last = Some(now);
    }

    /// Seconds of training so far, once the pace is known; at the end of the run in any case.
    pub(crate) fn known(&self, is_end: bool) -> Option<f64> {
        let ((first, _), (last, training)) = (self.first?, self.last?);
        (is_end || last >= first + STEPS).then_some(training)
    }

    /// Seconds of a step, once there are two.
    #[expect(clippy::cast_precision_loss, reason = "numbers of steps")]
    pub(crate) fn each(&self) -> Option<f64> {
        let ((first, start), (last, training)) = (self.first?, self.last?);
        (last > first).then(|| (training - start) / (last - first) as f64)
    }

    /// Seconds of training that the whole run takes, if its length is known.
    #[expect(clippy::cast_precision_loss, reason = "numbers of steps")]
    pub(crate) fn projected(&self, total: Option<u64>) -> Option<f64> {
        let (last, training) = self.last?;
        let to_come = total?.saturating_sub(last) as f64;
        Some(training + self.each().unwrap_or(0.0) * to_come)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_step_says_nothing_of_the_pace() {
        let mut pace = Pace::default();
        pace.step(1, Duration::from_secs(5));
        assert_eq!((pace.known(false), pace.known(true)), (None, Some(5.0)));
        pace.step(2, Duration::from_secs(6));
        assert_eq!(pace.known(false), None);
        pace.step(3, Duration::from_secs(7));
        assert_eq!(pace.known(false), Some(7.0));
        assert_eq!(pace.projected(Some(10)), Some(14.0));
        assert_eq!(pace.projected(None), None);
    }
}
