//! Progress of a training or a measurement: a bar on a terminal, a line now and then
//! elsewhere; always on standard error.
//!
//! A handle can be cloned: the training tells its steps, the probes which of them measures and how
//! far it is. All that probes need are [`Progress::probe`] and [`Progress::work`]; each tells what
//! is known by then, and what is never told is left out.

use std::io::IsTerminal;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::forecast::{Agenda, Forecast, duration};
use super::number::significant;
use super::output::{printable, say};
use super::paint::Paint;

/// Time between two lines where there is no terminal.
const QUIET: Duration = Duration::from_secs(10);

/// A measurement of which is known how much there is to do.
const SHARE: &str = "{prefix:.bold} [{bar:20}] {wide_msg}";

/// A measurement that goes on until it is exact enough.
const WITHOUT_SHARE: &str = "{prefix:.bold} {spinner} {wide_msg}";

/// The progress of one training, or of one measurement of what is there.
#[derive(Clone)]
pub(crate) struct Progress(Arc<Mutex<State>>);

struct State {
    name: String,
    bar: Option<ProgressBar>,
    /// Whether the bar shows a share: that of a training always does.
    shows_share: bool,
    last_line: Instant,
    /// None where nothing is trained.
    forecast: Option<Forecast>,
    /// The last line about a step.
    trained: String,
    /// While probes are at work.
    probing: Option<Probing>,
}

/// Probes at work.
struct Probing {
    step: u64,
    began: Instant,
    /// Name, number from 1 and how many there are.
    probe: Option<(String, usize, usize)>,
    /// Done, of how many if it is known, and the word for them.
    work: Option<(usize, Option<usize>, &'static str)>,
    /// How much was done when the first of it was told, and when that was.
    pace: Option<(usize, Instant)>,
}

impl Progress {
    /// Progress towards `steps`, of which `done` are done, with probes on the way as the agenda
    /// says.
    pub(crate) fn of_training(name: &str, done: usize, steps: usize, agenda: Agenda) -> Self {
        let bar = bar(
            name,
            Some(steps as u64),
            "{prefix:.bold} [{bar:20}] {pos}/{len}  {wide_msg}",
        );
        if let Some(bar) = &bar {
            bar.set_position(done as u64);
        }
        Self::with(name, bar, Some(Forecast::new(done, steps, agenda)))
    }

    /// Progress of measurements alone.
    pub(crate) fn of_measurements(name: &str) -> Self {
        let bar = bar(name, None, WITHOUT_SHARE);
        let progress = Self::with(name, bar, None);
        progress.begin_probes(0);
        progress
    }

    fn with(name: &str, bar: Option<ProgressBar>, forecast: Option<Forecast>) -> Self {
        Self(Arc::new(Mutex::new(State {
            name: name.to_owned(),
            shows_share: forecast.is_some(),
            bar,
            last_line: Instant::now(),
            forecast,
            trained: String::new(),
            probing: None,
        })))
    }

    /// Shows that one step is done.
    pub(crate) fn step(&self, step: usize, steps: usize, epoch: usize, loss: f64) {
        let mut state = self.state();
        let left = state.forecast.as_mut().map(|forecast| forecast.step(step));
        let left = left.filter(|left| !left.is_empty());
        state.trained = format!("epoch {epoch}  loss {}", significant(loss, 4));
        if let Some(left) = left {
            // First, because a narrow terminal cuts the rest.
            state.trained = format!("{left}  {}", state.trained);
        }
        if let Some(bar) = &state.bar {
            bar.set_position(step as u64);
            bar.set_message(state.trained.clone());
        } else if step == steps || state.last_line.elapsed() >= QUIET {
            state.last_line = Instant::now();
            say(&format!(
                "{}: step {step}/{steps}  {}",
                state.name, state.trained
            ));
        }
    }

    /// Probes begin to observe `step`, and end when what is returned is dropped.
    pub(crate) fn probing(&self, step: u64) -> EndOfProbes {
        self.begin_probes(step);
        EndOfProbes(self.clone())
    }

