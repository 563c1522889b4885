//! The container: what is recorded when.

mod background;
mod budget;
mod failures;
mod lost_output;
mod sinks;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use probes::instrument::Suffixed;
use probes::sink::{JsonLines, Memory};
use probes::{Error, Moment, Probe, Probes, Record, Records, Schedule, Value, tag};

/// Records the model, takes `seconds` of the simulated time, and fails at `fails_at`.
struct Reading {
    name: &'static str,
    seconds: u64,
    fails_at: Option<u64>,
    clock: Arc<AtomicU64>,
}

impl Probe<f64> for Reading {
    fn name(&self) -> String {
        self.name.into()
    }

    fn measure(&mut self, moment: &Moment<'_, f64>, records: &mut Records) -> Result<(), Error> {
        self.clock.fetch_add(self.seconds, Ordering::Relaxed);
        records.scalar(format!("value/{}", self.name), *moment.model);
        if self.fails_at == Some(moment.step) {
            return Err(Error::Missing {
                instrument: self.name.into(),
                what: "the test",
            });
        }
        Ok(())
    }
}

fn reading(name: &'static str, seconds: u64, clock: &Arc<AtomicU64>) -> Reading {
    Reading {
        name,
        seconds,
        fails_at: None,
        clock: Arc::clone(clock),
    }
}

fn clock() -> (Arc<AtomicU64>, impl Fn() -> Duration + Send + 'static) {
    let clock = Arc::new(AtomicU64::new(0));
    let shared = Arc::clone(&clock);
    (clock, move || {
        Duration::from_secs(shared.load(Ordering::Relaxed))
    })
}

#[test]
fn probes_measure_at_their_steps_only() {
    let (time, now) = clock();
    let memory = Memory::new();
    let mut probes = Probes::unlimited()
        .with_clock(now)
        .with_total_steps(6)
        .with(Schedule::every(3), reading("often", 0, &time))
        .with(Schedule::at_end(), reading("end", 0, &time))
        .with(Schedule::never(), reading("never", 0, &time))
        .with_sink(memory.clone());
    for step in 0..=6 {
        probes.observe(step, &(step as f64)).unwrap();
    }
    assert_eq!(
        memory.scalars("value/often"),
        [(0, 0.0), (3, 3.0), (6, 6.0)]
    );
    assert_eq!(memory.scalars("value/end"), [(6, 6.0)]);
    let summary = probes.finish();
    assert_eq!(
        (
            summary.measured["often"],
            summary.measured["never"],
            summary.failed
        ),
        (3, 0, 0)
    );
    assert!(summary.never_due.is_empty());
}

#[test]
fn a_missing_total_is_noticed_at_the_first_step_and_an_end_never_reached_at_the_last() {
    let (time, now) = clock();
    let mut probes = Probes::unlimited().with(Schedule::at_end(), reading("end", 0, &time));
    assert!(matches!(
        probes.observe(0, &0.0),
        Err(Error::TotalStepsMissing { .. })
    ));
    let mut probes = Probes::unlimited()
        .with_clock(now)
        .with_total_steps(3)
        .with(Schedule::at_end(), reading("end", 0, &time));
    for step in 0..3 {
        probes.observe(step, &0.0).unwrap();
    }
    assert_eq!(probes.finish().never_due, ["end (end)"]);
}

#[test]
fn a_probe_that_fails_is_reported_and_loses_nothing() {
    let (time, now) = clock();
    let memory = Memory::new();
    let mut probes = Probes::unlimited()
        .with_clock(now)
        .with(
            Schedule::every(1),
            Reading {
                fails_at: Some(1),
                ..reading("fragile", 0, &time)
            },
        )
        .with(Schedule::every(1), reading("sturdy", 0, &time))
        .with_sink(memory.clone());
    for step in 0..3 {
        let observation = probes.observe(step, &f64::NAN).unwrap();
        assert_eq!(observation.failed.len(), usize::from(step == 1));
    }
    assert_eq!(memory.scalars("value/sturdy").len(), 3);
    // What was recorded before the failure is kept.
    assert_eq!(memory.scalars("value/fragile").len(), 3);
    let notes: Vec<Record> = memory
        .records()
        .into_iter()
        .filter(|record| record.tag == tag::NOTES)
        .collect();
    assert_eq!(notes.len(), 1);
    assert!(
        matches!(&notes[0].value, Value::Text(text) if text.contains("fragile") && text.contains("fragile needs the test"))
    );
    assert_eq!(probes.finish().failed, 1);
}

