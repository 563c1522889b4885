//! What is said while a training runs: a bar on a terminal, a line now and then elsewhere; always on standard error.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::number::significant;
use super::output::{printable, say};
use super::paint::Paint;

/// Time between two lines where there is no terminal.
const QUIET: Duration = Duration::from_secs(10);

/// The progress of one training.
pub(crate) struct Progress {
    name: String,
    bar: Option<ProgressBar>,
    last_line: Instant,
}

impl Progress {
    /// Progress towards `steps`, of which `done` are done.
    pub(crate) fn new(name: &str, done: usize, steps: usize) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(
                Some(steps as u64),
                ProgressDrawTarget::stderr_with_hz(8),
            );
            let style = ProgressStyle::with_template(
                "{prefix:.bold} [{bar:24}] {pos}/{len}  {eta} left  {wide_msg}",
            );
            // The template is a constant; if it were wrong, the default style would serve.
            if let Ok(style) = style {
                bar.set_style(style.progress_chars("=> "));
            }
            bar.set_prefix(name.to_owned());
            bar.set_position(done as u64);
            bar.reset_eta();
            bar
        });
        Self {
            name: name.to_owned(),
            bar,
            last_line: Instant::now(),
        }
    }

    /// One step is done.
    pub(crate) fn step(&mut self, step: usize, steps: usize, epoch: usize, loss: f64) {
        let message = format!("epoch {epoch}  loss {}", significant(loss, 4));
        if let Some(bar) = &self.bar {
            bar.set_position(step as u64);
            bar.set_message(message);
        } else if step == steps || self.last_line.elapsed() >= QUIET {
            self.last_line = Instant::now();
            say(&format!("{}: step {step}/{steps}  {message}", self.name));
        }
    }

    /// Long work between two steps.
    pub(crate) fn working_on(&self, what: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(what.to_owned());
        }
    }

    /// A sentence that has to be read.
    pub(crate) fn warn(&self, message: &str) {
        let line = format!(
            "{} {}: {}",
            Paint::stderr().warning("warning:"),
            self.name,
            printable(message)
        );
        self.say(&line);
    }

    /// A sentence for who is interested.
    pub(crate) fn note(&self, message: &str) {
        self.say(&format!("{}: {}", self.name, printable(message)));
    }

    fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| say(line)),
            None => say(line),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