    fn begin_probes(&self, step: u64) {
        let mut state = self.state();
        state.probing = Some(Probing {
            step,
            began: Instant::now(),
            probe: None,
            work: None,
            pace: None,
        });
        let at_end = state.forecast.as_ref().filter(|f| f.is_last(step));
        if let Some(forecast) = at_end {
            let line = format!("{}: {}", state.name, forecast.at_end());
            if state.bar.is_none() {
                state.last_line = Instant::now();
                say(&line);
            }
        }
        state.show();
    }

    fn end_probes(&self) {
        let mut state = self.state();
        if let Some(probing) = state.probing.take() {
            let took = probing.began.elapsed();
            if let Some(forecast) = &mut state.forecast {
                forecast.observed(probing.step, took);
            }
        }
        if let Some(bar) = &state.bar {
            bar.set_message(state.trained.clone());
        }
    }

    /// Shows that a probe begins to measure: its name, its number from 1, and how many measure at
    /// this step.
    pub(crate) fn probe(&self, name: &str, number: usize, count: usize) {
        let mut state = self.state();
        if let Some(probing) = &mut state.probing {
            probing.probe = Some((name.to_owned(), number, count));
            probing.work = None;
            probing.pace = None;
        }
        state.share(None);
        state.beat();
    }

    /// Shows that the probe that measures has done so much, products say, of how many if that is
    /// known.
    pub(crate) fn work(&self, done: usize, of: Option<usize>, what: &'static str) {
        let mut state = self.state();
        if let Some(probing) = &mut state.probing {
            probing.work = Some((done, of, what));
            probing.pace.get_or_insert_with(|| (done, Instant::now()));
        }
        state.share(of.map(|of| (done, of)));
        state.beat();
    }

    /// Shows that time passes: on a terminal the message is shown anew, elsewhere a line is written
    /// if none was for a while.
    pub(crate) fn beat(&self) {
        self.state().beat();
    }

    /// Writes a sentence that has to be read.
    pub(crate) fn warn(&self, message: &str) {
        let state = self.state();
        let line = format!(
            "{} {}: {}",
            Paint::stderr().warning("warning:"),
            state.name,
            printable(message)
        );
        state.say(&line);
    }

    /// Writes a sentence for who is interested.
    pub(crate) fn note(&self, message: &str) {
        let state = self.state();
        state.say(&format!("{}: {}", state.name, printable(message)));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What a thread that panicked has left is a message that is one step old.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Shows the share that is done of a measurement, where it is known how much there is to do.
    fn share(&mut self, share: Option<(usize, usize)>) {
        let Some(bar) = self.bar.as_ref().filter(|_| self.forecast.is_none()) else {
            return;
        };
        if self.shows_share != share.is_some() {
            self.shows_share = share.is_some();
            set_style(
                bar,
                if self.shows_share {
                    SHARE
                } else {
                    WITHOUT_SHARE
                },
            );
        }
        if let Some((done, of)) = share {
            bar.set_length(of as u64);
            bar.set_position(done.min(of) as u64);
        }
    }

    fn beat(&mut self) {
        if self.bar.is_some() {
            self.show();
        } else if self.last_line.elapsed() >= QUIET {
            self.last_line = Instant::now();
            if let Some(text) = self.at_work() {
                say(&format!("{}: {text}", self.name));
            }
        }
    }

    fn show(&self) {
        if let (Some(bar), Some(text)) = (&self.bar, self.at_work()) {
            bar.set_message(text);
        }
    }

    /// Returns what probes are doing, if they are.
    fn at_work(&self) -> Option<String> {
        let probing = self.probing.as_ref()?;
        let place = self.forecast.as_ref().map(|forecast| {
            if forecast.is_last(probing.step) && probing.probe.is_none() {
                format!("{} probes at the end", forecast.count_at_end())
            } else if forecast.is_last(probing.step) {
                "probes at the end".to_owned()
            } else {
                format!("probes at step {}", probing.step)
            }
        });
        Some(probing.say(place.as_deref(), probing.began.elapsed()))
    }

    fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| say(line)),
            None => say(line),
        }
    }
}

