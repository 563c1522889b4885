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

use super::forecast::{Agenda, Forecast};
use super::number::significant;
use super::output::{printable, say};
use super::paint::Paint;
use super::probing::Probing;

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
