//! What probes have to say while a run goes on, and who hears it.

use std::io::Write as _;
use std::time::{Duration, Instant};

/// Something that somebody in front of the run would like to know.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Message<'a> {
    /// What will be measured, or what is still to come and how long it will take: a sentence.
    Plan(&'a str),
    /// A probe begins to measure.
    Measuring(At<'a>),
    /// A probe has done so many products or points.
    Progress {
        /// Which one.
        at: At<'a>,
        /// Products with the Hessian, or points of a line or a plane, so far.
        done: usize,
    },
    /// A probe has measured.
    Measured {
        /// Which one.
        at: At<'a>,
        /// How long it took.
        seconds: f64,
    },
    /// A probe has failed; training goes on.
    Failed {
        /// Which one.
        at: At<'a>,
        /// Why.
        reason: &'a str,
    },
    /// Anything else that should be read: a smaller sample, a tag recorded twice, a sink that fails.
    Warning {
        /// The step.
        step: u64,
        /// The sentence.
        text: &'a str,
    },
}

/// A probe among those that measure at one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At<'a> {
    /// The step.
    pub step: u64,
    /// The probe's name.
    pub probe: &'a str,
    /// Its place among the probes of this step, from 1.
    pub number: usize,
    /// How many probes measure at this step.
    pub of: usize,
}

/// Who hears messages.
pub(crate) type Handler = Box<dyn FnMut(&Message<'_>) + Send>;

/// A measurement that takes longer is told of.
const LONG: Duration = Duration::from_secs(2);

/// Time between two lines about one measurement.
const AGAIN: Duration = Duration::from_secs(10);

/// Writes to standard error what needs reading: plans, warnings, failures, and what takes long. A standard error that is closed is no reason to stop.
pub(crate) fn to_stderr() -> Handler {
    let mut next = Instant::now() + LONG;
    Box::new(move |message| {
        let line = match *message {
            Message::Plan(text) => format!("probes: {text}"),
            Message::Warning { step, text } => format!("probes: step {step}: {text}"),
            Message::Failed { at, reason } => {
                format!("probes: step {}: {} failed: {reason}", at.step, at.probe)
            }
            Message::Measuring(_) => {
                next = Instant::now() + LONG;
                return;
            }
            Message::Progress { at, done } => {
                let now = Instant::now();
                if now < next {
                    return;
                }
                next = now + AGAIN;
                let At {
                    step,
                    probe,
                    number,
                    of,
                } = at;
                format!(
                    "probes: step {step}: {probe} ({number} of {of}), {done} products or points so far"
                )
            }
            Message::Measured { .. } => return,
        };
        let _ = writeln!(std::io::stderr(), "{line}");
    })
}