impl Probing {
    /// Returns "probes at the end: 3 of 7, spectral density, 120 of 200 products"; without a name,
    /// the time so far.
    fn say(&self, place: Option<&str>, elapsed: Duration) -> String {
        let mut parts = Vec::new();
        match &self.probe {
            Some((name, number, count)) => {
                parts.push(format!("{number} of {count}"));
                parts.push(printable(name).into_owned());
            }
            None => parts.push(format!("{} so far", duration(elapsed))),
        }
        parts.extend(self.work.map(|(done, of, what)| match of {
            Some(of) => format!("{done} of {of} {what}"),
            None => format!("{done} {what}"),
        }));
        parts.extend(self.left().map(|left| format!("{} left", duration(left))));
        let said = parts.join(", ");
        match place {
            Some(place) => format!("{place}: {said}"),
            None => said,
        }
    }
}

impl Probing {
    /// Returns the time that the work has left at its pace so far, once that has been seen for a
    /// second. What was done before, by an earlier sitting say, is no part of the pace.
    fn left(&self) -> Option<Duration> {
        let (done, of, _) = self.work?;
        let (from, since) = self.pace?;
        let took = since.elapsed().as_secs_f64();
        let here = done.checked_sub(from).filter(|here| *here > 0)?;
        let rest = of?.checked_sub(done).filter(|rest| *rest > 0)?;
        (took >= 1.0).then(|| Duration::from_secs_f64(took * rest as f64 / here as f64))
    }
}

impl Drop for State {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Ends a phase of probes when it is dropped.
#[must_use]
pub(crate) struct EndOfProbes(Progress);

impl Drop for EndOfProbes {
    fn drop(&mut self) {
        self.0.end_probes();
    }
}

/// Gives a bar a template. These are constants; if one were wrong, the default style would serve.
fn set_style(bar: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
}

/// Returns a bar, if standard error is a terminal.
fn bar(name: &str, length: Option<u64>, template: &str) -> Option<ProgressBar> {
    std::io::stderr().is_terminal().then(|| {
        let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr_with_hz(8));
        set_style(&bar, template);
        bar.set_prefix(name.to_owned());
        bar
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probing(
        probe: Option<(&str, usize, usize)>,
        work: Option<(usize, Option<usize>)>,
    ) -> Probing {
        Probing {
            step: 7,
            began: Instant::now(),
            probe: probe.map(|(name, number, count)| (name.to_owned(), number, count)),
            work: work.map(|(done, of)| (done, of, "products")),
            pace: None,
        }
    }

    #[test]
    fn time_left_is_that_of_the_pace_of_this_sitting() {
        let ago = |seconds| Instant::now().checked_sub(Duration::from_secs(seconds));
        let Some(since) = ago(10) else {
            return; // The machine was started a moment ago.
        };
        let mut state = probing(Some(("loss surface", 1, 1)), Some((150, Some(200))));
        // 50 of them in 10 s, and 50 more: 100 were there before.
        state.pace = Some((100, since));
        let elapsed = Duration::from_secs(10);
        let said = "1 of 1, loss surface, 150 of 200 products, 10 s left";
        assert_eq!(state.say(None, elapsed), said);
        state.pace = Some((150, since));
        assert_eq!(state.left(), None);
    }

    #[test]
    fn probe_is_named_with_its_number_and_how_far_it_is() {
        let elapsed = Duration::from_secs(12);
        let place = Some("probes at the end");
        let density = Some(("spectral density", 3, 7));
        for (state, said) in [
            (
                probing(density, Some((120, Some(200)))),
                "probes at the end: 3 of 7, spectral density, 120 of 200 products",
            ),
            (
                probing(density, Some((120, None))),
                "probes at the end: 3 of 7, spectral density, 120 products",
            ),
            (
                probing(density, None),
                "probes at the end: 3 of 7, spectral density",
            ),
            (probing(None, None), "probes at the end: 12 s so far"),
        ] {
            assert_eq!(state.say(place, elapsed), said);
        }
    }
}
