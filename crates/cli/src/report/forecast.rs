//! The time that a training has left: its steps and its probes apart, because a probe takes as long
//! as many steps and comes seldom.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Which probes observe which step: the names of those that are due together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Agenda(BTreeMap<u64, Vec<&'static str>>);

impl Agenda {
    /// Adds a probe that observes these steps.
    pub(crate) fn add(&mut self, probe: &'static str, steps: impl IntoIterator<Item = u64>) {
        for step in steps {
            self.0.entry(step).or_default().push(probe);
        }
    }

    /// Returns how many probes observe `step`.
    fn due(&self, step: u64) -> usize {
        self.0.get(&step).map_or(0, Vec::len)
    }
}

/// The time left, from the steps and the probes so far.
pub(crate) struct Forecast {
    agenda: Agenda,
    steps: u64,
    /// The step reached.
    step: u64,
    /// Steps of this sitting, and the time that they took without probes.
    done: u32,
    training: Duration,
    /// When the last step, or the last probe after it, had ended.
    since: Instant,
    /// For each set of probes, the number of its observations and the time that they took in all.
    observed: BTreeMap<Vec<&'static str>, (u32, Duration)>,
}

impl Forecast {
    /// Returns the forecast before the first step of a sitting, which goes on from `done` of
    /// `steps`.
    pub(crate) fn new(done: usize, steps: usize, agenda: Agenda) -> Self {
        Self {
            agenda,
            steps: steps as u64,
            step: done as u64,
            done: 0,
            training: Duration::ZERO,
            since: Instant::now(),
            observed: BTreeMap::new(),
        }
    }

    /// Notes that a step has ended now. Returns the time left in words.
    pub(crate) fn step(&mut self, step: usize) -> String {
        let now = Instant::now();
        self.stepped(step as u64, now.saturating_duration_since(self.since));
        self.since = now;
        self.left()
    }

    /// Notes that the probes at `step` have ended now, and took so long.
    pub(crate) fn observed(&mut self, step: u64, took: Duration) {
        self.since = Instant::now();
        if let Some(probes) = self.agenda.0.get(&step) {
            let (count, time) = self.observed.entry(probes.clone()).or_default();
            *count += 1;
            *time += took;
        }
    }

    /// Returns whether no step comes after this one.
    pub(crate) const fn is_last(&self, step: u64) -> bool {
        step >= self.steps
    }

    /// Returns the line with which the probes at the end begin.
    pub(crate) fn at_end(&self) -> String {
        let count = self.count_at_end();
        format!(
            "all {} steps are done; {count} {} at the end",
            self.steps,
            probes(count)
        )
    }

    fn stepped(&mut self, step: u64, took: Duration) {
        self.step = step;
        self.done += 1;
        self.training += took;
    }

    /// Returns how many probes observe the last step.
    pub(crate) fn count_at_end(&self) -> usize {
        self.agenda.due(self.steps)
    }

    /// Returns "18 s left, 6 s of them probes; then 11 probes at the end". What has not been timed
    /// yet is counted, not guessed.
    fn left(&self) -> String {
        if self.done == 0 || self.step >= self.steps {
            return String::new();
        }
        let each = self.training.as_secs_f64() / f64::from(self.done);
        let training = (self.steps - self.step) as f64 * each;
        // Those at the end are another set, and nobody knows how long it takes before it has begun.
        let between = self.agenda.0.range(self.step + 1..self.steps);
        let (mut known, mut unknown) = (0.0, 0);
        for (_, probes) in between {
            match self.observed.get(probes) {
                Some((count, time)) => known += time.as_secs_f64() / f64::from(*count),
                None => unknown += probes.len(),
            }
        }
        let mut said = format!("{} left", seconds(training + known));
        if known >= 0.5 {
            said += &format!(", {} of them probes", seconds(known));
        }
        if unknown > 0 {
            said += &format!(", and {unknown} {} not timed yet", probes(unknown));
        }
        let at_end = self.count_at_end();
        if at_end > 0 {
            said += &format!("; then {at_end} {} at the end", probes(at_end));
        }
        said
    }
}

const fn probes(count: usize) -> &'static str {
    if count == 1 { "probe" } else { "probes" }
}

/// Returns a time in the unit that suits it: "8 s", "4 min", "1.5 h".
pub(crate) fn duration(time: Duration) -> String {
    seconds(time.as_secs_f64())
}

/// Returns a number of seconds in the unit that suits it.
pub(crate) fn seconds(time: f64) -> String {
    match time {
        time if time < 99.5 => format!("{time:.0} s"),
        time if time < 99.5 * 60.0 => format!("{:.0} min", time / 60.0),
        time => format!("{:.1} h", time / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forecast(steps: usize) -> Forecast {
        let mut agenda = Agenda::default();
        agenda.add("eigenvalues", [0, 1, 4, 10, 100]);
        agenda.add("loss", [0, 50, 100]);
        Forecast::new(0, steps, agenda)
    }

    #[test]
    fn dear_probes_at_the_beginning_are_not_taken_for_slow_steps() {
        let mut forecast = forecast(100);
        forecast.observed(0, Duration::from_secs(8));
        forecast.stepped(1, Duration::from_millis(10));
        forecast.observed(1, Duration::from_secs(4));
        forecast.stepped(2, Duration::from_millis(10));
        // 98 steps of 10 ms; the eigenvalues of steps 4 and 10 as those of step 1; the loss alone
        // of step 50 is not known.
        assert_eq!(
            forecast.left(),
            "9 s left, 8 s of them probes, and 1 probe not timed yet; then 2 probes at the end"
        );
    }

    #[test]
    fn nothing_is_left_but_the_probes_at_the_end_after_the_last_step() {
        let mut forecast = forecast(100);
        forecast.stepped(100, Duration::from_millis(10));
        assert_eq!(forecast.left(), "");
        assert_eq!(
            forecast.at_end(),
            "all 100 steps are done; 2 probes at the end"
        );
        assert!(forecast.is_last(100) && !forecast.is_last(99));
    }

    #[test]
    fn times_are_said_in_the_unit_that_suits_them() {
        for (time, said) in [
            (0.4, "0 s"),
            (99.0, "99 s"),
            (120.0, "2 min"),
            (5400.0, "90 min"),
            (36000.0, "10.0 h"),
        ] {
            assert_eq!(seconds(time), said);
        }
    }
}