#[test]
fn a_step_that_does_not_increase_is_a_warning() {
    let (time, _) = clock();
    let memory = Memory::new();
    let mut probes = Probes::unlimited()
        .with(Schedule::every(1), reading("value", 0, &time))
        .with_sink(memory.clone());
    assert!(probes.observe(5, &0.0).unwrap().warnings.is_empty());
    assert_eq!(probes.observe(5, &0.0).unwrap().warnings.len(), 1);
    assert_eq!(memory.scalars("value/value").len(), 1);
}

#[test]
fn two_probes_with_one_tag_are_noticed_and_suffixes_tell_them_apart() {
    let (time, _) = clock();
    let memory = Memory::new();
    let mut probes = Probes::unlimited()
        .with(Schedule::every(1), reading("value", 0, &time))
        .with(Schedule::every(1), reading("value", 0, &time))
        .with(
            Schedule::every(1),
            Suffixed::new(reading("value", 0, &time), "_again"),
        )
        .with_sink(memory.clone());
    assert_eq!(probes.observe(0, &2.0).unwrap().warnings.len(), 1);
    assert_eq!(memory.scalars("value/value"), [(0, 2.0)]);
    assert_eq!(memory.scalars("value/value_again"), [(0, 2.0)]);
}

#[test]
fn equal_runs_give_equal_bytes_without_cost_records() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str| {
        let (time, _) = clock();
        let path = folder.path().join(name);
        let mut probes = Probes::unlimited()
            .with(Schedule::every(1), reading("value", 0, &time))
            .without_cost_records()
            .with_sink(JsonLines::create(&path).unwrap());
        for step in 0..5 {
            probes.observe(step, &(step as f64)).unwrap();
            probes.log("loss/train", step, 0.5);
        }
        assert!(probes.finish().undelivered.is_empty());
        std::fs::read(path).unwrap()
    };
    assert_eq!(write("a.jsonl"), write("b.jsonl"));
}

#[test]
fn schedule_without_steps_is_never_and_reads_back() {
    let schedule = Schedule::at([]);
    assert_eq!(schedule, Schedule::never());
    assert_eq!(schedule.to_string().parse::<Schedule>().unwrap(), schedule);
}

/// Asks whether to go on until it is told to stop, as a long measurement does.
struct Endless;

impl Probe<f64> for Endless {
    fn name(&self) -> String {
        "endless".into()
    }

    fn measure(&mut self, moment: &Moment<'_, f64>, _: &mut Records) -> Result<(), Error> {
        let mut done = 0;
        while moment.going_on().is_continue() {
            done += 1;
        }
        Err(landscape::Error::Cancelled { done }.into())
    }
}

#[test]
fn interrupted_observation_hands_nothing_on_and_may_be_made_again() {
    let (clock, _) = clock();
    let memory = Memory::new();
    let asked = Arc::new(AtomicU64::new(0));
    let asks = Arc::clone(&asked);
    let mut probes = Probes::unlimited()
        .with(Schedule::every(1), reading("first", 0, &clock))
        .with(Schedule::at([2]), Endless)
        .with(Schedule::every(1), reading("last", 0, &clock))
        // Stops at the 20th question and for twenty more, then not any more.
        .with_interrupt(move || (20..40).contains(&asks.fetch_add(1, Ordering::Relaxed)))
        .without_cost_records()
        .with_sink(memory.clone());
    assert!(!probes.observe(1, &1.0).unwrap().interrupted);
    let stopped = probes.observe(2, &2.0).unwrap();
    assert!(stopped.interrupted);
    assert!(stopped.records.is_empty() && stopped.failed.is_empty());
    assert_eq!(memory.scalars("value/first"), [(1, 1.0)]);
    // Between two probes as well.
    assert!(probes.observe(3, &3.0).unwrap().interrupted);
    asked.store(40, Ordering::Relaxed);
    let again = probes.observe(3, &3.0).unwrap();
    assert!(!again.interrupted);
    assert_eq!(memory.scalars("value/first"), [(1, 1.0), (3, 3.0)]);
    assert_eq!(memory.scalars("value/last"), [(1, 1.0), (3, 3.0)]);
}
